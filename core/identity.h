/* SPDX-License-Identifier: BSD-2-Clause */
/* Which object this is: what makes an object of one member the same as an object of another.
 *
 * Labels and ids say which object an application means, never which key it is: anybody who may
 * create objects on one member could give a key of his own the label of ours. What an object is
 * follows from its public content, or from an answer that only the key can give. */
#ifndef HSMUX_CORE_IDENTITY_H
#define HSMUX_CORE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "core/base/buf.h"
#include "core/base/pkcs11.h"
#include "core/pool.h"

/* How the object is told from others. */
enum identity_kind {
	IDENTITY_NONE,   /* it cannot be: only the member where it was found has it */
	IDENTITY_VALUE,  /* `digest` of its public content: certificates, data, public keys */
	IDENTITY_PUBLIC, /* private key: `public_key` verifies or reads what it answers */
	IDENTITY_ANSWER  /* `digest` of its answer to this process's challenge under `mechanism` */
};

/* What is known about an object. Zeroed is a valid empty one; identity_free() frees. */
struct identity {
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE key_type; /* CK_UNAVAILABLE_INFORMATION when it is no key */
	bool is_token;
	bool is_private;
	bool needs_login_each; /* CKA_ALWAYS_AUTHENTICATE */
	struct buf id;         /* CKA_ID */
	struct buf label;      /* CKA_LABEL */
	enum identity_kind kind;
	uint8_t digest[32];   /* SHA-256: VALUE, PUBLIC (of the DER SubjectPublicKeyInfo), ANSWER */
	EVP_PKEY *public_key; /* owned; PUBLIC only */
	CK_MECHANISM_TYPE mechanism; /* ANSWER only */
	CK_FLAGS use;                /* ANSWER only: CKF_SIGN, CKF_ENCRYPT, CKF_DECRYPT, CKF_WRAP */
	bool is_doubtful; /* might have answered otherwise: the member failed with codes that say
			     nothing */
};

/* What a comparison says. */
enum identity_match {
	IDENTITY_SAME,
	IDENTITY_DIFFERENT,
	IDENTITY_UNKNOWN, /* cannot be shown either way: never taken for the same */
	IDENTITY_DOUBTFUL /* it took a challenge and failed to answer: may be a whim, ask another
			     time */
};

/* Reads what object `real` is, on a member session that is idle. A secret key is used once (its
 * answer is its identity); a private key whose own attributes do not show its public key is paired
 * with a public key or certificate of the same CKA_ID on the member, which is a claim until
 * identity_prove(). Keys that an attempt would cost something (stateful signatures, a login for
 * each use) are never used. CKR_HOST_MEMORY, or the member's code when it does not answer at all;
 * `out` is then empty. After a failure, and after IDENTITY_NONE for a secret key, the session may
 * have an operation left on it: pool_drop() it. */
CK_RV identity_read(struct member_session *ms, CK_OBJECT_HANDLE real, struct identity *out);

/* The same of an object that is about to get these attributes, as far as they count in what it is
 * (data objects, domain parameters); its name in `out` is the one that it has. */
CK_RV identity_read_as(struct member_session *ms, CK_OBJECT_HANDLE real, const CK_ATTRIBUTE *tmpl,
		       CK_ULONG count, struct identity *out);

/* True when both carry the same class, key type, id and label, and at least one of id and label is
 * not empty. */
bool identity_same_name(const struct identity *a, const struct identity *b);

/* Compares what two objects are. Names do not matter. Claims are believed here: use
 * identity_prove() before a private key is used in place of another. */
enum identity_match identity_compare(const struct identity *a, const struct identity *b);

/* Shows by use that object `real` of the member is what `known` says: content is read again, a
 * private key answers a fresh challenge that known->public_key checks in software, a secret key
 * answers the process's challenge, by known->mechanism. A private key that cannot be used for that
 * (only unwraps, wants a login for each use) is the same when its own modulus is that of the public
 * key; what else stands beside a key anybody may have written. CKR_OK with *match, or the member's
 * code when it does not answer (*match is then IDENTITY_UNKNOWN). After a failure and after
 * IDENTITY_UNKNOWN the session may have an operation left on it: pool_drop() it.
 *
 * For secret keys IDENTITY_UNKNOWN says that this member cannot answer as `known` did. It may still
 * be shown the other way round: by proving on the member of `known` what was read on this one. */
CK_RV identity_prove(struct member_session *ms, CK_OBJECT_HANDLE real, const struct identity *known,
		     enum identity_match *match);

/* Objects of the member that carry the name of `known` (class, key type, CKA_TOKEN, and id and
 * label where they are not empty); with `any_label`, id alone, or label where the id is empty. Real
 * handles (CK_OBJECT_HANDLE each) are appended to `out`, in the member's order. CKR_HOST_MEMORY or
 * the member's code. */
CK_RV identity_find(struct member_session *ms, const struct identity *known, bool any_label,
		    struct buf *out);

/* Frees what it holds and leaves it empty. NULL is allowed. */
void identity_free(struct identity *id);

#endif
