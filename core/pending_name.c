/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that no application may give to an object of a virtual token with several members: those of
 * hsmux's own objects, which are not shown. No lock, no state. */
#include <string.h>

#include "core/base/attr.h"
#include "core/base/log.h"
#include "core/kek.h"
#include "core/orphan.h"
#include "core/pending.h"

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
