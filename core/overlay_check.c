/* SPDX-License-Identifier: BSD-2-Clause */
/* What calls may do with objects, as they are shown. Handles that are not valid are refused here
 * and not by the route: another thread may have made an object of that number by then. For a locked
 * session; no other lock. */
#include "core/overlay.h"

#include "core/base/attr.h"
#include "core/object.h"
#include "core/replicate.h"

/* What makes something new with its first key. */
static bool makes_new(enum call_id id)
{
	switch ((int)id) {
	case CALL_C_EncryptInit:
	case CALL_C_SignInit:
	case CALL_C_SignRecoverInit:
	case CALL_C_MessageEncryptInit:
	case CALL_C_MessageSignInit:
	case CALL_C_WrapKey:
	case CALL_C_DeriveKey:
	case CALL_C_CopyObject:
		return true;
	default:
		return false;
	}
}

/* Derivations whose result tells nothing of the base key. Of all others, those that nobody knows
 * yet included, the result may hold it, or enough of it: the standard lets such a key be no more
 * extractable and no less sensitive than its base (PKCS#11 2.40, 2.31 and 2.32), and members let
 * it be as extractable as the base is there. */
static bool is_one_way(CK_MECHANISM_TYPE type)
{
	switch (type) {
	case CKM_DH_PKCS_DERIVE:
	case CKM_X9_42_DH_DERIVE:
	case CKM_X9_42_DH_HYBRID_DERIVE:
	case CKM_X9_42_MQV_DERIVE:
	case CKM_ECDH1_DERIVE:
	case CKM_ECDH1_COFACTOR_DERIVE:
	case CKM_ECMQV_DERIVE:
	case CKM_DES_ECB_ENCRYPT_DATA:
	case CKM_DES_CBC_ENCRYPT_DATA:
	case CKM_DES3_ECB_ENCRYPT_DATA:
	case CKM_DES3_CBC_ENCRYPT_DATA:
	case CKM_AES_ECB_ENCRYPT_DATA:
	case CKM_AES_CBC_ENCRYPT_DATA:
	case CKM_SP800_108_COUNTER_KDF:
	case CKM_SP800_108_FEEDBACK_KDF:
	case CKM_SP800_108_DOUBLE_PIPELINE_KDF:
	case CKM_TLS_MASTER_KEY_DERIVE:
	case CKM_TLS_MASTER_KEY_DERIVE_DH:
	case CKM_TLS_KEY_AND_MAC_DERIVE:
	case CKM_TLS12_MASTER_KEY_DERIVE:
	case CKM_TLS12_MASTER_KEY_DERIVE_DH:
	case CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE:
	case CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH:
	case CKM_TLS12_KEY_AND_MAC_DERIVE:
	case CKM_TLS12_KEY_SAFE_DERIVE:
	case CKM_TLS12_KDF:
	case CKM_TLS_KDF:
	case CKM_TLS_PRF:
		return true;
	default:
		return false;
	}
}

CK_RV overlay_may_leave(struct session *s, CK_OBJECT_HANDLE object, bool *may)
{
	CK_BBOOL leaves = CK_FALSE;
	CK_ATTRIBUTE a = {CKA_EXTRACTABLE, &leaves, sizeof leaves};
	const CK_ATTRIBUTE asked = a;
	struct overlay o;
	CK_RV rv = overlay_of(s, object, &o);

	*may = rv == CKR_OK && o.may_export;
	if (*may)
		rv = object_read_in(s, object, &a, 1, &asked);
	*may = *may && rv == CKR_OK && leaves != CK_FALSE;
	return rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_ATTRIBUTE_TYPE_INVALID ? CKR_OK : rv;
}

CK_RV overlay_check_derived(const struct call *c)
{
	const CK_ATTRIBUTE *t = c->tmpl[0];
	const CK_ULONG n = c->tmpl_count[0];
	/* Token objects get both from us where the template is silent (replicate_wish.h). */
	const bool is_token = attr_bool(t, n, CKA_TOKEN, false);
	bool may;
	CK_RV rv;

	if (!replicate_is_on(c->group) || !c->mech || is_one_way(c->mech->m.mechanism) ||
	    (!attr_bool(t, n, CKA_EXTRACTABLE, !is_token) &&
	     attr_bool(t, n, CKA_SENSITIVE, is_token)))
		return CKR_OK;
	rv = overlay_may_leave(c->session, c->object[0].handle, &may);
	for (unsigned i = 0; rv == CKR_OK && may && i < c->mech->handle_count; i++)
		rv = overlay_may_leave(c->session, c->mech->handle[i].virtual, &may);
	return rv == CKR_OK && !may ? CKR_TEMPLATE_INCONSISTENT : rv;
}

/* Further keys of a derivation. */
static CK_RV check_further(const struct call *c)
{
	for (unsigned i = 0; c->mech && i < c->mech->handle_count; i++) {
		struct overlay o;
		CK_RV rv = overlay_of(c->session, c->mech->handle[i].virtual, &o);

		if (rv == CKR_OK && o.is_retired)
			return CKR_KEY_FUNCTION_NOT_PERMITTED;
		if (rv != CKR_OK && rv != CKR_OBJECT_HANDLE_INVALID)
			return rv;
	}
	return CKR_OK;
}

/* Also what the key says itself: NSS 3.87 wraps keys that say that they are not extractable. */
static CK_RV check_wrapped(const struct call *c)
{
	struct object_view view;
	bool may;
	CK_RV rv = overlay_may_leave(c->session, c->object[1].handle, &may);

	if (rv == CKR_OK && !may)
		rv = object_resolve(c->group, c->object[1].handle, &view) ? CKR_KEY_UNEXTRACTABLE
									  : c->object[1].bad;
	return rv;
}

CK_RV overlay_check(const struct call *c)
{
	struct overlay o;
	CK_RV rv = CKR_OK;

	if (!makes_new(c->id) || !c->session || !c->object[0].bad)
		return CKR_OK;
	rv = overlay_of(c->session, c->object[0].handle, &o);
	/* It may be somebody's, and another key, by the time that the call is made. */
	if (rv == CKR_OBJECT_HANDLE_INVALID)
		return c->object[0].bad;
	if (rv == CKR_OK && o.is_retired)
		return c->id == CALL_C_CopyObject ? CKR_ACTION_PROHIBITED
						  : CKR_KEY_FUNCTION_NOT_PERMITTED;
	if (rv == CKR_OK && c->id == CALL_C_DeriveKey)
		rv = check_further(c);
	return rv == CKR_OK && c->id == CALL_C_WrapKey ? check_wrapped(c) : rv;
}

static CK_RV check_one(const struct overlay *o, const CK_ATTRIBUTE *a, bool *is_needless)
{
	const bool value = attr_bool(a, 1, a->type, false);

	*is_needless = false;
	switch (a->type) {
	case CKA_EXTRACTABLE:
		*is_needless = !o->may_export && !value;
		return !o->may_export && value ? CKR_ATTRIBUTE_READ_ONLY : CKR_OK;
	case CKA_SENSITIVE:
	case CKA_WRAP_WITH_TRUSTED:
		return !o->may_export && !value ? CKR_ATTRIBUTE_READ_ONLY : CKR_OK;
	default:
		return CKR_OK;
	}
}

CK_RV overlay_check_change(struct session *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			   CK_ULONG *count)
{
	struct overlay o;
	CK_ULONG kept = 0;
	CK_RV rv = overlay_of(s, object, &o);

	if (rv != CKR_OK)
		return rv;
	if (o.is_fixed)
		return CKR_ACTION_PROHIBITED;
	for (CK_ULONG i = 0; i < *count; i++) {
		bool is_needless;

		rv = check_one(&o, &tmpl[i], &is_needless);
		if (rv != CKR_OK)
			return rv;
		if (!is_needless)
			tmpl[kept++] = tmpl[i];
	}
	*count = kept;
	return CKR_OK;
}
