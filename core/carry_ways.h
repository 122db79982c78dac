/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways in which a key can leave one member and enter another. */
#ifndef HSMUX_CORE_CARRY_WAYS_H
#define HSMUX_CORE_CARRY_WAYS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"
#include "core/member.h"

/* A mechanism of C_WrapKey on the one and of C_UnwrapKey on the other. */
struct carry_way {
	CK_MECHANISM_TYPE out;
	CK_MECHANISM_TYPE in;
	bool is_transport;   /* under an RSA key of the target (transport.h), else under the KEK */
	bool is_secret_only; /* private keys do not fit */
	bool is_blocks;      /* nothing is padded: whole blocks only */
	bool has_iv;
};

#define CARRY_WAYS   12
#define CARRY_NO_WAY (-1)

/* Way `i` of CARRY_WAYS, those that prove what they carry first. Static. */
const struct carry_way *carry_way(unsigned i);

/* The number of the way with these mechanisms, CARRY_NO_WAY when there is none. */
int carry_way_find(CK_MECHANISM_TYPE out, CK_MECHANISM_TYPE in);

/* What has to be carried. */
struct carry_need {
	bool is_secret;
	CK_ULONG len; /* of a secret key; 0: not known */
	bool has_kek; /* both members have one */
	int first;    /* a way that worked before, or CARRY_NO_WAY */
};

/* The ways that both members offer, in the order in which they are tried; how many. */
size_t carry_ways_list(struct member *from, struct member *to, const struct carry_need *need,
		       unsigned list[static CARRY_WAYS]);

/* "CKM_AES_KEY_WRAP_PAD -> CKM_AES_KEY_WRAP_KWP". */
void carry_way_text(unsigned i, char *text, size_t size);

#endif
