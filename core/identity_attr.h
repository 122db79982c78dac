/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes of one object of a member, read with care. */
#ifndef HSMUX_CORE_IDENTITY_ATTR_H
#define HSMUX_CORE_IDENTITY_ATTR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"
#include "core/pool.h"

/* No reading asks for more at once. */
#define IDENTITY_ATTRS 16

/* What was read. A length of CK_UNAVAILABLE_INFORMATION: the object does not have it, or does not
 * show it. attr_bool() and attr_ulong() of core/base/attr.h may be used on `a`. */
struct identity_attrs {
	CK_ATTRIBUTE a[IDENTITY_ATTRS]; /* values in `block` */
	CK_ULONG count;
	void *block; /* owned */
	size_t size;
};

/* Reads these (IDENTITY_ATTRS at the most); values above 64 KiB count as not shown. CKR_HOST_MEMORY
 * or the member's code when it does not answer; `out` is then empty. */
CK_RV identity_attrs_read(struct member_session *ms, CK_OBJECT_HANDLE real,
			  const CK_ATTRIBUTE_TYPE *types, CK_ULONG count,
			  struct identity_attrs *out);

/* The attribute when it has a value of at least one byte, or NULL. */
const CK_ATTRIBUTE *identity_attr(const struct identity_attrs *attrs, CK_ATTRIBUTE_TYPE type);

/* Wipes and frees. NULL is allowed. */
void identity_attrs_free(struct identity_attrs *attrs);

#endif
