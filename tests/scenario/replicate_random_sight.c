/* SPDX-License-Identifier: BSD-2-Clause */
/* What is seen of an object, through hsmux or by a member's own library, and whether that is what
 * the model says. */
#include <stdio.h>
#include <string.h>

#include "tests/scenario/replicate_random.h"

#define GET(type, where)                                                                           \
	{                                                                                          \
		type, &(where), sizeof(where)                                                      \
	}

static CK_BYTE block[16] = "sixteen bytes..";

const char *kind_name(enum kind kind)
{
	static const char *const names[] = {"AES key",     "secret",     "data object",
					    "certificate", "public key", "private key"};

	return names[kind];
}

static CK_OBJECT_CLASS class_of(enum kind kind)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_SECRET_KEY,  CKO_SECRET_KEY, CKO_DATA,
						  CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY};

	return classes[kind];
}

CK_RV thing_find(const struct actor *a, enum kind kind, const char *label, unsigned *count,
		 CK_OBJECT_HANDLE *object)
{
	CK_FUNCTION_LIST *f = a->app.f;
	CK_OBJECT_CLASS class = class_of(kind);
	char name[24];
	CK_ATTRIBUTE like[] = {GET(CKA_CLASS, class), {CKA_LABEL, name, strlen(label)}};
	CK_OBJECT_HANDLE found[4] = {0};
	CK_ULONG n = 0;
	CK_RV rv;

	(void)snprintf(name, sizeof(name), "%s", label);
	rv = f->C_FindObjectsInit(a->session, like, 2);
	if (rv == CKR_OK) {
		rv = f->C_FindObjects(a->session, found, 4, &n);
		(void)f->C_FindObjectsFinal(a->session);
	}
	*count = (unsigned)n;
	*object = n == 1 ? found[0] : 0;
	return rv;
}

static CK_RV read_looks(const struct actor *a, enum kind kind, CK_OBJECT_HANDLE object,
			struct looks *out)
{
	CK_FUNCTION_LIST *f = a->app.f;
	CK_BYTE id[8] = {0}, value[16] = {0};
	CK_ATTRIBUTE label = {CKA_LABEL, out->label, sizeof(out->label) - 1};
	CK_ATTRIBUTE id_of = GET(CKA_ID, id), value_of = GET(CKA_VALUE, value);
	CK_ATTRIBUTE rights[] = {GET(CKA_EXTRACTABLE, out->extractable),
				 GET(CKA_ENCRYPT, out->encrypt)};
	CK_RV rv;

	memset(out, 0, sizeof(*out));
	rv = f->C_GetAttributeValue(a->session, object, &label, 1);
	if (rv == CKR_OK && kind != KIND_DATA)
		rv = f->C_GetAttributeValue(a->session, object, &id_of, 1);
	if (rv == CKR_OK && (kind == KIND_DATA || kind == KIND_CERTIFICATE))
		rv = f->C_GetAttributeValue(a->session, object, &value_of, 1);
	if (rv == CKR_OK && (kind == KIND_AES || kind == KIND_SECRET || kind == KIND_PRIVATE))
		rv = f->C_GetAttributeValue(a->session, object, rights, kind == KIND_AES ? 2 : 1);
	out->id = id[0];
	out->value = value[0];
	return rv;
}

static CK_RV decrypt(const struct actor *a, CK_OBJECT_HANDLE key, struct sight *out)
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	CK_BYTE again[16];
	CK_ULONG len = sizeof(again);
	CK_FUNCTION_LIST *f = a->app.f;
	CK_RV rv = f->C_DecryptInit(a->session, &ecb, key);

	out->proof_len = sizeof(out->proof);
	if (rv == CKR_OK)
		rv = f->C_Decrypt(a->session, block, sizeof(block), out->proof, &out->proof_len);
	if (rv != CKR_OK)
		return rv;
	rv = f->C_EncryptInit(a->session, &ecb, key);
	out->works = (rv == CKR_KEY_FUNCTION_NOT_PERMITTED) == !out->is.encrypt;
	if (rv == CKR_KEY_FUNCTION_NOT_PERMITTED)
		return CKR_OK;
	if (rv == CKR_OK)
		rv = f->C_Encrypt(a->session, out->proof, 16, again, &len);
	out->works = out->works && len == sizeof(block) && memcmp(again, block, len) == 0;
	return rv;
}

static CK_RV mac(const struct actor *a, CK_OBJECT_HANDLE key, struct sight *out)
{
	CK_MECHANISM hmac = {CKM_SHA256_HMAC, NULL, 0};
	CK_RV rv = a->app.f->C_SignInit(a->session, &hmac, key);

	out->proof_len = sizeof(out->proof);
	out->works = true;
	return rv == CKR_OK ? a->app.f->C_Sign(a->session, block, sizeof(block), out->proof,
					       &out->proof_len)
			    : rv;
}

static CK_RV read_point(const struct actor *a, CK_OBJECT_HANDLE key, struct sight *out)
{
	CK_ATTRIBUTE point = GET(CKA_EC_POINT, out->proof);
	CK_RV rv = a->app.f->C_GetAttributeValue(a->session, key, &point, 1);

	out->proof_len = point.ulValueLen;
	out->works = true;
	return rv;
}

static CK_RV sign(const struct actor *a, CK_OBJECT_HANDLE key, const CK_BYTE *point,
		  struct sight *out)
{
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	struct app_signature s = {.text = {7}, .len = sizeof(s.bytes)};
	CK_RV rv = a->app.f->C_SignInit(a->session, &ecdsa, key);

	if (rv == CKR_OK)
		rv = a->app.f->C_Sign(a->session, s.text, sizeof(s.text), s.bytes, &s.len);
	out->works = rv == CKR_OK && (!point || app_verifies_ec(point, &s));
	return rv;
}

void sight_take(const struct actor *a, enum kind kind, const char *label, const CK_BYTE *point,
		struct sight *out)
{
	CK_OBJECT_HANDLE object;

	memset(out, 0, sizeof(*out));
	out->rv = thing_find(a, kind, label, &out->count, &object);
	if (out->rv != CKR_OK || out->count != 1)
		return;
	out->rv = read_looks(a, kind, object, &out->is);
	if (out->rv != CKR_OK)
		return;
	switch (kind) {
	case KIND_AES:
		out->rv = decrypt(a, object, out);
		break;
	case KIND_SECRET:
		out->rv = mac(a, object, out);
		break;
	case KIND_PUBLIC:
		out->rv = read_point(a, object, out);
		break;
	case KIND_PRIVATE:
		out->rv = sign(a, object, point, out);
		break;
	case KIND_DATA:
	case KIND_CERTIFICATE:
		out->works = true;
		break;
	}
}

const char *sight_fault(const struct sight *s, const struct thing *t, const struct looks *looks,
			bool is_shown)
{
	if (s->rv != CKR_OK)
		return "cannot be used";
	if (s->count != 1)
		return s->count == 0 ? "is not there" : "is there more than once";
	if (strcmp(s->is.label, looks->label) != 0 || s->is.id != looks->id)
		return "has another name";
	if (s->is.value != looks->value)
		return "has another value";
	if (s->is.encrypt != looks->encrypt)
		return "has another CKA_ENCRYPT";
	if (is_shown && s->is.extractable != looks->extractable)
		return "is shown with another CKA_EXTRACTABLE";
	if (!s->works)
		return "does not do what it should";
	if (t->proof_len != 0 &&
	    (s->proof_len != t->proof_len || memcmp(s->proof, t->proof, t->proof_len) != 0))
		return "is another object";
	return NULL;
}

const CK_BYTE *thing_point(const struct lane *lane, const struct thing *t)
{
	const struct thing *public = t->half >= 0 ? &lane->things[t->half] : NULL;

	return public && public->proof_len != 0 ? public->proof : NULL;
}

bool thing_is_doubtful(const struct thing *t)
{
	return t->being == BEING_DOUBT || memcmp(&t->now, &t->perhaps, sizeof(t->now)) != 0;
}

static void keep_proof(struct thing *t, const struct sight *s)
{
	if (t->proof_len != 0)
		return;
	memcpy(t->proof, s->proof, s->proof_len);
	t->proof_len = s->proof_len;
}

void thing_check(const struct actor *a, struct lane *lane, struct thing *t)
{
	const unsigned before = atomic_load(&a->world->changes);
	const bool is_promised = promises_sight(a->world);
	const char *fault = NULL;
	struct sight s;

	if (thing_is_doubtful(t))
		return;
	sight_take(a, t->kind, t->now.label, thing_point(lane, t), &s);
	if (!is_promised || !promises_sight(a->world) || before != atomic_load(&a->world->changes))
		return;
	if (t->being == BEING_THERE)
		fault = sight_fault(&s, t, &t->now, true);
	else if (s.rv != CKR_OK || s.count != 0)
		fault = s.rv != CKR_OK ? "cannot be looked for" : "was destroyed, and is seen";
	if (fault)
		wrong(a->world, "%s \"%s\" %s (0x%lx)", kind_name(t->kind), t->now.label, fault,
		      s.rv);
	else if (t->being == BEING_THERE)
		keep_proof(t, &s);
}

/* It is there, and one of the two that it may be. */
static const char *settle_there(struct thing *t, const struct sight *s)
{
	const char *fault = sight_fault(s, t, &t->perhaps, true);

	if (!fault)
		t->now = t->perhaps;
	else
		fault = sight_fault(s, t, &t->now, true);
	t->perhaps = t->now;
	t->being = BEING_THERE;
	keep_proof(t, s);
	return fault;
}

void thing_settle(const struct actor *a, struct lane *lane, struct thing *t)
{
	const bool is_new = t->being == BEING_DOUBT && !t->was_made;
	struct sight s, other = {.count = 0};
	const char *fault = NULL;

	sight_take(a, t->kind, t->now.label, thing_point(lane, t), &s);
	if (strcmp(t->now.label, t->perhaps.label) != 0)
		sight_take(a, t->kind, t->perhaps.label, thing_point(lane, t), &other);
	if (s.count > 0 && other.count > 0)
		fault = "is there under both names";
	if (s.count == 0 && other.count > 0)
		s = other;
	if (t->being == BEING_THERE || (t->being == BEING_DOUBT && s.count > 0))
		fault = fault ? fault : settle_there(t, &s);
	else if (s.count > 0 || s.rv != CKR_OK)
		fault = "is gone, and is seen";
	else
		t->being = BEING_GONE;
	/* The public half comes first. */
	if (!fault && is_new && t->half >= 0 && lane->things[t->half].being != t->being)
		fault = "is half a pair";
	if (fault)
		wrong(a->world, "%s \"%s\" (\"%s\") %s, when all members are back (0x%lx)",
		      kind_name(t->kind), t->now.label, t->perhaps.label, fault, s.rv);
}

bool sight_is_stillborn(const struct actor *a, CK_OBJECT_HANDLE object, const char *label)
{
	CK_OBJECT_CLASS class = CKO_VENDOR_DEFINED;
	CK_ATTRIBUTE is = GET(CKA_CLASS, class);

	(void)a->app.f->C_GetAttributeValue(a->session, object, &is, 1);
	return label[0] == '\0' && class == CKO_VENDOR_DEFINED;
}
