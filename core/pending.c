/* SPDX-License-Identifier: BSD-2-Clause */
/* Token objects come to be, once: made under a tag, named when they are there (pending.h).
 *
 *   run it with the tag for a label --> made --> give them their labels --> done
 *          |                                            |
 *    failed, perhaps done                          no answer            refused
 *          |                                            |                  |
 *          +-----> look for the tag on the member <-----+                  |
 *                     |          |          |                              |
 *                all there    nothing,   cannot be looked for              |
 *                     |      or a part      |                              |
 *               name them    destroy it   remember the tag (orphan.h)   destroy them
 *                             run again   run again                     run without a tag
 *
 * Without a tag a call that may have been done is not repeated (route.c). Not tagged: what cannot
 * be named afterwards (CKA_MODIFIABLE false), what has no label, further keys of one derivation,
 * and anything while a member serves that is known to refuse names.
 *
 * The session's lock is held; no other. Values of templates stay where the caller has them. */
#include "core/pending.h"

#include <string.h>

#include "core/base/attr.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/health.h"
#include "core/login.h"
#include "core/member_op.h"
#include "core/object.h"
#include "core/orphan.h"
#include "core/outcome.h"
#include "core/pending_tag.h"
#include "core/replicate_make.h"
#include "core/route.h"
#include "core/session.h"

/* What became of a call. */
enum fate {
	FATE_MADE,    /* it is there, and named */
	FATE_NOT,     /* nothing is there */
	FATE_REFUSED, /* it is there, and the member does not name it */
	FATE_UNKNOWN, /* the member cannot be asked */
	FATE_FAILED   /* the call's answer is the application's */
};

/* A creation on its way. */
struct pending {
	struct call *call;
	const bool *is_token;
	struct pending_tag with;
	struct sharing *sharing; /* the virtual token replicates; NULL: it does not */
	bool is_tagged;
	bool may_be_named; /* it was made, and the answer to its naming was lost */
	bool was_oracle;   /* a member judged a ciphertext: it is not shown to others */
	unsigned tries;
	long long deadline_ms; /* clock_ms; 0: nothing failed yet */
	CK_RV rv;              /* what the application gets when it ends here */
};

static enum outcome outcome_on(const struct pending *p, CK_RV rv)
{
	return route_outcome(atomic_load(&p->call->member->lib->vendor), p->call, rv);
}

/* Gives one new object its label. */
static CK_RV name_one(const struct pending *p, struct member_session *ms, unsigned i)
{
	CK_ATTRIBUTE label = p->with.label[i];
	struct call call = {
		.id = CALL_C_SetAttributeValue,
		.group = p->call->group,
		.tmpl = {&label},
		.tmpl_count = {1},
	};

	return member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){p->call->made[i], 0});
}

/* What a failure to name says. `is_half`: the other key of the pair has its label. */
static enum fate not_named(struct pending *p, struct member_session *ms, CK_RV rv, bool is_half)
{
	enum outcome outcome = outcome_on(p, rv);

	if (outcome == OUTCOME_DONE || outcome == OUTCOME_LACKS) {
		/* A label that it does not take is no reason to make the next without a tag. */
		if (rv != CKR_ATTRIBUTE_VALUE_INVALID)
			atomic_store(&ms->member->keeps_labels, 1);
		return FATE_REFUSED;
	}
	p->may_be_named = is_half || outcome == OUTCOME_SUSPECT || outcome == OUTCOME_DEAD;
	if (outcome == OUTCOME_DEAD)
		member_lost(ms->member, ms->epoch, call_name(CALL_C_SetAttributeValue), rv);
	return FATE_UNKNOWN;
}

/* Gives the new objects, call->made[], their labels. */
static enum fate name_on(struct pending *p, struct member_session *ms)
{
	bool is_half = false;

	for (unsigned i = 0; i < 2; i++) {
		CK_RV rv = p->is_token[i] ? name_one(p, ms, i) : CKR_OK;

		if (rv != CKR_OK)
			return not_named(p, ms, rv, is_half);
		is_half = p->is_token[i];
	}
	p->may_be_named = false;
	return FATE_MADE;
}

/* They are there: names them, or where the virtual token replicates, copies and names them. */
static enum fate conclude(struct pending *p, struct member_session *ms)
{
	if (!p->sharing)
		return name_on(p, ms);
	p->rv = sharing_share(p->sharing, ms, p->with.tag, p->with.label);
	if (p->rv == CKR_OK)
		return FATE_MADE;
	return p->sharing->is_over ? FATE_FAILED : FATE_NOT;
}

static void destroy_made(const struct call *c, struct member_session *ms)
{
	for (unsigned i = 0; i < 2; i++)
		if (c->made[i])
			member_destroy(ms, c->made[i]);
}

/* The call succeeded. */
static enum fate name_made(struct pending *p)
{
	struct call *c = p->call;
	struct member_session *ms;
	enum fate fate = FATE_UNKNOWN;

	if (pool_take(c->member, 0, c->group->config->retry.budget_ms, &ms) != CKR_OK)
		return FATE_UNKNOWN;
	if (ms->epoch == c->made_epoch)
		fate = conclude(p, ms);
	if (fate == FATE_REFUSED)
		destroy_made(c, ms);
	if (fate == FATE_UNKNOWN || (p->sharing && fate != FATE_MADE))
		pool_drop(ms);
	else
		pool_give(ms, 0);
	return fate;
}

/* Finds the one object that tmpl[i] asked for. CKR_OK with 0 when there is not exactly one. */
static CK_RV find_one(const struct pending *p, struct member_session *ms, unsigned i,
		      CK_OBJECT_HANDLE *real)
{
	const CK_OBJECT_CLASS pair[2] = {CKO_PUBLIC_KEY, CKO_PRIVATE_KEY};
	bool is_pair = p->call->id == CALL_C_GenerateKeyPair;
	struct buf found = {0};
	CK_RV rv = orphan_find(ms, p->with.tag, is_pair ? pair[i] : CK_UNAVAILABLE_INFORMATION,
			       &found);

	*real = 0;
	if (rv == CKR_OK && found.len == sizeof *real)
		memcpy(real, found.data, sizeof *real);
	buf_free(&found);
	return rv;
}

/* Whether all that was asked for is there under the tag. An answer that came through the
 * mechanism's parameter is lost; so is the handle of a session object. */
static CK_RV find_all(struct pending *p, struct member_session *ms, bool *is_there)
{
	struct call *c = p->call;
	unsigned count = c->id == CALL_C_GenerateKeyPair ? 2 : 1;
	CK_RV rv = CKR_OK;

	*is_there = !c->mech || c->mech->m.ulParameterLen == 0;
	for (unsigned i = 0; rv == CKR_OK && *is_there && i < count; i++) {
		c->made[i] = 0;
		if (p->is_token[i])
			rv = find_one(p, ms, i, &c->made[i]);
		*is_there = c->made[i] != 0;
	}
	c->made_epoch = ms->epoch;
	return rv;
}

/* Destroys what is there under the tag. */
static enum fate withdraw(struct pending *p, struct member_session *ms, CK_RV *rv)
{
	bool is_seen = orphan_is_seen(ms);
	size_t count = 0;

	*rv = orphan_destroy(ms, p->with.tag, &count);
	if (count > 0)
		p->was_oracle = false; /* that was no verdict */
	if (*rv != CKR_OK || !is_seen || (count == 0 && !health_ask(ms->member)))
		return FATE_UNKNOWN;
	return FATE_NOT;
}

/* The member did not say whether they have their labels. In the epoch in which they were made they
 * can still be told by their handles; in another one an object that has its label already cannot be
 * told from others. */
static enum fate name_again(struct pending *p, struct member_session *ms, CK_RV *rv)
{
	bool is_there = ms->epoch == p->call->made_epoch;
	enum fate fate = FATE_FAILED;

	if (!is_there)
		*rv = find_all(p, ms, &is_there);
	if (*rv == CKR_OK && is_there)
		fate = name_on(p, ms);
	if (fate == FATE_MADE || !is_there)
		return fate;
	destroy_made(p->call, ms);
	return fate == FATE_REFUSED ? FATE_NOT : FATE_UNKNOWN;
}

static enum fate look_on(struct pending *p, struct member_session *ms, CK_RV *rv)
{
	bool is_there = false;
	enum fate fate = FATE_NOT;

	*rv = CKR_OK;
	if (p->may_be_named)
		return name_again(p, ms, rv);
	*rv = find_all(p, ms, &is_there);
	if (*rv != CKR_OK)
		return FATE_UNKNOWN;
	if (is_there) {
		p->was_oracle = false; /* that was no verdict */
		fate = conclude(p, ms);
		if (p->sharing)
			return fate; /* what it is not is undone */
	}
	if (fate == FATE_REFUSED)
		destroy_made(p->call, ms);
	if (fate == FATE_NOT || fate == FATE_REFUSED)
		fate = withdraw(p, ms, rv);
	return fate;
}

/* The call may have been done: asks the member. */
static enum fate look(struct pending *p)
{
	struct call *c = p->call;
	struct member *m = c->member;
	struct member_session *ms;
	enum fate fate;
	CK_RV rv;

	if (atomic_load(&m->state) != MEMBER_UP)
		return FATE_UNKNOWN;
	if (atomic_load(&c->group->user) != atomic_load(&m->user))
		login_sync(c->group, m);
	if (pool_take(m, 0, 0, &ms) != CKR_OK)
		return FATE_UNKNOWN;
	fate = look_on(p, ms, &rv);
	if (rv == CKR_OK && fate != FATE_UNKNOWN)
		pool_give(ms, 0);
	else
		pool_drop(ms);
	return fate;
}

/* Nothing is known: the tag is looked for when the member is back. What may have its label already
 * would not be found, so it is not made again. */
static enum fate remember(struct pending *p)
{
	const struct member *m = p->call->member;
	bool is_kept = p->sharing || orphan_remember(p->call->member, p->with.tag);

	if (p->sharing) /* in the journal */
		sharing_withdraw(p->sharing, p->with.tag, 1U << m->index);
	if (is_kept && !p->may_be_named) {
		log_msg(LOG_LEVEL_INFO,
			"member %s of token %s: failed during %s; what it may have made is "
			"destroyed when it is back",
			m->conf->name, m->group_label, call_name(p->call->id));
		return FATE_NOT;
	}
	log_msg(LOG_LEVEL_ERROR,
		"member %s of token %s: failed during %s; an object may be left there, %s: not "
		"tried again",
		m->conf->name, m->group_label, call_name(p->call->id),
		p->may_be_named ? "with the label that the application gave it"
				: "and too many are looked for already");
	return FATE_FAILED;
}

/* Codes that may be about the tag. */
static bool may_be_tag(CK_RV rv)
{
	return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
	       rv == CKR_ATTRIBUTE_READ_ONLY || rv == CKR_TEMPLATE_INCONSISTENT;
}

/* Runs the call once, tagged or not. */
static enum fate run_once(struct pending *p)
{
	struct call *c = p->call;
	enum outcome outcome;

	c->sends = 0;
	c->made[0] = c->made[1] = 0;
	c->member_rv = CKR_OK;
	p->may_be_named = false;
	pending_tag_use(&p->with, c, p->is_tagged);
	p->rv = call_run(c);
	if (!p->is_tagged)
		return p->rv == CKR_OK ? FATE_MADE : FATE_FAILED;
	if (p->rv == CKR_OK) {
		p->rv = CKR_DEVICE_ERROR; /* unless it can be named */
		return name_made(p);
	}
	if (may_be_tag(p->rv))
		return FATE_REFUSED;
	if (c->sends == 0)
		return FATE_FAILED;
	outcome = outcome_on(p, c->member_rv);
	p->was_oracle = outcome == OUTCOME_SUSPECT && outcome_is_oracle(c);
	return outcome == OUTCOME_SUSPECT || outcome == OUTCOME_DEAD ? FATE_UNKNOWN : FATE_FAILED;
}

/* Whether it is worth another try. */
static bool is_left(struct pending *p)
{
	const struct group *g = p->call->group;

	if (p->deadline_ms == 0)
		p->deadline_ms = clock_ms() + g->config->retry.budget_ms;
	if (p->was_oracle || p->tries >= g->config->retry.attempts || clock_ms() >= p->deadline_ms)
		return false;
	log_msg(LOG_LEVEL_INFO, "token %s: %s made nothing on member %s: tried again",
		g->conf->label, call_name(p->call->id), p->call->member->conf->name);
	return true;
}

/* Before each try in a virtual token that replicates. */
static bool begin_shared(struct pending *p)
{
	bool is_trusted;
	CK_RV rv = p->is_tagged ? sharing_aim(p->sharing, &is_trusted) : CKR_DEVICE_ERROR;

	if (rv != CKR_OK) {
		p->rv = rv;
		return false;
	}
	pending_tag_state(&p->with, CKA_WRAP_WITH_TRUSTED, is_trusted);
	return sharing_intend(p->sharing, p->with.tag);
}

/* Runs the call, tagged, until its fate is known. */
static enum fate settle(struct pending *p)
{
	enum fate fate;

	do {
		orphan_clean_all(p->call->group);
		if (!orphan_tag(p->with.tag))
			p->is_tagged = false;
		if (p->sharing && !begin_shared(p))
			return FATE_FAILED;
		p->tries++;
		fate = run_once(p);
		if (fate == FATE_REFUSED && p->sharing)
			fate = FATE_FAILED; /* not without a tag */
		if (fate == FATE_REFUSED) {
			p->is_tagged = false;
			return run_once(p);
		}
		if (fate == FATE_UNKNOWN)
			fate = look(p);
		if (p->sharing && (fate == FATE_FAILED || fate == FATE_NOT))
			sharing_withdraw(p->sharing, p->with.tag, 0);
		if (fate == FATE_UNKNOWN)
			fate = remember(p);
	} while (fate == FATE_NOT && is_left(p));
	return fate;
}

/* Keeps what a session object is; false when it was lost with its member before that, or when
 * another try may tell more. */
static bool keep(struct call *c, CK_OBJECT_HANDLE *const app[2], bool is_last)
{
	if (!c->group->is_multi || !c->is_volatile || c->id != CALL_C_CreateObject ||
	    object_keep_template(c, *app[0], is_last))
		return true;
	object_drop(*app[0]);
	session_quit_home(c->session, c->member);
	return false;
}

/* Without a tag. Of a session object that was lost before it had a handle nobody knows: it is made
 * again. */
static CK_RV run_untagged(struct call *c, const bool is_token[2], CK_OBJECT_HANDLE *const app[2])
{
	unsigned tries = 0;
	bool is_lost;
	CK_RV rv;

	do {
		c->sends = 0;
		c->made[0] = c->made[1] = 0;
		rv = call_run(c);
		if (rv != CKR_OK)
			return rv;
		rv = object_publish(c, is_token, false, app);
		is_lost = rv != CKR_OK && c->made_epoch != atomic_load(&c->member->epoch);
		if (rv == CKR_OK &&
		    !keep(c, app, tries > 0 || c->group->config->retry.attempts < 2)) {
			rv = CKR_DEVICE_ERROR;
			is_lost = true;
		}
	} while (is_lost && c->is_volatile && c->group->is_multi &&
		 ++tries < c->group->config->retry.attempts);
	return rv;
}

/* Only what can be found by its tag is copied. */
static CK_RV refuse_untagged(const struct call *c)
{
	log_msg(LOG_LEVEL_ERROR,
		"token %s: %s refused: the object would have no label that can be changed, or a "
		"member refuses to change labels: it cannot be replicated",
		c->group->conf->label, call_name(c->id));
	return CKR_TEMPLATE_INCONSISTENT;
}

/* Made, copied and named; the lock is held. */
static CK_RV settle_shared(struct pending *p, CK_OBJECT_HANDLE *const app[2])
{
	struct call *c = p->call;
	CK_RV rv = CKR_HOST_MEMORY;

	if (!pending_tag_fits(c, p->is_token))
		return refuse_untagged(c);
	if (pending_tag_begin(&p->with, c, p->is_token))
		rv = settle(p) == FATE_MADE ? CKR_OK : p->rv;
	if (rv == CKR_OK) {
		sharing_choose(p->sharing);
		rv = object_publish(c, p->is_token, true, app);
	}
	if (rv == CKR_OK)
		sharing_note(p->sharing, app);
	else
		sharing_tell(p->sharing);
	pending_tag_end(&p->with, c);
	return rv;
}

/* In a virtual token that replicates. */
static CK_RV run_shared(struct call *c, const bool is_token[2], CK_OBJECT_HANDLE *const app[2])
{
	struct sharing sharing = {.lock = NULL};
	struct pending p = {.call = c,
			    .is_token = is_token,
			    .is_tagged = true,
			    .sharing = &sharing,
			    .rv = CKR_DEVICE_ERROR};
	CK_RV rv = sharing_begin(&sharing, c, is_token);

	if (rv == CKR_OK)
		rv = settle_shared(&p, app);
	sharing_end(&sharing);
	return rv;
}

CK_RV pending_run(struct call *c, const bool is_token[2], CK_OBJECT_HANDLE *const app[2])
{
	struct pending p = {.call = c, .is_token = is_token, .is_tagged = true};
	CK_RV rv;

	if (replicate_is_on(c->group) && (is_token[0] || is_token[1]))
		return run_shared(c, is_token, app);
	if (!pending_tag_fits(c, is_token))
		return run_untagged(c, is_token, app);
	if (pending_tag_begin(&p.with, c, is_token)) {
		rv = settle(&p) == FATE_MADE ? CKR_OK : p.rv;
		if (rv == CKR_OK)
			rv = object_publish(c, is_token, false, app);
	} else {
		rv = run_untagged(c, is_token, app);
	}
	pending_tag_end(&p.with, c);
	return rv;
}
