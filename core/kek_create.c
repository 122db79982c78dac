/* SPDX-License-Identifier: BSD-2-Clause */
/* Create: what a KEK is made as.
 *
 * Everything is stated, because makers assume different things of what is left out. A maker that
 * does not know an attribute, or does not take it in this call, gets a shorter template; what it
 * then lacks is set afterwards, and looked at before anybody trusts it:
 *
 *   SoftHSM2       CKA_TRUSTED only where the key comes to be, from the security officer, who has
 *                  public objects only
 *   NSS            a key that is not private is made private
 *   openCryptoki   takes CKA_SENSITIVE in C_UnwrapKey and does not heed it
 *
 * The value is in memory here in kek_create_given() only, which people asked for. */
#include "core/kek_create.h"

#include <string.h>

#include "core/identity_use.h"
#include "core/member_op.h"

/* Attributes of the longest template. */
#define TEMPLATE_MAX 20U

/* The longest template first. */
enum form { FORM_WHOLE, FORM_OPEN, FORM_SHORT, FORMS };

/* A template with what it points to. */
struct form_of {
	CK_ATTRIBUTE a[TEMPLATE_MAX];
	CK_ULONG count;
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE type;
	CK_ULONG len;
	CK_BBOOL yes, no;
	char label[MEMBER_TAG_ROOM];
	uint8_t id[KEK_ID_LEN];
};

static void add(struct form_of *f, CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG len)
{
	f->a[f->count++] = (CK_ATTRIBUTE){type, value, len};
}

static void add_bool(struct form_of *f, CK_ATTRIBUTE_TYPE type, bool value)
{
	add(f, type, value ? &f->yes : &f->no, sizeof(CK_BBOOL));
}

/* FORM_OPEN leaves out what protects it, FORM_SHORT also what it may not do: some makers refuse
 * these where a key enters. */
static void fill(struct form_of *f, const struct kek_site *site, const struct kek_plan *plan,
		 enum form form, bool is_extractable)
{
	static const CK_ATTRIBUTE_TYPE never[] = {CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY,
						  CKA_DERIVE};

	*f = (struct form_of){.class = CKO_SECRET_KEY,
			      .type = CKK_AES,
			      .len = KEK_LEN,
			      .yes = CK_TRUE,
			      .no = CK_FALSE,
			      .label = KEK_TAG};
	memcpy(f->id, plan->id, sizeof f->id);
	add(f, CKA_CLASS, &f->class, sizeof f->class);
	add(f, CKA_KEY_TYPE, &f->type, sizeof f->type);
	add_bool(f, CKA_TOKEN, true);
	add_bool(f, CKA_PRIVATE, !site->is_so);
	add(f, CKA_LABEL, f->label, ORPHAN_TAG_LEN);
	add(f, CKA_ID, f->id, sizeof f->id);
	add_bool(f, CKA_WRAP, true);
	add_bool(f, CKA_UNWRAP, true);
	if (site->is_so)
		add_bool(f, CKA_TRUSTED, true);
	for (size_t i = 0; form != FORM_SHORT && i < sizeof never / sizeof never[0]; i++)
		add_bool(f, never[i], false);
	if (form != FORM_WHOLE)
		return;
	add_bool(f, CKA_SENSITIVE, true);
	add_bool(f, CKA_EXTRACTABLE, is_extractable);
}

/* A code about the template: a shorter one may be taken. */
static bool is_about_template(CK_RV rv)
{
	return rv == CKR_ATTRIBUTE_READ_ONLY || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	       rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_TEMPLATE_INCONSISTENT;
}

static CK_RV run(struct kek_site *site, struct call *call)
{
	CK_RV rv = member_call(site->ms, call, (const CK_OBJECT_HANDLE[2]){0, 0});

	if (rv == CKR_OK && !call->made[0])
		rv = CKR_DEVICE_ERROR;
	if (rv == CKR_OK)
		site->made.real = call->made[0];
	return rv;
}

CK_RV kek_create_new(struct kek_sites *s, struct kek_site *site, const struct kek_plan *plan)
{
	CK_OBJECT_HANDLE made;
	struct form_of f;
	CK_RV rv;

	fill(&f, site, plan, FORM_WHOLE, true);
	add(&f, CKA_VALUE_LEN, &f.len, sizeof f.len);
	rv = member_make_aes(site->ms, f.a, f.count, &made);
	if (rv == CKR_OK)
		site->made.real = made;
	return rv == CKR_OK ? rv : site_fail(s, site, "cannot make a key", rv);
}

CK_RV kek_create_carried(struct kek_sites *s, struct kek_site *site, const struct kek_plan *plan,
			 const struct kek_site *from)
{
	struct transport *t = NULL;
	CK_RV rv = transport_open(site->ms, &t);

	if (rv != CKR_OK)
		return site_fail(s, site, "cannot receive a key under RSA-OAEP", rv);
	for (unsigned form = 0; form < FORMS; form++) {
		struct form_of f;

		fill(&f, site, plan, (enum form)form, false);
		rv = transport_carry(t, from->ms, from->made.real, f.a, f.count, &site->made.real);
		if (!is_about_template(rv))
			break;
	}
	transport_close(t);
	return rv == CKR_OK ? rv : site_fail(s, site, "cannot receive the key", rv);
}

CK_RV kek_create_given(struct kek_sites *s, struct kek_site *site, const struct kek_plan *plan)
{
	CK_RV rv = CKR_ATTRIBUTE_VALUE_INVALID;

	for (unsigned form = 0; is_about_template(rv) && form < FORMS; form++) {
		struct call call = {.id = CALL_C_CreateObject};
		struct form_of f;

		fill(&f, site, plan, (enum form)form, false);
		add(&f, CKA_VALUE, (void *)(uintptr_t)plan->value, KEK_LEN);
		call.tmpl[0] = f.a;
		call.tmpl_count[0] = f.count;
		rv = run(site, &call);
	}
	return rv == CKR_OK ? rv : site_fail(s, site, "cannot take the key", rv);
}

static CK_RV set(struct kek_site *site, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
	CK_ATTRIBUTE a = {type, &value, sizeof value};
	struct call call = {.id = CALL_C_SetAttributeValue, .tmpl = {&a}, .tmpl_count = {1}};

	return member_call(site->ms, &call, (const CK_OBJECT_HANDLE[2]){site->made.real, 0});
}

const char *kek_flaw(const struct kek_view *v)
{
	if (!v->is_sensitive)
		return "it is not sensitive";
	if (v->is_extractable)
		return "it is extractable";
	if (!v->can_work)
		return "it is no AES key that can wrap and unwrap";
	if (!v->is_narrow)
		return "it can do more than wrap and unwrap";
	return v->bits != 0 && v->bits != KEK_LEN * 8 ? "it has not 256 bits" : NULL;
}

CK_RV kek_create_lock(struct kek_sites *s, struct kek_site *site)
{
	CK_RV rv = kek_look_at(site->ms, site->made.real, &site->made);

	if (rv == CKR_OK && !site->made.is_sensitive)
		rv = set(site, CKA_SENSITIVE, CK_TRUE);
	if (rv == CKR_OK && site->made.is_extractable)
		rv = set(site, CKA_EXTRACTABLE, CK_FALSE);
	if (rv == CKR_OK)
		rv = kek_look_at(site->ms, site->made.real, &site->made);
	if (rv == CKR_OK && kek_flaw(&site->made))
		return site_fail(s, site, kek_flaw(&site->made), CKR_ATTRIBUTE_READ_ONLY);
	return rv == CKR_OK ? rv : site_fail(s, site, "cannot lock the key", rv);
}
