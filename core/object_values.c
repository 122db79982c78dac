/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading attributes for the application. The member gets an array of its own, so that it changes
 * nothing but values and lengths, and what it says of lengths is checked. Members that write beyond
 * short buffers, or keep templates as bytes, are not given the chance (vendor.h). */
#include "core/object_values.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/library.h"
#include "core/member.h"
#include "core/object.h"
#include "core/overlay.h"
#include "core/replicate.h"
#include "core/vendor.h"

/* Reads this many attributes without an allocation. */
#define FEW 16

/* Lengths as the member gave them, but for what cannot be: CKR_OK with a length of -1, or with one
 * that is more than there was room for, makes applications read behind their buffers. */
static CK_RV take_lengths(CK_ATTRIBUTE *out, const CK_ATTRIBUTE *read, CK_ULONG count, CK_RV rv)
{
	for (CK_ULONG i = 0; i < count; i++) {
		CK_ULONG room = out[i].ulValueLen;

		out[i].ulValueLen = read[i].ulValueLen;
		if (read[i].ulValueLen == CK_UNAVAILABLE_INFORMATION) {
			rv = rv == CKR_OK ? CKR_ATTRIBUTE_TYPE_INVALID : rv;
		} else if (out[i].pValue && read[i].ulValueLen > room) {
			out[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
			rv = rv == CKR_OK ? CKR_BUFFER_TOO_SMALL : rv;
		}
	}
	return rv;
}

static bool is_partial(CK_RV rv)
{
	return rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	       rv == CKR_BUFFER_TOO_SMALL;
}

/* Templates within the attributes, from a member that kept them as bytes: nothing is read of them.
 */
static CK_RV refuse_nested(CK_ATTRIBUTE *out, CK_ULONG count, CK_RV rv)
{
	for (CK_ULONG i = 0; i < count; i++) {
		if (!attr_is_template(out[i].type))
			continue;
		out[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
		rv = rv == CKR_OK ? CKR_ATTRIBUTE_TYPE_INVALID : rv;
	}
	return rv;
}

/* Takes out of `read` the buffers that are too short, so that a member which does not look at their
 * length is not given them, and the templates within. */
static CK_RV hide_short(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *read,
			CK_ULONG count)
{
	for (CK_ULONG i = 0; i < count; i++) {
		CK_ATTRIBUTE length = {.type = read[i].type};
		CK_RV rv;

		if (attr_is_template(read[i].type))
			read[i].pValue = NULL;
		if (!read[i].pValue)
			continue;
		rv = object_read_in(s, object, &length, 1,
				    &(const CK_ATTRIBUTE){.type = length.type});
		if (!is_partial(rv))
			return rv;
		if (rv != CKR_OK || length.ulValueLen > read[i].ulValueLen)
			read[i].pValue = NULL;
	}
	return CKR_OK;
}

/* True when some member must not be trusted with the application's buffers. */
static bool is_careful(const struct group *g, bool *is_flat)
{
	bool careful = false;

	*is_flat = false;
	for (size_t i = 0; i < g->member_count; i++) {
		const struct vendor *vendor = atomic_load(&g->members[i].lib->vendor);

		*is_flat = *is_flat || vendor->flat_templates;
		careful = careful || vendor->attributes_overflow || vendor->flat_templates;
	}
	return careful;
}

static CK_RV read_values(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *out,
			 CK_ULONG count)
{
	CK_ATTRIBUTE few[2 * FEW], *read = few, *asked;
	CK_RV rv = CKR_OK;
	bool is_flat;

	if (count > FEW)
		read = calloc(2 * count, sizeof *read);
	if (!read)
		return CKR_HOST_MEMORY;
	asked = read + count;
	if (count > 0)
		memcpy(read, out, count * sizeof *read);
	if (is_careful(s->group, &is_flat))
		rv = hide_short(s, object, read, count);
	if (count > 0)
		memcpy(asked, read, count * sizeof *read);
	if (rv == CKR_OK)
		rv = object_read_in(s, object, read, count, asked);
	if (is_partial(rv))
		rv = take_lengths(out, read, count, rv);
	if (is_partial(rv) && is_flat)
		rv = refuse_nested(out, count, rv);
	if (read != few)
		free(read);
	return rv;
}

CK_RV object_values(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *out, CK_ULONG count)
{
	CK_RV rv = read_values(s, object, out, count);

	if (!is_partial(rv) || !replicate_is_on(s->group))
		return rv;
	return overlay_show(s, object, out, count, rv);
}
