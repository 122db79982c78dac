/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application sees of an object of a virtual token that replicates, where that is not what
 * the members say: they hold keys that can be wrapped, so that they can be copied, and the
 * application must not wrap them; they forget attributes that hsmux enforces; and keys that were
 * rotated make nothing new. It never looks better, nor can more be done, than the members and the
 * record (record.h) both allow. */
#ifndef HSMUX_CORE_OVERLAY_H
#define HSMUX_CORE_OVERLAY_H

#include <stdbool.h>

#include "core/base/attr.h"
#include "core/base/buf.h"
#include "core/call.h"
#include "core/fingerprint.h"
#include "core/session.h"

/* What a record says of an object; all false where there is none. */
struct overlay {
	bool may_export; /* CKA_EXTRACTABLE is what the members say; else it is false */
	bool is_fixed;   /* CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE are false */
	bool is_single;
	bool is_lasting;
	bool is_retired; /* makes nothing new: verifies, decrypts and unwraps only */
};

/* Reads it; what was read is believed for OVERLAY_MS. For a locked session. Everything is false for
 * tokens that do not replicate, and for session objects, which are may_export. CKR_DEVICE_ERROR
 * when no member could be asked. */
#define OVERLAY_MS 2000
CK_RV overlay_of(struct session *s, CK_OBJECT_HANDLE object, struct overlay *out);

/* The object's fingerprint (fingerprint.h), asked of the member of `ms` when it is not known yet;
 * *has false when it has none. The member's code; `ms` is in doubt after a failure, and when there
 * is none. */
CK_RV overlay_print(struct session *s, struct member_session *ms, CK_OBJECT_HANDLE object,
		    uint8_t print[static FINGERPRINT_LEN], bool *has);

/* The content by which the object is told was changed: so is its fingerprint. */
void overlay_forget_print(CK_OBJECT_HANDLE object);

/* The record of the object was changed by this process: it is read anew. */
void overlay_forget(CK_OBJECT_HANDLE object);

/* Whether the application may wrap the object, and the member shows it as extractable: a session
 * object, too. One that is gone may not. The codes of overlay_of() but for that, or of a reading.
 */
CK_RV overlay_may_leave(struct session *s, CK_OBJECT_HANDLE object, bool *may);

/* Whether a call may use the objects that it names so. CKR_KEY_UNEXTRACTABLE for a key that is not
 * to be wrapped, CKR_KEY_FUNCTION_NOT_PERMITTED for a retired one. */
CK_RV overlay_check(const struct call *call);

/* Whether a key may be derived with the template as the application gave it.
 * CKR_TEMPLATE_INCONSISTENT for one that would hold a key which is not to be wrapped, and could be
 * wrapped or read itself. */
CK_RV overlay_check_derived(const struct call *call);

/* Makes a template of a copy (a session object) of a key that must not be wrapped say so.
 * CKR_ATTRIBUTE_READ_ONLY when it asks for more, CKR_HOST_MEMORY. */
CK_RV overlay_limit(struct attr_list *list);

/* Whether attributes may be set so; takes out of `tmpl` what the application sees already, so that
 * nothing is left to do when *count is 0. CKR_ACTION_PROHIBITED, CKR_ATTRIBUTE_READ_ONLY, or as
 * overlay_of(). */
CK_RV overlay_check_change(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			   CK_ULONG *count);

/* Makes what was read of an object, with code `rv`, what is shown: values that the application has
 * buffers for. Values of keys that are not shown as extractable are wiped, and count as sensitive.
 * The code for the application, or as overlay_of(). */
CK_RV overlay_show(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *out, CK_ULONG count,
		   CK_RV rv);

/* A search template without attributes that are shown otherwise than members have them: those are
 * moved behind the others, and `count` is reduced by them; how many they are. */
CK_ULONG overlay_split(CK_ATTRIBUTE *tmpl, CK_ULONG *count);

/* Takes out of `found` (CK_OBJECT_HANDLE each) what does not match these, as it is shown. The codes
 * of a reading. */
CK_RV overlay_filter(struct session *s, const CK_ATTRIBUTE *tmpl, CK_ULONG count,
		     struct buf *found);

#endif
