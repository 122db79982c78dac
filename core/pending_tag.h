/* SPDX-License-Identifier: BSD-2-Clause */
/* The templates of a creation with a tag in the place of labels; private to pending.c. */
#ifndef HSMUX_CORE_PENDING_TAG_H
#define HSMUX_CORE_PENDING_TAG_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/call.h"
#include "core/member.h"

/* Zeroed before pending_tag_begin(). */
struct pending_tag {
	CK_ATTRIBUTE *asked[2]; /* the templates as the caller filled them; borrowed */
	CK_ULONG asked_count[2];
	CK_ATTRIBUTE *tagged[2]; /* with the tag for a label; owned, the values are not */
	CK_ULONG tagged_count[2];
	CK_ATTRIBUTE label[2]; /* what the objects are to be called */
	bool is_withheld[2];   /* an attribute lies behind the tagged ones, not stated */
	struct buf copied;     /* the label of what is copied */
	char tag[MEMBER_TAG_ROOM];
};

/* Whether what the call makes can carry a tag: token objects of a multi-member token that have a
 * label and can be named afterwards, while no member serves that is known to refuse names. */
bool pending_tag_fits(const struct call *call, const bool is_token[2]);

/* Makes the templates; `tag` may change until they are used. False when memory is out, or what is
 * copied cannot be read or forbids to be named. pending_tag_end() in any case. */
bool pending_tag_begin(struct pending_tag *t, struct call *call, const bool is_token[2]);

/* Whether the tagged templates state an attribute that they have: for members that must not be
 * told.
 */
void pending_tag_state(struct pending_tag *t, CK_ATTRIBUTE_TYPE type, bool is_stated);

/* Puts the one or the other templates into the call. */
void pending_tag_use(const struct pending_tag *t, struct call *call, bool is_tagged);

/* The call has its own templates again; frees the others. */
void pending_tag_end(struct pending_tag *t, struct call *call);

#endif
