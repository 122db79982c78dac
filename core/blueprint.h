/* SPDX-License-Identifier: BSD-2-Clause */
/* What a copy of an object has to be: every attribute that it must state, because a wrapped key
 * carries its value only, and makers assume different things of what a template leaves out.
 *
 * Never the value of a private or secret key. */
#ifndef HSMUX_CORE_BLUEPRINT_H
#define HSMUX_CORE_BLUEPRINT_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/pkcs11.h"
#include "core/pool.h"

/* No object has more attributes that are stated. */
#define BLUEPRINT_MAX 48

/* Attributes with their values, each in a block of its own. Zeroed is a valid empty one. */
struct blueprint {
	CK_ATTRIBUTE *a; /* owned, values included; room for BLUEPRINT_MAX, NULL while empty */
	CK_ULONG count;
	bool has_template; /* it imposes a template on what it wraps, unwraps or derives; what that
			    * says is not read, and such a key is not copied */
};

/* Reads what object `real` is: class, key type, name, use and protection; of public keys,
 * certificates and data the content, too. What the member does not have, or does not show, is left
 * out; boolean attributes that decide what a key may do and that a member does not know are left
 * out, too. CKR_HOST_MEMORY, CKR_DATA_LEN_RANGE (content longer than 64 KiB), or the member's code;
 * `out` is then empty. */
CK_RV blueprint_read(struct member_session *ms, CK_OBJECT_HANDLE real, struct blueprint *out);

/* States an attribute, in the place of what was stated before. False when memory, or room, is out.
 */
bool blueprint_set(struct blueprint *b, CK_ATTRIBUTE_TYPE type, const void *value, CK_ULONG len);
bool blueprint_set_bool(struct blueprint *b, CK_ATTRIBUTE_TYPE type, bool value);

/* Takes an attribute out. */
void blueprint_drop(struct blueprint *b, CK_ATTRIBUTE_TYPE type);

/* A copy. False when memory is out; `to` is then empty. */
bool blueprint_copy(const struct blueprint *from, struct blueprint *to);

/* Which attributes of object `real` are not as the blueprint says: their types (CK_ATTRIBUTE_TYPE
 * each) are appended to `different`. An attribute that the member does not know counts as what the
 * standard assumes of it (CKA_COPYABLE true, CKA_WRAP_WITH_TRUSTED false). CKR_HOST_MEMORY or the
 * member's code. */
CK_RV blueprint_compare(const struct blueprint *b, struct member_session *ms, CK_OBJECT_HANDLE real,
			struct buf *different);

/* Wipes and frees; leaves an empty one. NULL is allowed. */
void blueprint_free(struct blueprint *b);

#endif
