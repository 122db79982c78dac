/* SPDX-License-Identifier: BSD-2-Clause */
/* Templates: looking into them, checking their shape, copying them. */
#ifndef HSMUX_CORE_BASE_ATTR_H
#define HSMUX_CORE_BASE_ATTR_H

#include <stdbool.h>

#include "core/base/pkcs11.h"

/* Bounds of what hsmux accepts from an application: attributes in one template, depth of templates
 * within templates (the standard's own go one deep), bytes of one value. */
#define ATTR_MAX_COUNT 4096UL
#define ATTR_MAX_DEPTH 4
#define ATTR_MAX_VALUE (64UL * 1024 * 1024)

/* True for the attributes whose value is an array of CK_ATTRIBUTE: WRAP/UNWRAP/DERIVE_TEMPLATE, and
 * ENCAPSULATE/DECAPSULATE_TEMPLATE in both published numbers. CKA_ALLOWED_MECHANISMS is not one. */
bool attr_is_template(CK_ATTRIBUTE_TYPE type);

/* True for the attributes that are the secret of a private or secret key. CKA_VALUE is content, of
 * other objects. */
bool attr_is_key_value(CK_ATTRIBUTE_TYPE type);

/* The last attribute of `type` in the template, or NULL. Of two duplicates tokens take the last. */
const CK_ATTRIBUTE *attr_find(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type);

/* Reads a CK_BBOOL: true when present with length 1 and a value other than 0; `absent` when it is
 * not in the template or has another length. */
bool attr_bool(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type, bool absent);

/* Reads a CK_ULONG; `absent` when it is not in the template or has another length. */
CK_ULONG attr_ulong(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type,
		    CK_ULONG absent);

/* Checks the shape of an input template without trusting it: CKR_ARGUMENTS_BAD for a NULL array
 * with a count, a count above ATTR_MAX_COUNT, or nesting deeper than ATTR_MAX_DEPTH;
 * CKR_ATTRIBUTE_VALUE_INVALID for a NULL value with a length, a length above ATTR_MAX_VALUE, or a
 * nested template that is no whole number of attributes. Both bounds hold for the sum of all
 * levels. */
CK_RV attr_check(const CK_ATTRIBUTE *tmpl, CK_ULONG count);

/* Checks as attr_check and tells how many bytes a deep copy needs. */
CK_RV attr_size(const CK_ATTRIBUTE *tmpl, CK_ULONG count, size_t *size);

/* Copies deeply to `block`, which is aligned for CK_ULONG and has the `size` bytes that attr_size
 * said; the copied array begins at its start. Errors as for attr_check; also CKR_ARGUMENTS_BAD when
 * the template grew in between. */
CK_RV attr_copy_to(const CK_ATTRIBUTE *tmpl, CK_ULONG count, void *block, size_t size);

/* Makes an own copy of a template say each thing once and plainly, so that whoever looks at it and
 * the member that receives it understand the same: an attribute that stands there twice with the
 * same value is left out once (`count` shrinks), a CK_BBOOL other than 0 becomes CK_TRUE. Nested
 * templates, too. CKR_TEMPLATE_INCONSISTENT when two values of one attribute differ;
 * CKR_ATTRIBUTE_VALUE_INVALID when a boolean has another length than one byte. */
CK_RV attr_normalise(CK_ATTRIBUTE *tmpl, CK_ULONG *count);

/* A deep copy of a template in one block of its own. */
struct attr_list {
	CK_ATTRIBUTE *attrs; /* owned, values included */
	CK_ULONG count;
	size_t size; /* bytes of the block, all wiped by attr_list_free */
};

/* Checks as attr_check and copies, nested templates included. CKR_HOST_MEMORY when memory is out.
 * `out` is untouched on failure. NULL gives attrs == NULL, an empty array one
 * that is empty: members tell them apart. */
CK_RV attr_list_copy(const CK_ATTRIBUTE *tmpl, CK_ULONG count, struct attr_list *out);

/* Wipes (templates hold key values) and frees; leaves an empty list. NULL is allowed. */
void attr_list_free(struct attr_list *list);

#endif
