/* SPDX-License-Identifier: BSD-2-Clause */
/* What the policy lets be seen: attributes are sorted out before a member is asked for them,
 * objects after a search. */
#include "core/object_show.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/call.h"
#include "core/key_facts.h"
#include "core/object_values.h"
#include "policy/policy.h"

static bool asks_for_secrets(const CK_ATTRIBUTE *out, CK_ULONG count)
{
	for (CK_ULONG i = 0; i < count; i++)
		if (attr_is_key_value(out[i].type))
			return true;
	return false;
}

/* Whether the policy keeps the secret values of the object back. */
static CK_RV keeps_back(struct session *s, CK_OBJECT_HANDLE object, bool *is_kept)
{
	struct call call = {
		.id = CALL_C_GetAttributeValue,
		.group = s->group,
		.session = s,
		.object = {{object, CKR_OBJECT_HANDLE_INVALID}},
		.wants_value = true,
	};
	struct described d;
	CK_RV rv = key_facts_of(s, object, &d);

	*is_kept = false;
	if (rv != CKR_OK || (d.object.class != CKO_SECRET_KEY && d.object.class != CKO_PRIVATE_KEY))
		return rv;
	*is_kept = call_decide(&call) != CKR_OK;
	return CKR_OK;
}

/* Reads all but the secret values. */
static CK_RV read_rest(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *out,
		       CK_ULONG count)
{
	CK_ATTRIBUTE *rest = calloc(count, sizeof *rest);
	CK_ULONG n = 0;
	CK_RV rv;

	if (!rest)
		return CKR_HOST_MEMORY;
	for (CK_ULONG i = 0; i < count; i++)
		if (!attr_is_key_value(out[i].type))
			rest[n++] = out[i];
	rv = n > 0 ? object_values(s, object, rest, n) : CKR_OK;
	n = 0;
	for (CK_ULONG i = 0; i < count; i++) {
		if (attr_is_key_value(out[i].type))
			out[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
		else
			out[i].ulValueLen = rest[n++].ulValueLen;
	}
	free(rest);
	return rv == CKR_OK ? CKR_ATTRIBUTE_SENSITIVE : rv;
}

CK_RV object_show(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *out, CK_ULONG count)
{
	bool is_kept = false;
	CK_RV rv = CKR_OK;

	if (policy_speaks(s->group->conf->policy, ACT_GET_VALUE) && asks_for_secrets(out, count))
		rv = keeps_back(s, object, &is_kept);
	if (rv != CKR_OK)
		return rv;
	return is_kept ? read_rest(s, object, out, count) : object_values(s, object, out, count);
}

CK_RV object_show_found(struct session *s, struct buf *found)
{
	const struct policy *policy = s->group->conf->policy;
	bool by_object;
	size_t kept = 0;

	if (!policy_speaks(policy, ACT_FIND))
		return CKR_OK;
	by_object = policy_wants_objects(policy, ACT_FIND, NULL);
	for (size_t i = 0; i < found->len / sizeof(CK_OBJECT_HANDLE); i++) {
		CK_OBJECT_HANDLE *handles = (CK_OBJECT_HANDLE *)(void *)found->data;
		struct call call = {
			.id = CALL_C_FindObjectsInit,
			.group = s->group,
			.session = s,
			.object = {{handles[i], by_object ? CKR_OBJECT_HANDLE_INVALID : 0}},
		};

		if (call_decide(&call) == CKR_OK)
			handles[kept++] = handles[i];
	}
	found->len = kept * sizeof(CK_OBJECT_HANDLE);
	return CKR_OK;
}
