/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of secret keys to a challenge. */
#ifndef HSMUX_CORE_IDENTITY_SECRET_H
#define HSMUX_CORE_IDENTITY_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/pkcs11.h"
#include "core/identity_attr.h"
#include "core/pool.h"

/* The attributes that say by which uses a secret key may answer. */
#define IDENTITY_SECRET_USES CKA_SIGN, CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP

/* An answer. Answers of two keys can be compared when mechanism and use are equal. */
struct identity_answer {
	CK_MECHANISM_TYPE mechanism;
	CK_FLAGS use;       /* CKF_SIGN, CKF_ENCRYPT, CKF_DECRYPT or CKF_WRAP */
	uint8_t digest[32]; /* SHA-256 of the mechanism's number and the answer */
	bool is_doubtful;   /* another way was not gone because of a code that says nothing */
};

/* What a key is asked; everything is borrowed. */
struct identity_question {
	CK_KEY_TYPE type;                   /* of the key */
	const struct identity_attrs *attrs; /* IDENTITY_SECRET_USES */
	const uint8_t *challenge;           /* IDENTITY_CHALLENGE bytes; NULL: there are none */
	const struct identity_answer *as;   /* only answers of that mechanism and use, or NULL */
};

/* Lets secret key `real` answer, in a way that its attributes allow. CKR_OK with *answered false
 * when no way works, of `out` only is_doubtful says something then; CKR_HOST_MEMORY (also without a
 * challenge), or the member's code when it does not answer. */
CK_RV identity_secret_answer(struct member_session *ms, CK_OBJECT_HANDLE real,
			     const struct identity_question *question, struct identity_answer *out,
			     bool *answered);

/* Ways that lead to different answers and that the attributes allow, in the order in which they are
 * tried: mechanism and use of each. How many, `max` at the most. */
size_t identity_secret_ways(CK_KEY_TYPE type, const struct identity_attrs *attrs,
			    struct identity_answer *list, size_t max);

/* Whether a template has an attribute that decides in which ways a secret key can answer. */
bool identity_secret_is_way(const CK_ATTRIBUTE *tmpl, CK_ULONG count);

/* identity_secret_answer() with this process's challenge. */
CK_RV identity_secret_ask(struct member_session *ms, CK_OBJECT_HANDLE real, CK_KEY_TYPE type,
			  const struct identity_attrs *attrs, const struct identity_answer *as,
			  struct identity_answer *out, bool *answered);

#endif
