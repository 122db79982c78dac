/* SPDX-License-Identifier: BSD-2-Clause */
/* What an object may do, stated in full.
 *
 * Makers differ in what they assume of attributes that a template leaves out: a secret key that is
 * SENSITIVE by default on one token is readable by default on another. Whoever makes an object
 * again on another member states what it is on the first. */
#ifndef HSMUX_CORE_EXPLICIT_H
#define HSMUX_CORE_EXPLICIT_H

#include <stddef.h>

#include "core/base/pkcs11.h"
#include "core/pool.h"

/* No class has more such attributes. */
#define EXPLICIT_MAX 14

/* When such an attribute is stated. */
enum explicit_when { EXPLICIT_ALWAYS, EXPLICIT_IF_TRUE, EXPLICIT_IF_FALSE };

/* One of them. */
struct explicit_row {
	CK_ATTRIBUTE_TYPE type;
	unsigned classes; /* bit 1 << CKO_... for each class that has it */
	enum explicit_when when;
};

/* All of them; static. */
const struct explicit_row *explicit_rows(size_t *count);

/* Attributes with their values. */
struct explicit
{
	CK_ATTRIBUTE a[EXPLICIT_MAX];
	CK_BBOOL value[EXPLICIT_MAX];
	CK_ULONG count;
};

/* Reads from an object of this class what `tmpl`, of which it was made, does not say of its use and
 * protection. What the member does not know, or does not show, is left out. CKR_HOST_MEMORY or the
 * member's code when it does not answer; `out` then says nothing. The CK_ATTRIBUTEs point into
 * `out`, which must not be copied. */
CK_RV explicit_read(struct member_session *ms, CK_OBJECT_HANDLE real, CK_OBJECT_CLASS class,
		    const CK_ATTRIBUTE *tmpl, CK_ULONG count, struct explicit *out);

#endif
