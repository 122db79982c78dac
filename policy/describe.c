/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptions of objects: one walk over attributes that are there, of any length. */
#include "policy/describe.h"

#include <string.h>

#include "core/base/attr.h"
#include "policy/profile.h"

static const struct {
	CK_ATTRIBUTE_TYPE type;
	unsigned flag;
} flags[] = {
	{CKA_WRAP, FLAG_WRAP},           {CKA_UNWRAP, FLAG_UNWRAP},
	{CKA_ENCRYPT, FLAG_ENCRYPT},     {CKA_DECRYPT, FLAG_DECRYPT},
	{CKA_SIGN, FLAG_SIGN},           {CKA_DERIVE, FLAG_DERIVE},
	{CKA_SENSITIVE, FLAG_SENSITIVE}, {CKA_EXTRACTABLE, FLAG_EXTRACTABLE},
	{CKA_LOCAL, FLAG_LOCAL},         {CKA_TRUSTED, FLAG_TRUSTED},
};

const struct caller *describe_nobody(void)
{
	static const struct caller nobody = {
		.uid = UINT32_MAX,
		.gid = UINT32_MAX,
		.user = "",
		.group = "",
		.exe = "",
		.unit = "",
		.cgroup = "",
		.label = "",
		.trust = TRUST_SELF,
	};

	return &nobody;
}

void describe_init(struct described *d, enum policy_part part)
{
	d->object = (struct policy_object){
		.part = part,
		.class = CK_UNAVAILABLE_INFORMATION,
		.type = CK_UNAVAILABLE_INFORMATION,
	};
	d->label[0] = '\0';
	describe_fix(d);
}

void describe_fix(struct described *d)
{
	d->object.label = d->label;
	d->object.id = d->id;
}

static bool is_there(const CK_ATTRIBUTE *a)
{
	return a->ulValueLen != CK_UNAVAILABLE_INFORMATION && (a->pValue || a->ulValueLen == 0);
}

/* Bits of a big-endian number. */
static unsigned number_bits(const CK_ATTRIBUTE *a)
{
	const uint8_t *p = a->pValue;
	size_t len = a->ulValueLen;
	unsigned bits;

	while (len > 0 && *p == 0) {
		p++;
		len--;
	}
	if (len == 0 || len > 65536)
		return 0;
	bits = (unsigned)len * 8;
	for (unsigned top = *p; !(top & 0x80); top <<= 1)
		bits--;
	return bits;
}

static uint64_t number_value(const CK_ATTRIBUTE *a)
{
	const uint8_t *p = a->pValue;
	uint64_t n = 0;

	for (size_t i = 0; i < a->ulValueLen; i++) {
		if (n >> 56)
			return UINT64_MAX;
		n = n << 8 | p[i];
	}
	return n;
}

static bool number_of(const CK_ATTRIBUTE *a, CK_ULONG *n)
{
	if (a->ulValueLen != sizeof *n)
		return false;
	memcpy(n, a->pValue, sizeof *n);
	return true;
}

/* CK_DATE: eight digits; as seconds. */
static int64_t date_of(const CK_ATTRIBUTE *a)
{
	const char *p = a->pValue;
	char day[11];
	int64_t seconds = 0;

	if (a->ulValueLen != 8)
		return 0;
	memcpy(day, p, 4);
	day[4] = day[7] = '-';
	memcpy(day + 5, p + 4, 2);
	memcpy(day + 8, p + 6, 2);
	day[10] = '\0';
	return profile_day(day, &seconds) ? seconds : 0;
}

static void take_label(struct described *d, const CK_ATTRIBUTE *a)
{
	size_t n = a->ulValueLen < DESCRIBE_LABEL - 1 ? a->ulValueLen : DESCRIBE_LABEL - 1;

	if (n > 0)
		memcpy(d->label, a->pValue, n);
	d->label[n] = '\0';
}

static void take_id(struct described *d, const CK_ATTRIBUTE *a)
{
	d->object.id_len = a->ulValueLen < DESCRIBE_ID ? a->ulValueLen : DESCRIBE_ID;
	if (d->object.id_len > 0)
		memcpy(d->id, a->pValue, d->object.id_len);
}

static void take_flag(struct described *d, const CK_ATTRIBUTE *a)
{
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if (flags[i].type != a->type || a->ulValueLen != sizeof(CK_BBOOL))
			continue;
		d->object.known |= flags[i].flag;
		d->object.flags &= ~flags[i].flag;
		if (*(const CK_BBOOL *)a->pValue != CK_FALSE)
			d->object.flags |= flags[i].flag;
	}
}

/* What stands on its own; sizes are taken when the type of the key is known. */
static void take(struct described *d, const CK_ATTRIBUTE *a)
{
	CK_ULONG n;

	switch (a->type) {
	case CKA_CLASS:
		if (number_of(a, &n))
			d->object.class = n;
		break;
	case CKA_KEY_TYPE:
		if (number_of(a, &n))
			d->object.type = n;
		break;
	case CKA_LABEL:
		take_label(d, a);
		break;
	case CKA_ID:
		take_id(d, a);
		break;
	case CKA_START_DATE:
		d->object.started = date_of(a);
		break;
	case CKA_PUBLIC_EXPONENT:
		d->object.exponent = number_value(a);
		break;
	case CKA_HSS_LEVELS:
		if (number_of(a, &n) && n <= 8)
			d->object.hss_levels = (unsigned)n;
		break;
	default:
		take_flag(d, a);
		break;
	}
}

/* The size as one of these attributes says it: the bits of a number, a number of bits, a number of
 * bytes, bytes. */
static unsigned size_of(const CK_ATTRIBUTE *attrs, CK_ULONG count, CK_ATTRIBUTE_TYPE number,
			CK_ATTRIBUTE_TYPE bits, CK_ATTRIBUTE_TYPE bytes, CK_ATTRIBUTE_TYPE value)
{
	const CK_ATTRIBUTE *a = attr_find(attrs, count, number);
	CK_ULONG n = 0;

	if (a && is_there(a) && a->ulValueLen > 0)
		return number_bits(a);
	a = attr_find(attrs, count, bits);
	if (a && is_there(a) && number_of(a, &n) && n <= 65536)
		return (unsigned)n;
	a = attr_find(attrs, count, bytes);
	if (a && is_there(a) && number_of(a, &n) && n > 0 && n <= 8192)
		return (unsigned)n * 8;
	a = attr_find(attrs, count, value);
	return a && is_there(a) && a->ulValueLen <= 8192 ? (unsigned)a->ulValueLen * 8 : 0;
}

/* No attribute has this number: it asks for nothing. */
#define NOTHING CK_UNAVAILABLE_INFORMATION

static unsigned secret_size(const CK_ATTRIBUTE *attrs, CK_ULONG count, CK_KEY_TYPE type)
{
	if (type == CKK_DES3)
		return 168;
	if (type == CKK_DES2)
		return 112;
	if (type == CKK_DES)
		return 56;
	return size_of(attrs, count, NOTHING, NOTHING, CKA_VALUE_LEN, CKA_VALUE);
}

static void take_size(struct policy_object *o, const CK_ATTRIBUTE *attrs, CK_ULONG count)
{
	unsigned bits = 0;

	if (o->type == CKK_RSA)
		bits = size_of(attrs, count, CKA_MODULUS, CKA_MODULUS_BITS, NOTHING, NOTHING);
	else if (o->type == CKK_DSA || o->type == CKK_DH || o->type == CKK_X9_42_DH)
		bits = size_of(attrs, count, CKA_PRIME, CKA_PRIME_BITS, NOTHING, NOTHING);
	else if (o->class == CKO_SECRET_KEY)
		bits = secret_size(attrs, count, o->type);
	if (bits > 0)
		o->bits = bits;
}

static void take_curve(struct policy_object *o, const CK_ATTRIBUTE *attrs, CK_ULONG count)
{
	const CK_ATTRIBUTE *a = attr_find(attrs, count, CKA_EC_PARAMS);

	if (!a || !is_there(a) ||
	    (o->type != CKK_EC && o->type != CKK_EC_EDWARDS && o->type != CKK_EC_MONTGOMERY))
		return;
	o->curve = curve_of_params(a->pValue, a->ulValueLen);
	o->bits = curve_bits(o->curve);
}

static void take_pset(struct policy_object *o, const CK_ATTRIBUTE *attrs, CK_ULONG count)
{
	const CK_ATTRIBUTE *a = attr_find(attrs, count, CKA_PARAMETER_SET);
	CK_ULONG n;

	if (a && is_there(a) && number_of(a, &n))
		o->pset = pset_of(o->type, n);
}

/* What depends on the type of the key, which is known by now. */
static void take_measures(struct described *d, const CK_ATTRIBUTE *attrs, CK_ULONG count)
{
	take_size(&d->object, attrs, count);
	take_curve(&d->object, attrs, count);
	take_pset(&d->object, attrs, count);
}

static void take_all(struct described *d, const CK_ATTRIBUTE *attrs, CK_ULONG count)
{
	for (CK_ULONG i = 0; i < count; i++) {
		if (is_there(&attrs[i]))
			take(d, &attrs[i]);
	}
}

void describe_attributes(struct described *d, const CK_ATTRIBUTE *attrs, CK_ULONG count)
{
	take_all(d, attrs, count);
	take_measures(d, attrs, count);
}

/* Which keys the generation mechanisms make; those that are not listed make generic secrets or say
 * it in the template. */
static const struct {
	CK_MECHANISM_TYPE mech;
	CK_KEY_TYPE type;
} makes[] = {
	{CKM_RSA_PKCS_KEY_PAIR_GEN, CKK_RSA},
	{CKM_RSA_X9_31_KEY_PAIR_GEN, CKK_RSA},
	{CKM_DSA_KEY_PAIR_GEN, CKK_DSA},
	{CKM_DH_PKCS_KEY_PAIR_GEN, CKK_DH},
	{CKM_X9_42_DH_KEY_PAIR_GEN, CKK_X9_42_DH},
	{CKM_EC_KEY_PAIR_GEN, CKK_EC},
	{CKM_EC_KEY_PAIR_GEN_W_EXTRA_BITS, CKK_EC},
	{CKM_EC_EDWARDS_KEY_PAIR_GEN, CKK_EC_EDWARDS},
	{CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKK_EC_MONTGOMERY},
	{CKM_ML_DSA_KEY_PAIR_GEN, CKK_ML_DSA},
	{CKM_ML_KEM_KEY_PAIR_GEN, CKK_ML_KEM},
	{CKM_SLH_DSA_KEY_PAIR_GEN, CKK_SLH_DSA},
	{CKM_HSS_KEY_PAIR_GEN, CKK_HSS},
	{CKM_XMSS_KEY_PAIR_GEN, CKK_XMSS},
	{CKM_XMSSMT_KEY_PAIR_GEN, CKK_XMSSMT},
	{CKM_AES_KEY_GEN, CKK_AES},
	{CKM_AES_XTS_KEY_GEN, CKK_AES_XTS},
	{CKM_DES_KEY_GEN, CKK_DES},
	{CKM_DES2_KEY_GEN, CKK_DES2},
	{CKM_DES3_KEY_GEN, CKK_DES3},
	{CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET},
	{CKM_HKDF_KEY_GEN, CKK_HKDF},
};

void describe_new(struct described *d, CK_MECHANISM_TYPE mech, CK_OBJECT_CLASS class,
		  const CK_ATTRIBUTE *attrs, CK_ULONG count)
{
	CK_ULONG said = attr_ulong(attrs, count, CKA_CLASS, class);
	CK_ULONG type = attr_ulong(attrs, count, CKA_KEY_TYPE, CK_UNAVAILABLE_INFORMATION);

	describe_init(d, PART_NEW);
	for (size_t i = 0; i < sizeof makes / sizeof makes[0]; i++) {
		if (makes[i].mech == mech)
			type = makes[i].type; /* whatever the template says */
	}
	d->object.class = said;
	d->object.type = type;
	d->object.tmpl = attrs;
	d->object.tmpl_count = count;
	take_all(d, attrs, count);
	d->object.type = type;
	take_measures(d, attrs, count);
}

void describe_pair(const struct described *public_half, struct described *private_half)
{
	const struct policy_object *from = &public_half->object;
	struct policy_object *to = &private_half->object;

	to->type = from->type;
	to->bits = from->bits;
	to->curve = from->curve;
	to->pset = from->pset;
	to->hss_levels = from->hss_levels;
	to->exponent = from->exponent;
}
