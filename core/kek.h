/* SPDX-License-Identifier: BSD-2-Clause */
/* The key-encryption key (KEK) of a virtual token: one AES-256 key, the same on every member, under
 * which keys travel between them. Applications neither see nor address it. */
#ifndef HSMUX_CORE_KEK_H
#define HSMUX_CORE_KEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/pkcs11.h"
#include "core/group.h"
#include "core/identity.h"
#include "core/pool.h"

/* Its label where the configuration names no other. */
#define KEK_LABEL "hsmux-kek"

/* How it is found: by CKA_LABEL or by CKA_ID. */
struct kek_name {
	CK_ATTRIBUTE_TYPE type;
	uint8_t bytes[32];
	size_t len;
};

/* A key on the member of a session. */
struct kek_place {
	struct member_session *ms; /* borrowed */
	CK_OBJECT_HANDLE real;
};

/* What one member has for it. */
struct kek_view {
	unsigned count;        /* keys of that name; anything but 1 is no KEK */
	CK_OBJECT_HANDLE real; /* of the first */
	CK_ULONG bits;         /* 0: not shown */
	bool is_sensitive;
	bool is_extractable;
	bool knows_trust; /* the member knows CKA_TRUSTED and CKA_WRAP_WITH_TRUSTED */
	bool is_trusted;  /* CKA_TRUSTED: keys can be wrappable by this one only */
	bool can_work;    /* CKA_WRAP and CKA_UNWRAP */
	bool is_narrow;   /* it can do nothing else */
};

/* What the configuration calls it. */
void kek_name(const struct group *g, struct kek_name *out);

/* Whether an object of this name and class would be the KEK of the group, by its label or its id as
 * configured. */
bool kek_is_named(const struct group *g, const struct identity *id);

/* The same of a template that an application gives. */
bool kek_is_asked(const struct group *g, const CK_ATTRIBUTE *tmpl, CK_ULONG count);

/* Looks for it on the member of `ms`. CKR_HOST_MEMORY or the member's code. */
CK_RV kek_look(struct member_session *ms, struct kek_view *out);

/* The same of key `real`; count is left alone. */
CK_RV kek_look_at(struct member_session *ms, CK_OBJECT_HANDLE real, struct kek_view *out);

/* Its real handle; 0 in *real when there is not exactly one that can work. CKR_HOST_MEMORY or the
 * member's code. */
CK_RV kek_find(struct member_session *ms, CK_OBJECT_HANDLE *real);

/* Whether the KEKs of two members are the same key: the same random block, wrapped on both, gives
 * the same bytes. *same is false where one has none, and where the two cannot wrap it in the same
 * way. CKR_HOST_MEMORY or a member's code. */
CK_RV kek_is_same(struct member_session *a, struct member_session *b, bool *same);

/* The same of two AES keys that can wrap. */
CK_RV kek_is_same_key(const struct kek_place *a, const struct kek_place *b, bool *same);

#endif
