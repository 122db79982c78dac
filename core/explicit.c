/* SPDX-License-Identifier: BSD-2-Clause */
/* The table says which attributes decide what an object may do (PKCS#11 2.40, 4.4 to 4.10), and
 * when they are stated: those that every token knows always; those that came late, or that some
 * tokens refuse in templates, only when they are not what the standard assumes. */
#include "core/explicit.h"

#include "core/base/attr.h"
#include "core/identity_attr.h"

#define SECRET  (1U << CKO_SECRET_KEY)
#define PRIVATE (1U << CKO_PRIVATE_KEY)
#define PUBLIC  (1U << CKO_PUBLIC_KEY)
#define ANY     (~0U)

static const struct explicit_row rows[] = {
	{CKA_PRIVATE, ANY, EXPLICIT_ALWAYS},
	{CKA_SENSITIVE, SECRET | PRIVATE, EXPLICIT_ALWAYS},
	{CKA_EXTRACTABLE, SECRET | PRIVATE, EXPLICIT_ALWAYS},
	{CKA_ENCRYPT, SECRET | PUBLIC, EXPLICIT_ALWAYS},
	{CKA_DECRYPT, SECRET | PRIVATE, EXPLICIT_ALWAYS},
	{CKA_SIGN, SECRET | PRIVATE, EXPLICIT_ALWAYS},
	{CKA_VERIFY, SECRET | PUBLIC, EXPLICIT_ALWAYS},
	{CKA_WRAP, SECRET | PUBLIC, EXPLICIT_ALWAYS},
	{CKA_UNWRAP, SECRET | PRIVATE, EXPLICIT_ALWAYS},
	{CKA_DERIVE, SECRET | PUBLIC | PRIVATE, EXPLICIT_ALWAYS},
	{CKA_SIGN_RECOVER, PRIVATE, EXPLICIT_IF_TRUE},
	{CKA_VERIFY_RECOVER, PUBLIC, EXPLICIT_IF_TRUE},
	{CKA_WRAP_WITH_TRUSTED, SECRET | PRIVATE, EXPLICIT_IF_TRUE},
	{CKA_ALWAYS_AUTHENTICATE, PRIVATE, EXPLICIT_IF_TRUE},
	{CKA_MODIFIABLE, ANY, EXPLICIT_IF_FALSE},
	{CKA_COPYABLE, ANY, EXPLICIT_IF_FALSE},
	{CKA_DESTROYABLE, ANY, EXPLICIT_IF_FALSE},
};

const struct explicit_row *explicit_rows(size_t *count)
{
	*count = sizeof rows / sizeof rows[0];
	return rows;
}

static bool is_stated(const struct explicit_row *row, CK_BBOOL value)
{
	return row->when == EXPLICIT_ALWAYS ||
	       (row->when == EXPLICIT_IF_TRUE) == (value != CK_FALSE);
}

static const struct explicit_row *row_of(CK_ATTRIBUTE_TYPE type)
{
	const struct explicit_row *row = rows;

	while (row->type != type)
		row++;
	return row;
}

CK_RV explicit_read(struct member_session *ms, CK_OBJECT_HANDLE real, CK_OBJECT_CLASS class,
		    const CK_ATTRIBUTE *tmpl, CK_ULONG count, struct explicit *out)
{
	const unsigned bit = class < 32 ? 1U << class : 0;
	CK_ATTRIBUTE_TYPE types[EXPLICIT_MAX];
	struct identity_attrs attrs;
	CK_ULONG n = 0;
	CK_RV rv;

	out->count = 0;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((rows[i].classes == ANY || rows[i].classes & bit) &&
		    !attr_find(tmpl, count, rows[i].type))
			types[n++] = rows[i].type;
	if (n == 0)
		return CKR_OK;
	rv = identity_attrs_read(ms, real, types, n, &attrs);
	if (rv != CKR_OK)
		return rv;
	for (CK_ULONG i = 0; i < n; i++) {
		const CK_ATTRIBUTE *a = identity_attr(&attrs, types[i]);
		CK_BBOOL *value = &out->value[out->count];

		if (!a || a->ulValueLen != sizeof *value)
			continue;
		*value = *(const CK_BBOOL *)a->pValue ? CK_TRUE : CK_FALSE;
		if (is_stated(row_of(types[i]), *value))
			out->a[out->count++] = (CK_ATTRIBUTE){types[i], value, sizeof *value};
	}
	identity_attrs_free(&attrs);
	return CKR_OK;
}
