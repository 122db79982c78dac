/* SPDX-License-Identifier: BSD-2-Clause */
/* Templates of the application.
 *
 * They are untrusted twice: their lengths and pointers may be nonsense, and another thread of the
 * application may change them while they are read. So a copy is made in two passes over one block:
 * the first measures and checks, the second copies and checks again that it stays within what was
 * measured. Attributes inside templates are read with memcpy, because values need not be aligned.
 * The bound on the number of attributes and on the bytes holds for a template with all that is
 * nested in it: a template may contain itself, and must not cost more for it. No state or locks. */
#include "core/base/attr.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* As first published, without CKF_ARRAY_ATTRIBUTE; the later text has the bit. */
#define ENCAPSULATE_TEMPLATE_OLD 0x62aUL
#define DECAPSULATE_TEMPLATE_OLD 0x62bUL

/* One pass over a template. */
struct pass {
	unsigned char *block; /* NULL while measuring */
	size_t size;          /* bytes of block */
	size_t used;          /* bytes handed out or measured */
	size_t bytes;         /* bytes of values */
	CK_ULONG attrs;       /* attributes seen, nested ones included */
};

static size_t align_up(size_t n)
{
	return (n + sizeof(CK_ULONG) - 1) / sizeof(CK_ULONG) * sizeof(CK_ULONG);
}

/* Hands out `n` bytes of the block. False when the second pass wants more than the first measured.
 * Cannot overflow: the sum of all `n` is bounded by ATTR_MAX_COUNT and ATTR_MAX_VALUE. */
static bool pass_take(struct pass *p, size_t n, unsigned char **at)
{
	n = align_up(n);
	*at = p->block ? p->block + p->used : NULL;
	if (p->block && n > p->size - p->used)
		return false;
	p->used += n;
	return true;
}

bool attr_is_template(CK_ATTRIBUTE_TYPE type)
{
	return type == CKA_WRAP_TEMPLATE || type == CKA_UNWRAP_TEMPLATE ||
	       type == CKA_DERIVE_TEMPLATE ||
	       type == (ENCAPSULATE_TEMPLATE_OLD | CKF_ARRAY_ATTRIBUTE) ||
	       type == (DECAPSULATE_TEMPLATE_OLD | CKF_ARRAY_ATTRIBUTE) ||
	       type == ENCAPSULATE_TEMPLATE_OLD || type == DECAPSULATE_TEMPLATE_OLD;
}

bool attr_is_key_value(CK_ATTRIBUTE_TYPE type)
{
	switch (type) {
	case CKA_VALUE:
	case CKA_PRIVATE_EXPONENT:
	case CKA_PRIME_1:
	case CKA_PRIME_2:
	case CKA_EXPONENT_1:
	case CKA_EXPONENT_2:
	case CKA_COEFFICIENT:
	case CKA_SEED:
		return true;
	default:
		return false;
	}
}

const CK_ATTRIBUTE *attr_find(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
	while (count--) {
		if (tmpl[count].type == type)
			return &tmpl[count];
	}
	return NULL;
}

bool attr_bool(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type, bool absent)
{
	const CK_ATTRIBUTE *a = attr_find(tmpl, count, type);
	CK_BBOOL value;

	if (!a || !a->pValue || a->ulValueLen != sizeof(value))
		return absent;
	memcpy(&value, a->pValue, sizeof(value));
	return value != CK_FALSE;
}

CK_ULONG attr_ulong(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
		    CK_ULONG absent)
{
	const CK_ATTRIBUTE *a = attr_find(tmpl, count, type);
	CK_ULONG value;

	if (!a || !a->pValue || a->ulValueLen != sizeof(value))
		return absent;
	memcpy(&value, a->pValue, sizeof(value));
	return value;
}

static CK_RV pass_template(struct pass *p, const void *tmpl, CK_ULONG count, unsigned depth,
			   unsigned char **copy);

/* Copies what one attribute points to and lets it point to the copy. */
static CK_RV pass_value(struct pass *p, CK_ATTRIBUTE *a, unsigned depth)
{
	unsigned char *value = NULL;
	CK_RV rv = CKR_OK;

	if (!a->pValue && a->ulValueLen)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (a->ulValueLen > ATTR_MAX_VALUE - p->bytes)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (!a->pValue)
		return CKR_OK;
	p->bytes += a->ulValueLen;
	if (attr_is_template(a->type)) {
		if (a->ulValueLen % sizeof(CK_ATTRIBUTE))
			return CKR_ATTRIBUTE_VALUE_INVALID;
		rv = pass_template(p, a->pValue, a->ulValueLen / sizeof(CK_ATTRIBUTE), depth + 1,
				   &value);
	} else if (!pass_take(p, a->ulValueLen, &value)) {
		rv = CKR_ARGUMENTS_BAD;
	} else if (value) {
		memcpy(value, a->pValue, a->ulValueLen);
	}
	a->pValue = value;
	return rv;
}

static CK_RV pass_template(struct pass *p, const void *tmpl, CK_ULONG count, unsigned depth,
			   unsigned char **copy)
{
	const unsigned char *from = tmpl;

	if (!tmpl && count)
		return CKR_ARGUMENTS_BAD;
	if (depth > ATTR_MAX_DEPTH || count > ATTR_MAX_COUNT - p->attrs)
		return CKR_ARGUMENTS_BAD;
	p->attrs += count;
	if (!pass_take(p, count * sizeof(CK_ATTRIBUTE), copy))
		return CKR_ARGUMENTS_BAD;
	for (CK_ULONG i = 0; i < count; i++) {
		CK_ATTRIBUTE a;
		CK_RV rv;

		memcpy(&a, from + i * sizeof(a), sizeof(a));
		rv = pass_value(p, &a, depth);
		if (rv != CKR_OK)
			return rv;
		if (*copy)
			memcpy(*copy + i * sizeof(a), &a, sizeof(a));
	}
	return CKR_OK;
}

CK_RV attr_size(const CK_ATTRIBUTE *tmpl, CK_ULONG count, size_t *size)
{
	struct pass p = {0};
	unsigned char *copy;
	CK_RV rv = pass_template(&p, tmpl, count, 0, &copy);

	if (rv == CKR_OK)
		*size = p.used;
	return rv;
}

CK_RV attr_check(const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	size_t size;

	return attr_size(tmpl, count, &size);
}

CK_RV attr_copy_to(const CK_ATTRIBUTE *tmpl, CK_ULONG count, void *block, size_t size)
{
	struct pass p = {.block = block, .size = size};
	unsigned char *copy;

	return pass_template(&p, tmpl, count, 0, &copy);
}

CK_RV attr_list_copy(const CK_ATTRIBUTE *tmpl, CK_ULONG count, struct attr_list *out)
{
	size_t size;
	void *block;
	CK_RV rv = attr_size(tmpl, count, &size);

	if (rv != CKR_OK)
		return rv;
	if (!count && !tmpl) {
		*out = (struct attr_list){0};
		return CKR_OK;
	}
	block = malloc(size ? size : 1);
	if (!block)
		return CKR_HOST_MEMORY;
	rv = attr_copy_to(tmpl, count, block, size);
	if (rv != CKR_OK) {
		OPENSSL_cleanse(block, size);
		free(block);
		return rv;
	}
	*out = (struct attr_list){.attrs = block, .count = count, .size = size};
	return CKR_OK;
}

void attr_list_free(struct attr_list *list)
{
	if (!list)
		return;
	if (list->attrs)
		OPENSSL_cleanse(list->attrs, list->size);
	free(list->attrs);
	*list = (struct attr_list){0};
}

/* The attributes of the standard whose value is a CK_BBOOL. */
static bool is_boolean(CK_ATTRIBUTE_TYPE type)
{
	switch (type) {
	case CKA_TOKEN:
	case CKA_PRIVATE:
	case CKA_TRUSTED:
	case CKA_SENSITIVE:
	case CKA_ENCRYPT:
	case CKA_DECRYPT:
	case CKA_WRAP:
	case CKA_UNWRAP:
	case CKA_SIGN:
	case CKA_SIGN_RECOVER:
	case CKA_VERIFY:
	case CKA_VERIFY_RECOVER:
	case CKA_DERIVE:
	case CKA_EXTRACTABLE:
	case CKA_LOCAL:
	case CKA_NEVER_EXTRACTABLE:
	case CKA_ALWAYS_SENSITIVE:
	case CKA_MODIFIABLE:
	case CKA_COPYABLE:
	case CKA_DESTROYABLE:
	case CKA_ALWAYS_AUTHENTICATE:
	case CKA_WRAP_WITH_TRUSTED:
		return true;
	default:
		return false;
	}
}

/* One attribute by itself. An empty value is the member's to refuse. */
static CK_RV normalise_one(CK_ATTRIBUTE *a)
{
	CK_ULONG inner = a->ulValueLen / sizeof(CK_ATTRIBUTE);
	CK_RV rv;

	if (attr_is_template(a->type) && a->pValue) {
		rv = attr_normalise(a->pValue, &inner);
		a->ulValueLen = inner * sizeof(CK_ATTRIBUTE);
		return rv;
	}
	if (!is_boolean(a->type) || !a->pValue)
		return CKR_OK;
	if (a->ulValueLen != sizeof(CK_BBOOL))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (*(CK_BBOOL *)a->pValue != CK_FALSE)
		*(CK_BBOOL *)a->pValue = CK_TRUE;
	return CKR_OK;
}

static bool is_same_value(const CK_ATTRIBUTE *a, const CK_ATTRIBUTE *b)
{
	return a->ulValueLen == b->ulValueLen && !attr_is_template(a->type) &&
	       (a->ulValueLen == 0 ||
		(a->pValue && b->pValue && memcmp(a->pValue, b->pValue, a->ulValueLen) == 0));
}

CK_RV attr_normalise(CK_ATTRIBUTE *tmpl, CK_ULONG *count)
{
	CK_ULONG kept = 0;

	for (CK_ULONG i = 0; i < *count; i++) {
		CK_ATTRIBUTE *before = NULL;
		CK_RV rv = normalise_one(&tmpl[i]);

		if (rv != CKR_OK)
			return rv;
		for (CK_ULONG k = 0; k < kept && !before; k++)
			if (tmpl[k].type == tmpl[i].type)
				before = &tmpl[k];
		if (!before)
			tmpl[kept++] = tmpl[i];
		else if (!is_same_value(before, &tmpl[i]))
			return CKR_TEMPLATE_INCONSISTENT;
	}
	*count = kept;
	return CKR_OK;
}
