/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions, objects and keys that many cases begin with. */
#ifndef HSMUX_TESTS_CONFORMANCE_WORLD_H
#define HSMUX_TESTS_CONFORMANCE_WORLD_H

#include "tests/conformance/suite.h"

#define RO CKF_SERIAL_SESSION
#define RW (CKF_SERIAL_SESSION | CKF_RW_SESSION)

/* Attributes of a template. */
#define ATTR(type, value)                                                                          \
	{                                                                                          \
		(type), &(value), sizeof(value)                                                    \
	}
#define BYTES(type, value)                                                                         \
	{                                                                                          \
		(type), (value), sizeof(value)                                                     \
	}
#define YES(type)                                                                                  \
	{                                                                                          \
		(type), &world_yes, sizeof(world_yes)                                              \
	}
#define NO(type)                                                                                   \
	{                                                                                          \
		(type), &world_no, sizeof(world_no)                                                \
	}

extern CK_BBOOL world_yes;
extern CK_BBOOL world_no;
extern CK_BYTE world_p256[10]; /* CKA_EC_PARAMS */
extern CK_BYTE world_key[16];  /* value of the AES keys made here */
extern CK_BYTE world_text[64]; /* something to work on */

/* A session; 0 when that fails, which fails the case. */
CK_SESSION_HANDLE world_open(struct suite *t, CK_FLAGS flags);

/* A read-write session, logged in as user. */
CK_SESSION_HANDLE world_user(struct suite *t);

void world_logout(struct suite *t, CK_SESSION_HANDLE s);

/* The state of a session (CKS_...); CKF_ERROR_STATE when it has none. */
CK_STATE world_state(struct suite *t, CK_SESSION_HANDLE s);

/* Whether the token offers the mechanism for these uses (CKF_SIGN, ...). */
bool world_has(struct suite *t, CK_MECHANISM_TYPE type, CK_FLAGS uses);

/* An object with this label; 0 when that fails, which fails the case. Private ones are secret keys
 * that can be read (value: world_text), public ones data (the same value) or, on the token, RSA
 * public keys: NSS keeps no other data. */
CK_OBJECT_HANDLE world_object(struct suite *t, CK_SESSION_HANDLE s, const char *label,
			      bool is_token, bool is_private);

/* An AES key of 16 bytes (world_key) for every use, a session object. */
CK_OBJECT_HANDLE world_aes(struct suite *t, CK_SESSION_HANDLE s);

/* A generic secret of 32 bytes (world_text) that signs, verifies and derives. */
CK_OBJECT_HANDLE world_generic(struct suite *t, CK_SESSION_HANDLE s);

/* New key pairs of session objects. */
bool world_rsa_pair(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *pub,
		    CK_OBJECT_HANDLE *priv);
bool world_ec_pair(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *pub,
		   CK_OBJECT_HANDLE *priv);

/* How many objects have this label, as the session sees it. */
CK_ULONG world_count(struct suite *t, CK_SESSION_HANDLE s, const char *label);

/* One CK_BBOOL attribute; false also when it cannot be read, which fails the case. */
bool world_is(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type);

/* Removes every object that the session may destroy and that has this label. */
void world_destroy(struct suite *t, CK_SESSION_HANDLE s, const char *label);

/* Whether a field of an information structure is text padded with blanks, without a NUL. */
bool world_is_padded(const CK_UTF8CHAR *text, size_t size);

#endif
