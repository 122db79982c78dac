/* SPDX-License-Identifier: BSD-2-Clause */
/* Token objects come to be, once.
 *
 * In a virtual token whose members can take each other's place an object is made under a label of
 * hsmux's, a tag that nobody had before, and gets its own when the member has said that it is made.
 * When it did not say so, the tag tells whether it happened. */
#ifndef HSMUX_CORE_PENDING_H
#define HSMUX_CORE_PENDING_H

#include <stdbool.h>

#include "core/call.h"
#include "core/group.h"

/* Runs a call that makes objects, as call_run(), and gives the application handles for them, as
 * object_publish(). `is_token[i]` as asked for in call->tmpl[i]. Where what is asked for can carry
 * a tag, a call that may have been done and failed is settled: what it made is taken, or destroyed
 * and made again. */
CK_RV pending_run(struct call *call, const bool is_token[2], CK_OBJECT_HANDLE *const app[2]);

/* True for a template with a label that is hsmux's own, or that asks for a secret key with the name
 * of the KEK, which no application may give to an object of such a token; says so in the log. */
bool pending_refuses(const struct group *group, const CK_ATTRIBUTE *tmpl, CK_ULONG count);

/* Whether a template of the application may be worked with. CKR_ATTRIBUTE_VALUE_INVALID as above;
 * and where the virtual token replicates, for a flag that hsmux decides by and that is neither true
 * nor false, CKR_TEMPLATE_INCONSISTENT for an attribute that is there twice: of two values a member
 * may take another one than we do. */
CK_RV pending_check(const struct group *group, const CK_ATTRIBUTE *tmpl, CK_ULONG count);

#endif
