/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects that a creation of unknown outcome may have left on a member.
 *
 * Each carries a tag of hsmux as its label until it is known to be wanted (pending.h). Tags of
 * members that could not be asked are remembered; what carries one is destroyed when the member
 * comes back. */
#ifndef HSMUX_CORE_ORPHAN_H
#define HSMUX_CORE_ORPHAN_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/group.h"
#include "core/member.h"
#include "core/pool.h"

/* Labels of hsmux's own objects begin with the first, tags with the second. */
#define ORPHAN_OWN_PREFIX "hsmux-"
#define ORPHAN_TAG_PREFIX "hsmux-pending-"

/* Bytes of a tag: the prefix and 18 hexadecimal digits, 72 bits that nobody guesses or meets twice.
 * Tokens that keep only 32 bytes of a label would not find a longer one again. */
#define ORPHAN_TAG_LEN (sizeof ORPHAN_TAG_PREFIX - 1 + 18)

/* Makes a tag that nobody had before. False when there is no randomness. */
bool orphan_tag(char tag[static MEMBER_TAG_ROOM]);

/* Appends the real handles (CK_OBJECT_HANDLE each) of what carries the tag; `class`: only of this
 * class, CK_UNAVAILABLE_INFORMATION: of any. CKR_HOST_MEMORY, or the member's code. */
CK_RV orphan_find(struct member_session *ms, const char *tag, CK_OBJECT_CLASS class,
		  struct buf *found);

/* Destroys whatever carries the tag and looks again. CKR_OK when nothing is left; *count says how
 * many there were. Else the member's code, or CKR_ACTION_PROHIBITED when something stays. */
CK_RV orphan_destroy(struct member_session *ms, const char *tag, size_t *count);

/* Whether the session sees private objects, when somebody is logged in to the virtual token. Asked
 * after a search it says whether that saw them, too: who is logged in again is of another life. */
bool orphan_is_seen(struct member_session *ms);

/* Remembers a tag that could not be looked for. False when there is no room. */
bool orphan_remember(struct member *member, const char *tag);

/* Destroys what carries a remembered tag on the member, which is up. What cannot be done now stays
 * remembered. Next to nothing when no tag is. */
void orphan_clean(struct member *member);

/* The same on all members of the group that serve. */
void orphan_clean_all(struct group *group);

#endif
