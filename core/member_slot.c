/* SPDX-License-Identifier: BSD-2-Clause */
/* Which slot of its library a member is: the one with the token that the configuration names, found
 * by label and serial, never by position. The library's lock is held. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"
#include "core/member.h"

static bool field_is(const unsigned char *field, size_t size, const char *wanted)
{
	char text[64];

	library_field(field, size, text);
	return strcmp(text, wanted) == 0;
}

static bool matches(const struct config_member *conf, CK_SLOT_ID slot, const CK_TOKEN_INFO *info)
{
	if (conf->has_slot && conf->slot != slot)
		return false;
	if (conf->token && !field_is(info->label, sizeof info->label, conf->token))
		return false;
	return !conf->serial ||
	       field_is(info->serialNumber, sizeof info->serialNumber, conf->serial);
}

static bool reason_code(struct member *m, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN];

	(void)snprintf(m->reason, sizeof m->reason, "%s answered %s", what,
		       name_of(NAME_RV, rv, code));
	return false;
}

static bool is_taken(const struct member *m, CK_SLOT_ID slot)
{
	for (const struct member *o = m->lib->members; o; o = o->next)
		if (o != m && atomic_load(&o->state) == MEMBER_UP && o->slot == slot)
			return true;
	return false;
}

static bool choose_slot(struct member *m, const struct library_token *tokens, CK_ULONG count)
{
	const struct library_token *chosen = NULL;
	CK_RV worst = CKR_OK;
	unsigned found = 0;

	for (CK_ULONG i = 0; i < count; i++) {
		if (tokens[i].rv != CKR_OK)
			worst = tokens[i].rv;
		else if (matches(m->conf, tokens[i].slot, &tokens[i].info) && found++ == 0)
			chosen = &tokens[i];
	}
	if (found == 1 && !is_taken(m, chosen->slot)) {
		atomic_store(&m->slot, chosen->slot);
		m->token = chosen->info;
		return true;
	}
	if (found == 1)
		(void)snprintf(m->reason, sizeof m->reason,
			       "its token is a member elsewhere already: "
			       "one real token, one member");
	else if (found > 1)
		(void)snprintf(m->reason, sizeof m->reason,
			       "%u tokens match: add serial or slot to tell them apart", found);
	else if (worst != CKR_OK)
		return reason_code(m, "C_GetTokenInfo", worst);
	else
		(void)snprintf(m->reason, sizeof m->reason, "no such token among %lu slot(s) of %s",
			       count, m->lib->conf->library);
	return false;
}

bool member_find_slot(struct member *m)
{
	struct library_token *tokens = NULL;
	struct library_guard guard;
	CK_ULONG count = 0;
	CK_RV rv = library_tokens(m->lib, &tokens, &count);
	bool ok;

	if (rv != CKR_OK)
		return reason_code(m, "C_GetSlotList", rv);
	ok = choose_slot(m, tokens, count);
	free(tokens);
	library_guard(m->lib, &guard);
	if (ok && m->lib->v2->C_GetSlotInfo(m->slot, &m->slot_info) != CKR_OK)
		memset(&m->slot_info, 0, sizeof m->slot_info);
	library_unguard(&guard);
	return ok;
}
