/* SPDX-License-Identifier: BSD-2-Clause */
/* A question to a policy, in words, and the facts that it stands for. */
#ifndef HSMUX_TOOLS_POLICY_QUESTION_H
#define HSMUX_TOOLS_POLICY_QUESTION_H

#include "policy/describe.h"
#include "policy/policy.h"

/* Attributes that a template in a question has, at the most. */
#define QUESTION_ATTRS 16

/* In words; NULL and 0 where nothing is said. Borrowed. */
struct question {
	const char *act;  /* "sign"; needed */
	const char *mech; /* "CKM_SHA256_RSA_PKCS" */
	const char *hash; /* inside the parameter of PSS, OAEP, PBKDF2, HKDF */
	const char *mgf;  /* of PSS and OAEP; as the hash where nothing is said */
	const char *kdf;  /* of ECDH */
	const char *iv;   /* "caller" or "token", of AES-GCM */
	long long salt;   /* bytes; -1: as the hash is long */
	long long iterations;
	const char *key;   /* "rsa:2048", "ec:P-256", "aes:256", "secret:128", "ml-dsa:ML-DSA-65" */
	const char *class; /* "private" */
	const char *label, *id;
	const char *token;
	const char *user, *exe, *unit, *cgroup, *role, *app_label;
	long long uid;                     /* -1: nothing is said */
	const char *as_of;                 /* YYYY-MM-DD or RFC 3339; NULL: now */
	const char *attrs[QUESTION_ATTRS]; /* "CKA_SENSITIVE=true" */
	size_t attr_count;
};

/* The facts, and all that they point to. Not to be copied. */
struct answerable {
	struct facts facts;
	struct caller caller;
	struct described object;
	CK_MECHANISM mech;
	CK_ATTRIBUTE attrs[QUESTION_ATTRS];
	CK_BBOOL flags[QUESTION_ATTRS];
	CK_ULONG numbers[QUESTION_ATTRS];
	uint8_t id[DESCRIBE_ID];
	union {
		CK_RSA_PKCS_PSS_PARAMS pss;
		CK_RSA_PKCS_OAEP_PARAMS oaep;
		CK_PKCS5_PBKD2_PARAMS2 pbkd2;
		CK_HKDF_PARAMS hkdf;
		CK_ECDH1_DERIVE_PARAMS ecdh;
		CK_GCM_PARAMS gcm;
	} param;
};

/* Makes the facts of a question. False with a sentence in `why` when a word of it is not known. */
bool question_facts(const struct question *q, struct answerable *out, char why[static 200]);

#endif
