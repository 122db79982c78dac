/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of a change that was sent more than once.
 *
 * The first attempt may have been done, and its answer lost. Members refuse to set some attributes
 * to what they are (SoftHSM2: CKA_EXTRACTABLE false, once it is false): such a refusal of the
 * second attempt would pass for one of the change, and the other members would never hear of it. So
 * the object is asked. No lock but the session's is held. */
#include "core/attempted.h"

#include <string.h>

#include "core/identity_attr.h"
#include "core/member.h"
#include "core/object.h"
#include "core/outcome.h"
#include "core/replicate.h"
#include "core/route.h"

/* *is: the attribute is as the template says. CKR_ATTRIBUTE_SENSITIVE when it is not shown. */
static CK_RV compare(struct member_session *ms, CK_OBJECT_HANDLE real, const CK_ATTRIBUTE *asked,
		     bool *is)
{
	struct identity_attrs attrs;
	CK_RV rv = identity_attrs_read(ms, real, &asked->type, 1, &attrs);
	const CK_ATTRIBUTE *a = &attrs.a[0];

	if (rv != CKR_OK)
		return rv;
	if (a->ulValueLen == CK_UNAVAILABLE_INFORMATION)
		rv = CKR_ATTRIBUTE_SENSITIVE;
	*is = rv == CKR_OK && a->ulValueLen == asked->ulValueLen &&
	      (a->ulValueLen == 0 ||
	       (asked->pValue && memcmp(a->pValue, asked->pValue, a->ulValueLen) == 0));
	identity_attrs_free(&attrs);
	return rv;
}

/* The same of the whole template. */
static CK_RV is_as_asked(struct call *c, struct member_session *ms, bool *is)
{
	CK_OBJECT_HANDLE real;
	CK_RV rv = object_on(c->group, c->session, ms, c->object[0].handle, &real);

	*is = rv == CKR_OK;
	for (CK_ULONG i = 0; rv == CKR_OK && *is && i < c->tmpl_count[0]; i++)
		rv = compare(ms, real, &c->tmpl[0][i], is);
	return rv;
}

CK_RV attempted_result(struct call *c, struct member *m, CK_RV rv)
{
	struct member_session *ms;
	bool is = false;
	CK_RV seen;

	if (rv == CKR_OK || rv == c->object[0].bad || c->id != CALL_C_SetAttributeValue ||
	    c->sends <= 1 || route_outcome(atomic_load(&m->lib->vendor), c, rv) != OUTCOME_DONE)
		return rv;
	ms = replicate_session(m);
	seen = ms ? is_as_asked(c, ms, &is) : CKR_DEVICE_ERROR;
	replicate_leave(ms, seen == CKR_OK);
	if (seen != CKR_OK)
		return CKR_DEVICE_ERROR;
	return is ? CKR_OK : rv;
}
