/* SPDX-License-Identifier: BSD-2-Clause */
/* What an object is, in words: type and size, use. For people and programs, never for decisions. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "core/base/attr.h"
#include "core/inventory_part.h"

static const struct {
	CK_ATTRIBUTE_TYPE type;
	enum logical_use use;
	const char *name;
} uses[LOGICAL_USES] = {
	{CKA_SIGN, LOGICAL_SIGNS, "sign"},          {CKA_VERIFY, LOGICAL_VERIFIES, "verify"},
	{CKA_ENCRYPT, LOGICAL_ENCRYPTS, "encrypt"}, {CKA_DECRYPT, LOGICAL_DECRYPTS, "decrypt"},
	{CKA_WRAP, LOGICAL_WRAPS, "wrap"},          {CKA_UNWRAP, LOGICAL_UNWRAPS, "unwrap"},
	{CKA_DERIVE, LOGICAL_DERIVES, "derive"},
};

static const struct {
	CK_OBJECT_CLASS class;
	const char *name;
} classes[] = {
	{CKO_PRIVATE_KEY, "private key"}, {CKO_PUBLIC_KEY, "public key"},
	{CKO_SECRET_KEY, "secret key"},   {CKO_CERTIFICATE, "certificate"},
	{CKO_DATA, "data object"},
};

const char *logical_use_name(enum logical_use use)
{
	for (size_t i = 0; i < LOGICAL_USES; i++)
		if (uses[i].use == use)
			return uses[i].name;
	return "?";
}

const char *logical_class_name(CK_OBJECT_CLASS class, char spare[static NAME_MAX_LEN])
{
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		if (classes[i].class == class)
			return classes[i].name;
	return name_of(NAME_OBJECT_CLASS, class, spare);
}

/* "P-256" for a curve that NIST named, else OpenSSL's name for it. */
static const char *curve_of_nid(int nid)
{
	const char *name = nid == NID_undef ? NULL : EC_curve_nid2nist(nid);

	return name || nid == NID_undef ? name : OBJ_nid2sn(nid);
}

/* From CKA_EC_PARAMS, which is an object identifier. */
static const char *curve_of_params(const CK_ATTRIBUTE *params)
{
	const unsigned char *p = params ? params->pValue : NULL;
	ASN1_OBJECT *object;
	const char *name;

	if (!p || params->ulValueLen < 2 || p[0] != V_ASN1_OBJECT)
		return NULL;
	object = d2i_ASN1_OBJECT(NULL, &p, (long)params->ulValueLen);
	name = object ? curve_of_nid(OBJ_obj2nid(object)) : NULL;
	ASN1_OBJECT_free(object);
	return name;
}

static const char *curve_of_key(const EVP_PKEY *key, char *spare, size_t size)
{
	size_t len = 0;

	if (!key || EVP_PKEY_get_group_name(key, spare, size, &len) != 1)
		return NULL;
	return curve_of_nid(OBJ_sn2nid(spare));
}

static unsigned long bits_of(const CK_ATTRIBUTE *modulus)
{
	const unsigned char *p = modulus->pValue;
	size_t len = modulus->ulValueLen;
	unsigned long bits;

	while (len > 0 && *p == 0) {
		p++;
		len--;
	}
	if (len == 0)
		return 0;
	bits = (unsigned long)len * 8;
	for (unsigned char top = *p; !(top & 0x80); top = (unsigned char)(top << 1))
		bits--;
	return bits;
}

/* Length of a secret key in bits; some show it nowhere. */
static unsigned long length_of(const struct blueprint *b)
{
	CK_ULONG len = attr_ulong(b->a, b->count, CKA_VALUE_LEN, 0);

	return len < 1UL << 20 ? len * 8 : 0;
}

static void put(char to[static LOGICAL_TYPE], const char *name, unsigned long bits)
{
	if (bits > 0)
		(void)snprintf(to, LOGICAL_TYPE, "%s:%lu", name, bits);
	else
		(void)snprintf(to, LOGICAL_TYPE, "%s", name);
	for (char *c = to; *c && strncmp(to, "ec:", 3) != 0; c++)
		*c = (char)tolower((unsigned char)*c);
}

static void describe_key(struct logical *l, const struct blueprint *b, const struct identity *id)
{
	const CK_ATTRIBUTE *modulus = attr_find(b->a, b->count, CKA_MODULUS);
	char spare[NAME_MAX_LEN], curve[80];
	const char *name = name_of(NAME_KEY_TYPE, id->key_type, spare);

	if (strncmp(name, "CKK_", 4) == 0)
		name += 4;
	if (id->key_type == CKK_RSA && modulus) {
		put(l->type, "rsa", bits_of(modulus));
	} else if (id->key_type == CKK_RSA && id->public_key) {
		put(l->type, "rsa", (unsigned long)EVP_PKEY_get_bits(id->public_key));
	} else if (id->key_type == CKK_EC) {
		name = curve_of_params(attr_find(b->a, b->count, CKA_EC_PARAMS));
		if (!name)
			name = curve_of_key(id->public_key, curve, sizeof curve);
		(void)snprintf(l->type, sizeof l->type, "ec:%.28s", name ? name : "?");
	} else if (id->public_key && id->key_type == CKK_EC_EDWARDS) {
		put(l->type, EVP_PKEY_is_a(id->public_key, "ED448") ? "ed448" : "ed25519", 0);
	} else if (id->key_type == CKK_EC_EDWARDS) {
		name = curve_of_params(attr_find(b->a, b->count, CKA_EC_PARAMS));
		put(l->type, name ? name : "edwards", 0);
	} else {
		put(l->type, name, length_of(b));
	}
}

void inventory_describe(struct logical *l, const struct blueprint *b)
{
	const struct identity *id = &logical_first(l)->id;

	ERR_set_mark();
	if (id->class == CKO_CERTIFICATE)
		put(l->type, "certificate", 0);
	else if (id->class == CKO_DATA)
		put(l->type, "data", 0);
	else if (id->key_type == CK_UNAVAILABLE_INFORMATION)
		put(l->type, "other", 0);
	else
		describe_key(l, b, id);
	ERR_pop_to_mark();
	for (size_t i = 0; i < LOGICAL_USES; i++)
		if (attr_bool(b->a, b->count, uses[i].type, false))
			l->use |= uses[i].use;
}
