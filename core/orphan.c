/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects that a creation of unknown outcome may have left on a member: found by the tag that they
 * carry as their label, destroyed, remembered.
 *
 * The remembered tags lie in the member (member.tags), without a lock: whoever moves a slot's state
 * to "in work" has it alone. They end with the process or with C_Finalize; what is left on the
 * member then is not shown to applications.
 *
 * A search that finds nothing proves nothing on a session that does not see private objects, nor on
 * a member that does not answer its probe: the tag is kept then. No object is destroyed for its
 * label's prefix alone: it may be another process's creation on its way. */
#include "core/orphan.h"

#include <stdio.h>
#include <string.h>

#include "core/base/log.h"
#include "core/group.h"
#include "core/health.h"
#include "core/login.h"
#include "core/identity_soft.h"
#include "core/member_op.h"
#include "core/route.h"

/* member_tag.state */
enum { TAG_FREE, TAG_IN_WORK, TAG_SET };

_Static_assert(MEMBER_TAG_ROOM == ORPHAN_TAG_LEN + 1, "a tag and its NUL");

bool orphan_tag(char tag[static MEMBER_TAG_ROOM])
{
	unsigned char chance[9];
	size_t len = sizeof ORPHAN_TAG_PREFIX - 1;

	if (!identity_random(chance, sizeof chance))
		return false;
	memcpy(tag, ORPHAN_TAG_PREFIX, len);
	for (size_t i = 0; i < sizeof chance; i++, len += 2)
		(void)snprintf(tag + len, 3, "%02x", chance[i]); /* two digits, always */
	return true;
}

CK_RV orphan_find(struct member_session *ms, const char *tag, CK_OBJECT_CLASS class,
		  struct buf *found)
{
	char label[MEMBER_TAG_ROOM];
	CK_ATTRIBUTE tmpl[2] = {{CKA_LABEL, label, ORPHAN_TAG_LEN},
				{CKA_CLASS, &class, sizeof class}};
	struct call call = {
		.id = CALL_C_FindObjectsInit,
		.group = ms->member->group,
		.tmpl = {tmpl},
		.tmpl_count = {class == CK_UNAVAILABLE_INFORMATION ? 1 : 2},
		.found = found,
	};

	memcpy(label, tag, sizeof label);
	return member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0});
}

static CK_RV destroy_one(struct member_session *ms, CK_OBJECT_HANDLE real)
{
	struct call call = {.id = CALL_C_DestroyObject, .group = ms->member->group};
	CK_RV rv = member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){real, 0});

	/* One that is gone already was destroyed by somebody else. */
	return rv == CKR_OBJECT_HANDLE_INVALID ? CKR_OK : rv;
}

CK_RV orphan_destroy(struct member_session *ms, const char *tag, size_t *count)
{
	struct buf found = {0};
	const CK_OBJECT_HANDLE *real;
	CK_RV rv = orphan_find(ms, tag, CK_UNAVAILABLE_INFORMATION, &found);

	*count = found.len / sizeof *real;
	real = (const CK_OBJECT_HANDLE *)(const void *)found.data;
	for (size_t i = 0; rv == CKR_OK && i < *count; i++)
		rv = destroy_one(ms, real[i]);
	found.len = 0;
	if (rv == CKR_OK && *count > 0)
		rv = orphan_find(ms, tag, CK_UNAVAILABLE_INFORMATION, &found);
	if (rv == CKR_OK && found.len > 0)
		rv = CKR_ACTION_PROHIBITED;
	buf_free(&found);
	return rv;
}

bool orphan_is_seen(struct member_session *ms)
{
	struct member *m = ms->member;
	CK_STATE state;

	if (atomic_load(&m->group->user) != GROUP_USER)
		return true; /* what was made without a login is seen without one */
	if (ms->epoch != atomic_load(&m->epoch) || pool_state(ms, &state) != CKR_OK)
		return false;
	return pool_is_user(state) ||
	       (atomic_load(&m->user) == GROUP_USER && !atomic_load(&m->shows_login));
}

bool orphan_remember(struct member *m, const char *tag)
{
	for (unsigned i = 0; i < MEMBER_TAGS; i++) {
		struct member_tag *t = &m->tags[i];
		int is_free = TAG_FREE;

		if (!atomic_compare_exchange_strong(&t->state, &is_free, TAG_IN_WORK))
			continue;
		memcpy(t->text, tag, sizeof t->text);
		t->needs_user = atomic_load(&m->group->user) == GROUP_USER;
		atomic_store(&t->state, TAG_SET);
		atomic_fetch_add(&m->tag_count, 1);
		return true;
	}
	return false;
}

static void say(const struct member *m, const char *tag, size_t count, const char *what)
{
	log_msg(LOG_LEVEL_WARN,
		"member %s of token %s: %zu object(s) labelled \"%s\", left by a call whose answer "
		"was lost: %s",
		m->conf->name, m->group_label, count, tag, what);
}

/* Destroys what carries the tag. True when the tag may be forgotten. */
static bool clean_one(struct member_session *ms, const struct member_tag *t, CK_RV *rv)
{
	const struct call call = {.id = CALL_C_DestroyObject, .group = ms->member->group};
	struct member *m = ms->member;
	bool is_user = atomic_load(&m->group->user) == GROUP_USER;
	bool is_seen = orphan_is_seen(ms) && (is_user || !t->needs_user);
	size_t count = 0;
	bool is_final;

	*rv = orphan_destroy(ms, t->text, &count);
	if (*rv == CKR_OK && count > 0)
		say(m, t->text, count, "destroyed");
	if (*rv == CKR_OK)
		return is_seen && (count > 0 || health_ask(m));
	is_final = count > 0 &&
		   route_outcome(atomic_load(&m->lib->vendor), &call, *rv) == OUTCOME_DONE;
	if (is_final)
		say(m, t->text, count, "the member refuses to destroy them; they are not shown");
	return is_final;
}

/* True while the session may be used for the next one. */
static bool clean_slot(struct member_session *ms, struct member_tag *t)
{
	int is_set = TAG_SET;
	CK_RV rv;
	bool is_done;

	if (!atomic_compare_exchange_strong(&t->state, &is_set, TAG_IN_WORK))
		return true;
	is_done = clean_one(ms, t, &rv);
	if (is_done)
		atomic_fetch_sub(&ms->member->tag_count, 1);
	atomic_store(&t->state, is_done ? TAG_FREE : TAG_SET);
	return rv == CKR_OK;
}

void orphan_clean(struct member *m)
{
	struct member_session *ms;
	bool is_good = true;

	if (atomic_load(&m->tag_count) == 0 || pool_take(m, 0, 0, &ms) != CKR_OK)
		return;
	for (unsigned i = 0; is_good && i < MEMBER_TAGS; i++)
		is_good = clean_slot(ms, &m->tags[i]);
	if (is_good)
		pool_give(ms, 0);
	else
		pool_drop(ms);
}

void orphan_clean_all(struct group *g)
{
	for (size_t i = 0; i < g->member_count; i++)
		if (member_may_serve(&g->members[i]))
			orphan_clean(&g->members[i]);
}
