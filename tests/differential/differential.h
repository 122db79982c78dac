/* SPDX-License-Identifier: BSD-2-Clause */
/* What the scenes of the differential test share. A scene is a list of calls in one order, the same
 * for every module; each call writes one line, and two runs are compared line by line (compare.c).
 */
#ifndef HSMUX_TESTS_DIFFERENTIAL_H
#define HSMUX_TESTS_DIFFERENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"
#include "tests/token/calls.h"

extern CK_BYTE rsa_n[256];
extern CK_BYTE rsa_d[256];
extern CK_BYTE rsa_p[128];
extern CK_BYTE rsa_q[128];
extern CK_BYTE rsa_dp[128];
extern CK_BYTE rsa_dq[128];
extern CK_BYTE rsa_qi[128];
extern CK_BYTE ec_d[32];
extern CK_BYTE ec_point[67];

/* One run of all scenes over one token. */
struct run {
	CK_FUNCTION_LIST *f;
	CK_FUNCTION_LIST_3_0 *f3; /* NULL: the module has no 3.0 interface */
	void *init_args;
	CK_SLOT_ID slot;
	const char *label;
	CK_UTF8CHAR *pin;
	CK_ULONG pin_len;
	CK_UTF8CHAR *so_pin; /* NULL: this make has none */
	CK_ULONG so_pin_len;
	/* Leaves out what writes or reads past the token's own memory. openCryptoki 3.8.1:
	 * C_SignFinal of an HMAC without a buffer, C_Decrypt of AES-CBC with wrong padding. */
	bool is_flat; /* --flat: keeps templates within templates as bytes; not asked for them */
	bool is_gentle;
	const char *scene;
	bool called[CALL_COUNT];
};

/* Writes the line of one call: scene/step, function, code; with bytes their length and text. */
void said(struct run *r, enum token_call call, const char *step, CK_RV rv);
void said_number(struct run *r, enum token_call call, const char *step, CK_RV rv, CK_ULONG number);
void said_bytes(struct run *r, enum token_call call, const char *step, CK_RV rv,
		const CK_BYTE *data, CK_ULONG len);

/* Opens a session, logged in or not; the line is written like any other. */
CK_SESSION_HANDLE scene_open(struct run *r, CK_FLAGS flags);
CK_SESSION_HANDLE scene_login(struct run *r);
void scene_close(struct run *r, CK_SESSION_HANDLE session);

/* Session objects with the values of keys.c; 0 when the token refuses. */
CK_OBJECT_HANDLE key_aes(struct run *r, CK_SESSION_HANDLE s);
CK_OBJECT_HANDLE key_generic(struct run *r, CK_SESSION_HANDLE s);
CK_OBJECT_HANDLE key_rsa_private(struct run *r, CK_SESSION_HANDLE s);
CK_OBJECT_HANDLE key_rsa_public(struct run *r, CK_SESSION_HANDLE s);
CK_OBJECT_HANDLE key_ec_private(struct run *r, CK_SESSION_HANDLE s);
CK_OBJECT_HANDLE key_ec_public(struct run *r, CK_SESSION_HANDLE s);

/* The scenes, in the order in which they run. */
void scene_general(struct run *r);
void scene_sessions(struct run *r);
void scene_login_states(struct run *r);
void scene_pins(struct run *r);
void scene_random(struct run *r);
void scene_objects(struct run *r);
void scene_attributes(struct run *r);
void scene_read_only(struct run *r);
void scene_find(struct run *r);
void scene_digest(struct run *r);
void scene_sign(struct run *r);
void scene_sign_states(struct run *r);
void scene_recover(struct run *r);
void scene_cipher(struct run *r);
void scene_cipher_parts(struct run *r);
void scene_cipher_rsa(struct run *r);
void scene_dual(struct run *r);
void scene_wrap(struct run *r);
void scene_derive(struct run *r);
void scene_generate(struct run *r);
void scene_bad_handles(struct run *r);
void scene_token_keys(struct run *r);
void scene_messages(struct run *r);

#endif
