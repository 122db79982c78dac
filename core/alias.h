/* SPDX-License-Identifier: BSD-2-Clause */
/* Aliases: session objects that stand for a token object.
 *
 * pkcs11-provider copies every private key of a token to a session object (C_CopyObject with
 * CKA_TOKEN=FALSE) and signs with the copy. A real copy would tie the key to one session of one
 * member; an alias costs nothing and is as good: same key, own handle, CKA_TOKEN false, own label
 * and id. */
#ifndef HSMUX_CORE_ALIAS_H
#define HSMUX_CORE_ALIAS_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/pkcs11.h"
#include "core/session.h"

/* True when a C_CopyObject template asks for no more than an alias can be: CKA_TOKEN=FALSE, and
 * perhaps CKA_LABEL and CKA_ID. */
bool alias_fits(const CK_ATTRIBUTE *tmpl, CK_ULONG count);

/* Makes an alias of token object `target` for a locked session. CKR_HOST_MEMORY. */
CK_RV alias_make(struct session *session, CK_OBJECT_HANDLE target, const CK_ATTRIBUTE *tmpl,
		 CK_ULONG count, CK_OBJECT_HANDLE *handle);

/* C_GetAttributeValue of an alias: its own CKA_TOKEN, CKA_LABEL and CKA_ID, the rest from what it
 * stands for. For a locked session. */
CK_RV alias_read(struct session *session, CK_OBJECT_HANDLE alias, CK_ATTRIBUTE *tmpl,
		 CK_ULONG count);

/* C_SetAttributeValue of an alias: CKA_LABEL and CKA_ID; anything else is CKR_ACTION_PROHIBITED. */
CK_RV alias_write(CK_OBJECT_HANDLE alias, const CK_ATTRIBUTE *tmpl, CK_ULONG count);

/* Appends the handles of the group's aliases that match a search template to `found`. For a locked
 * session. */
CK_RV alias_find(struct session *session, const CK_ATTRIBUTE *tmpl, CK_ULONG count,
		 struct buf *found);

/* Forgets what is known about an alias whose handle goes; nothing happens for other handles. */
void alias_drop(CK_OBJECT_HANDLE handle);

/* Forgets all. `is_whole` false, in a forked child: a thread that does not exist there may have
 * been changing the list, which is then left alone. */
void alias_forget_everything(bool is_whole);

#endif
