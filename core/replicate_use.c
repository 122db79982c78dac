/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of what a secret key may be used for.
 *
 * A secret key is told by what it answers (fingerprint.h), and answers otherwise when it loses a
 * use, or gets one that is asked for first. While some members have the change and others do not,
 * the record names all answers that it could give before: one of them every member still knows,
 * unless one change takes all uses at once. Then it moves to the fingerprint under which the key is
 * found from now on: a record that stayed behind would let a retired key sign again. */
#include "core/replicate_use.h"

#include <string.h>

#include "core/identity_secret.h"
#include "core/object.h"
#include "core/overlay.h"
#include "core/replicate.h"

bool use_changes(const struct call *c, const struct record *r)
{
	return r->class == CKO_SECRET_KEY && identity_secret_is_way(c->tmpl[0], c->tmpl_count[0]);
}

CK_RV use_note(struct call *c, struct record *r, struct member *m)
{
	uint8_t all[FINGERPRINT_WAYS][FINGERPRINT_LEN];
	struct member_session *ms = replicate_session(m);
	struct identity id = {0};
	CK_OBJECT_HANDLE real;
	size_t n = 0;
	CK_RV rv = ms ? CKR_OK : CKR_DEVICE_ERROR;

	if (ms)
		rv = object_on(c->group, c->session, ms, c->object[0].handle, &real);
	if (rv == CKR_OK)
		rv = identity_read(ms, real, &id);
	if (rv == CKR_OK)
		rv = fingerprint_all(ms, real, &id, all, &n);
	for (size_t i = 0; rv == CKR_OK && i < n; i++)
		record_add_also(r, all[i]);
	identity_free(&id);
	replicate_leave(ms, rv == CKR_OK && n > 0);
	return rv;
}

bool use_follow(struct call *c, struct record *r, struct member *m, bool *is_moved)
{
	struct member_session *ms = replicate_session(m);
	uint8_t print[FINGERPRINT_LEN];
	bool has = false;
	CK_RV rv = CKR_DEVICE_ERROR;

	*is_moved = false;
	overlay_forget_print(c->object[0].handle);
	if (ms)
		rv = overlay_print(c->session, ms, c->object[0].handle, print, &has);
	replicate_leave(ms, rv == CKR_OK && has);
	if (rv != CKR_OK || !has)
		return false;
	*is_moved = memcmp(print, r->print, sizeof print) != 0;
	if (*is_moved)
		record_add_also(r, r->print);
	memcpy(r->print, print, sizeof print);
	return true;
}

void use_drop(struct group *g, const struct record *r, const uint8_t print[static FINGERPRINT_LEN])
{
	struct record old = {.state = RECORD_MOVED,
			     .class = r->class,
			     .key_type = r->key_type,
			     .version = r->version};

	memcpy(old.print, print, FINGERPRINT_LEN);
	replicate_settle(g, &old);
}
