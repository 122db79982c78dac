/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parameters of mechanisms look like: const tables, read by the walker in mech.c. */
#ifndef HSMUX_CORE_BASE_MECH_LAYOUT_H
#define HSMUX_CORE_BASE_MECH_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"

/* The forms that mech.def names. */
enum mech_form {
	MECH_PLAIN, /* no structure: bytes without pointers and handles */
	MECH_HANDLE,
	MECH_OAEP,
	MECH_PSS,
	MECH_RSA_AES_WRAP,
	MECH_SET_OAEP,
	MECH_SIGN_CONTEXT,
	MECH_HASH_SIGN_CONTEXT,
	MECH_EDDSA,
	MECH_XEDDSA,
	MECH_ECDH1,
	MECH_ECMQV,
	MECH_ECDH_AES_WRAP,
	MECH_X9_42_DH1,
	MECH_X9_42_DH2,
	MECH_X9_42_MQV,
	MECH_KEA,
	MECH_GOST_DERIVE,
	MECH_GOST_WRAP,
	MECH_X3DH_INITIATE,
	MECH_X3DH_RESPOND,
	MECH_X2RATCHET_INITIATE,
	MECH_X2RATCHET_RESPOND,
	MECH_DSA_PARAMETER,
	MECH_GCM,
	MECH_GMAC,
	MECH_CCM,
	MECH_CTR,
	MECH_CHACHA20,
	MECH_SALSA20,
	MECH_POLY1305,
	MECH_RC2_CBC,
	MECH_RC2_MAC_GENERAL,
	MECH_RC5,
	MECH_RC5_CBC,
	MECH_RC5_MAC_GENERAL,
	MECH_SKIPJACK_WRAP,
	MECH_SKIPJACK_RELAYX,
	MECH_CBC8_DATA,
	MECH_CBC16_DATA,
	MECH_STRING_DATA,
	MECH_PBE,
	MECH_PBKD2,
	MECH_HKDF,
	MECH_SP800_108,
	MECH_SP800_108_FEEDBACK,
	MECH_IKE2_PRF_PLUS,
	MECH_IKE_PRF,
	MECH_IKE1_PRF,
	MECH_IKE1_EXTENDED,
	MECH_SSL3_MASTER,
	MECH_SSL3_KEY_MAT,
	MECH_TLS12_MASTER,
	MECH_TLS12_KEY_MAT,
	MECH_TLS12_EXTENDED_MASTER,
	MECH_TLS_PRF,
	MECH_TLS_KDF,
	MECH_TLS_MAC,
	MECH_WTLS_MASTER,
	MECH_WTLS_KEY_MAT,
	MECH_WTLS_PRF,
	MECH_KIP,
	MECH_KIP_WRAP,
	MECH_CMS_SIG,
	MECH_OTP,
	MECH_NSS_HKDF,
	MECH_NSS_AEAD,
	MECH_NSS_MAC_CONSTANT_TIME,
	MECH_IBM_KEM,
	MECH_IBM_KEM_ECDH,
	MECH_FORM_COUNT
};

/* How one field is treated; fields that no row names are numbers and are copied as they are. */
enum mech_kind {
	FIELD_BYTES,    /* pointer at `at`, its length at `len`: copied; cleared when unused */
	FIELD_BITS,     /* the same with a length in bits, not bytes */
	FIELD_FIXED,    /* pointer to `len` bytes: copied */
	FIELD_STRING,   /* pointer to a string with a NUL at its end: copied */
	FIELD_APP,      /* output, or input without a length: keeps pointing to the application */
	FIELD_HANDLE,   /* object handle; cleared when unused */
	FIELD_VALUE,    /* when `when` holds a pointer to one object handle, else as FIELD_BYTES */
	FIELD_CIPHER,   /* when `when` holds an output whose length at `len` is written, else
			   FIELD_BYTES */
	FIELD_PASSWORD, /* as FIELD_BYTES; the length at `len` is a number or a pointer to one */
	FIELD_MADE,     /* handle that a member writes into the structure */
	FIELD_MADE_AT,  /* pointer to a handle that a member writes */
	FIELD_STRUCT,   /* pointer to one structure `of` */
	FIELD_ARRAY,    /* pointer to structures `of`, their number at `len` */
	FIELD_TEMPLATE, /* pointer to attributes, their number at `len` */
	FIELD_MECH      /* pointer to a CK_MECHANISM */
};

/* When a field counts. */
enum mech_test {
	WHEN_ALWAYS,
	WHEN_NEVER,
	WHEN_NONZERO, /* the field itself is not 0 */
	WHEN_TRUE,    /* the CK_BBOOL at `at` is not 0 */
	WHEN_EQUAL    /* the CK_ULONG at `at` is `value` */
};

struct mech_when {
	enum mech_test test;
	size_t at;
	CK_ULONG value;
};

struct mech_layout;

/* One field. It counts when both conditions hold. */
struct mech_field {
	enum mech_kind kind;
	size_t at;  /* offset of the pointer or handle */
	size_t len; /* see enum mech_kind */
	const struct mech_layout *of;
	struct mech_when when[2];
};

/* One structure. */
struct mech_layout {
	const char *name;
	size_t size;
	const struct mech_field *fields;
	size_t count;
	/* Tells structures of one size apart; NULL: the size is enough. Gets an aligned copy. */
	bool (*is_this)(const void *param);
};

/* No structure is larger (CK_SKIPJACK_RELAYX_PARAMS has 112 bytes). */
#define MECH_LAYOUT_MAX 128
/* A form is one of at most this many structures. */
#define MECH_ALTERNATIVES 4

/* Structure number `i` of a form, or NULL behind the last. MECH_PLAIN has none. Static. */
const struct mech_layout *mech_form_layout(enum mech_form form, unsigned i);

/* True when parameters of the form may also be plain bytes. */
bool mech_form_plain(enum mech_form form);

#endif
