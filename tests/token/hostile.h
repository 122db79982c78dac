/* SPDX-License-Identifier: BSD-2-Clause */
/* The hostile token: answers that no token should give. See hostile.c. */
#ifndef HSMUX_TESTS_TOKEN_HOSTILE_H
#define HSMUX_TESTS_TOKEN_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"

/* The next number of the sequence that HOSTILE_SEED begins. */
CK_ULONG hostile_random(void);

/* True in `percent` of the cases. */
bool hostile_chance(unsigned percent);

/* CKR_OK, or, as often as the mood of this life says, any other number. */
CK_RV hostile_code(void);

/* A number that is wrong where a length, a count or a handle is expected. */
CK_ULONG hostile_number(void);

/* Reads all bytes, so that a sanitizer sees a wrong pointer or length. */
void hostile_touch(const void *p, CK_ULONG len);
void hostile_touch_template(const CK_ATTRIBUTE *tmpl, CK_ULONG count);
void hostile_touch_mechanism(const CK_MECHANISM *mechanism);

/* An output of variable length: nothing is written behind `*len` bytes, but `*len` may become
 * anything. */
CK_RV hostile_output(CK_BYTE *out, CK_ULONG *len);

/* A handle: often a good one, sometimes one that was given already, 0 or ~0. */
CK_ULONG hostile_handle(void);

/* Functions of the lists, by what they take. */
CK_RV hostile_initialize(void *args);
CK_RV hostile_finalize(void *reserved);
CK_RV hostile_get_info(CK_INFO *info);
CK_RV hostile_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count);
CK_RV hostile_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info);
CK_RV hostile_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info);
CK_RV hostile_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE *types, CK_ULONG *count);
CK_RV hostile_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info);
CK_RV hostile_init_token(CK_SLOT_ID slot, CK_UTF8CHAR *pin, CK_ULONG pin_len, CK_UTF8CHAR *label);
CK_RV hostile_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
			   CK_SESSION_HANDLE *session);
CK_RV hostile_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info);

#endif
