/* SPDX-License-Identifier: BSD-2-Clause */
/* What no application may ask for: in a virtual token with several members the names of hsmux's own
 * objects, which are not shown; in one that replicates templates that say two things, too. No lock,
 * no state. */
#include <string.h>

#include "core/base/attr.h"
#include "core/base/log.h"
#include "core/kek.h"
#include "core/orphan.h"
#include "core/pending.h"
#include "core/replicate.h"

/* Of duplicates a token may take either: all are looked at. */
static bool has_own_label(const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	const size_t len = sizeof ORPHAN_OWN_PREFIX - 1;

	for (CK_ULONG i = 0; i < count; i++)
		if (tmpl[i].type == CKA_LABEL && tmpl[i].pValue && tmpl[i].ulValueLen >= len &&
		    memcmp(tmpl[i].pValue, ORPHAN_OWN_PREFIX, len) == 0)
			return true;
	return false;
}

/* Templates within the template count, too: a token may give what they say to the keys that the
 * object unwraps or derives. */
static bool has_own_name(const struct group *g, const CK_ATTRIBUTE *tmpl, CK_ULONG count,
			 unsigned depth, bool *is_own)
{
	*is_own = has_own_label(tmpl, count);
	if (*is_own || kek_is_asked(g, tmpl, count))
		return true;
	for (CK_ULONG i = 0; i < count && depth < ATTR_MAX_DEPTH; i++)
		if (attr_is_template(tmpl[i].type) && tmpl[i].pValue &&
		    has_own_name(g, tmpl[i].pValue, tmpl[i].ulValueLen / sizeof *tmpl, depth + 1,
				 is_own))
			return true;
	return false;
}

bool pending_refuses(const struct group *g, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	static struct log_limit limit;
	bool is_own;

	if (!g->is_multi || !has_own_name(g, tmpl, count, 0, &is_own))
		return false;
	log_limited(&limit, LOG_LEVEL_WARN,
		    is_own ? "token %s: a label that begins with \"" ORPHAN_OWN_PREFIX
			     "\" is refused: such objects are hsmux's own and are not shown"
			   : "token %s: a secret key with the name of the KEK is refused: it is "
			     "hsmux's own and is not shown",
		    g->conf->label);
	return true;
}

/* What hsmux decides by. */
static bool is_flag(CK_ATTRIBUTE_TYPE type)
{
	switch (type) {
	case CKA_TOKEN:
	case CKA_SENSITIVE:
	case CKA_EXTRACTABLE:
	case CKA_WRAP_WITH_TRUSTED:
	case CKA_MODIFIABLE:
	case CKA_COPYABLE:
	case CKA_DESTROYABLE:
		return true;
	default:
		return false;
	}
}

static bool is_clear(const CK_ATTRIBUTE *a)
{
	CK_BBOOL value;

	if (!a->pValue || a->ulValueLen != sizeof value)
		return false;
	memcpy(&value, a->pValue, sizeof value);
	return value == CK_TRUE || value == CK_FALSE;
}

CK_RV pending_check(const struct group *g, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	if (pending_refuses(g, tmpl, count))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (!replicate_is_on(g))
		return CKR_OK;
	for (CK_ULONG i = 0; i < count; i++) {
		if (is_flag(tmpl[i].type) && !is_clear(&tmpl[i]))
			return CKR_ATTRIBUTE_VALUE_INVALID;
		if (attr_find(tmpl, i, tmpl[i].type))
			return CKR_TEMPLATE_INCONSISTENT;
	}
	return CKR_OK;
}
