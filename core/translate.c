/* SPDX-License-Identifier: BSD-2-Clause */
/* Real handles in the place of virtual ones. Usually a look into the table of objects; on a member
 * where an object was not used yet it is looked for first, and proves itself (object_locate.c). */
#include "core/translate.h"

#include "core/group.h"
#include "core/object.h"

static CK_RV real_of(struct call *c, struct member_session *ms, CK_OBJECT_HANDLE virtual,
		     CK_OBJECT_HANDLE *real)
{
	if (object_real(c->group, virtual, ms->member, ms->epoch, real))
		return CKR_OK;
	if (!c->group->is_multi)
		return CKR_OBJECT_HANDLE_INVALID;
	return object_locate(c->group, c->session, ms, virtual, real);
}

CK_RV translate(struct call *c, struct member_session *ms, CK_OBJECT_HANDLE object[2],
		bool *is_lack)
{
	CK_RV rv = CKR_OK, bad = CKR_KEY_HANDLE_INVALID;

	*is_lack = false;
	for (unsigned i = 0; rv == CKR_OK && i < 2; i++) {
		if (!c->object[i].bad)
			continue;
		bad = c->object[i].bad;
		rv = real_of(c, ms, c->object[i].handle, &object[i]);
		if (c->place == CALL_KEEP && c->group->is_multi)
			object_note_use(c->object[i].handle);
	}
	for (unsigned i = 0; rv == CKR_OK && c->mech && i < c->mech->handle_count; i++) {
		bad = CKR_KEY_HANDLE_INVALID;
		rv = real_of(c, ms, c->mech->handle[i].virtual, c->mech->handle[i].where);
	}
	if (rv != CKR_OBJECT_HANDLE_INVALID)
		return rv;
	*is_lack = true;
	return bad;
}
