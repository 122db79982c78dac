/* SPDX-License-Identifier: BSD-2-Clause */
/* Key: making one.
 *
 * The core does it as for an application: replication, journal and names are its own. Every
 * attribute that decides what the key may do is stated. */
#include "tools/key_make.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/objects.h>
#include <openssl/rand.h>

#include "core/base/names.h"
#include "core/key.h"
#include "tools/enter.h"

/* Attributes of one template; room for all that is stated. */
struct form {
	CK_ATTRIBUTE a[24];
	CK_ULONG count;
};

/* A curve by its names; its DER object identifier. */
static const struct {
	const char *name;
	const char *sn; /* OpenSSL's */
} curves[] = {
	{"P-256", "prime256v1"},
	{"P-384", "secp384r1"},
	{"P-521", "secp521r1"},
	{"secp256k1", "secp256k1"},
};

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void add(struct form *f, CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG len)
{
	f->a[f->count++] = (CK_ATTRIBUTE){type, value, len};
}

static void add_bool(struct form *f, CK_ATTRIBUTE_TYPE type, bool value)
{
	add(f, type, value ? &yes : &no, sizeof(CK_BBOOL));
}

bool key_read_uses(const char *text, unsigned *use)
{
	*use = 0;
	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, ",");
		unsigned i = 0;

		while (i < LOGICAL_USES) {
			const char *name = logical_use_name((enum logical_use)(1U << i));

			if (strlen(name) == len && strncmp(name, text, len) == 0)
				break;
			i++;
		}
		if (i == LOGICAL_USES) {
			fputs("hsmux: --use ", stderr);
			tool_put(stderr, text);
			fputs(": expected sign, verify, encrypt, decrypt, wrap, unwrap or derive, "
			      "with commas\n",
			      stderr);
			return false;
		}
		*use |= 1U << i;
		text += len + (text[len] == ',' ? 1 : 0);
	}
	return true;
}

bool key_new_id(struct buf *id)
{
	unsigned char bytes[16];

	return RAND_bytes(bytes, sizeof(bytes)) == 1 && buf_add(id, bytes, sizeof(bytes));
}

bool key_is_free(const struct key_work *w, const struct buf *label, const struct buf *id)
{
	struct buf text = {0};
	bool is_free = buf_add(&text, label->data, label->len) && buf_add(&text, "", 1);

	for (size_t i = 0; is_free && i < w->inv->logical_count; i++) {
		const struct logical *l = &w->inv->logicals[i];
		CK_OBJECT_CLASS class = logical_first(l)->id.class;

		if (class != CKO_PRIVATE_KEY && class != CKO_PUBLIC_KEY && class != CKO_SECRET_KEY)
			continue;
		is_free = !key_is_named(l, (const char *)text.data, &(struct buf){0}) &&
			  !key_is_named(l, NULL, id);
		if (is_free)
			continue;
		fputs("hsmux: the label or the id is taken by ", stderr);
		key_put_name(stderr, l);
		fputs(": nothing was made\n", stderr);
	}
	buf_free(&text);
	return is_free;
}

static void add_name(struct form *f, const struct key_order *order, bool is_private)
{
	add_bool(f, CKA_TOKEN, true);
	add_bool(f, CKA_PRIVATE, is_private);
	add(f, CKA_LABEL, order->label.data, order->label.len);
	add(f, CKA_ID, order->id.data, order->id.len);
}

static void add_private_uses(struct form *f, const struct key_order *order)
{
	add_bool(f, CKA_SENSITIVE, true);
	add_bool(f, CKA_EXTRACTABLE, order->is_exportable);
	add_bool(f, CKA_SIGN, order->use & LOGICAL_SIGNS);
	add_bool(f, CKA_DECRYPT, order->use & LOGICAL_DECRYPTS);
	add_bool(f, CKA_UNWRAP, order->use & LOGICAL_UNWRAPS);
	add_bool(f, CKA_DERIVE, order->use & LOGICAL_DERIVES);
}

/* The public half can undo what the private one does. */
static void add_public_uses(struct form *f, const struct key_order *order)
{
	add_bool(f, CKA_VERIFY, order->use & (LOGICAL_SIGNS | LOGICAL_VERIFIES));
	add_bool(f, CKA_ENCRYPT, order->use & (LOGICAL_DECRYPTS | LOGICAL_ENCRYPTS));
	add_bool(f, CKA_WRAP, order->use & (LOGICAL_UNWRAPS | LOGICAL_WRAPS));
}

static CK_RV make_pair(const struct key_work *w, const struct key_order *order,
		       CK_MECHANISM_TYPE mechanism, struct form *public)
{
	const CK_MECHANISM mech = {mechanism, NULL, 0};
	struct form private = {.count = 0};
	CK_OBJECT_HANDLE made[2];

	add_name(public, order, false);
	add_public_uses(public, order);
	add_name(&private, order, true);
	add_private_uses(&private, order);
	return key_generate_pair(w->session, &mech, public->a, public->count, private.a,
				 private.count, &made[0], &made[1]);
}

static CK_RV make_rsa(const struct key_work *w, const struct key_order *order, CK_ULONG bits)
{
	static CK_BYTE exponent[] = {1, 0, 1};
	struct form public = {.count = 0};

	add(&public, CKA_MODULUS_BITS, &bits, sizeof(bits));
	add(&public, CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent));
	return make_pair(w, order, CKM_RSA_PKCS_KEY_PAIR_GEN, &public);
}

static CK_RV make_curve(const struct key_work *w, const struct key_order *order, const char *sn,
			CK_MECHANISM_TYPE mechanism)
{
	ASN1_OBJECT *object = OBJ_txt2obj(sn, 0);
	struct form public = {.count = 0};
	unsigned char *params = NULL;
	int len = object != NULL ? i2d_ASN1_OBJECT(object, &params) : -1;
	CK_RV rv = CKR_HOST_MEMORY;

	if (len > 0) {
		add(&public, CKA_EC_PARAMS, params, (CK_ULONG)len);
		rv = make_pair(w, order, mechanism, &public);
	}
	OPENSSL_free(params);
	ASN1_OBJECT_free(object);
	return rv;
}

static CK_RV make_secret(const struct key_work *w, const struct key_order *order,
			 CK_MECHANISM_TYPE mechanism, CK_ULONG len)
{
	const CK_MECHANISM mech = {mechanism, NULL, 0};
	struct form f = {.count = 0};
	CK_OBJECT_HANDLE made;

	add(&f, CKA_VALUE_LEN, &len, sizeof(len));
	add_name(&f, order, true);
	add_private_uses(&f, order);
	add_bool(&f, CKA_VERIFY, order->use & LOGICAL_VERIFIES);
	add_bool(&f, CKA_ENCRYPT, order->use & LOGICAL_ENCRYPTS);
	add_bool(&f, CKA_WRAP, order->use & LOGICAL_WRAPS);
	return key_generate(w->session, &mech, f.a, f.count, &made);
}

/* A number of bits; 0 when it is none. */
static CK_ULONG bits_of(const char *text)
{
	char *end = NULL;
	unsigned long bits = strtoul(text, &end, 10);

	return *text >= '1' && *text <= '9' && *end == '\0' && bits <= 16384 ? bits : 0;
}

/* CKR_ARGUMENTS_BAD: no such type. */
static CK_RV make(const struct key_work *w, struct key_order *order)
{
	const char *size = strchr(order->type, ':');
	CK_ULONG bits = size != NULL ? bits_of(size + 1) : 0;
	size_t len = size != NULL ? (size_t)(size - order->type) : strlen(order->type);
	bool is_pair =
		strncmp(order->type, "aes", len) != 0 && strncmp(order->type, "generic", len) != 0;

	if (order->use == 0)
		order->use = is_pair                 ? LOGICAL_SIGNS
			     : order->type[0] == 'a' ? LOGICAL_ENCRYPTS | LOGICAL_DECRYPTS
						     : LOGICAL_SIGNS | LOGICAL_VERIFIES;
	if (strcmp(order->type, "ed25519") == 0)
		return make_curve(w, order, "ED25519", CKM_EC_EDWARDS_KEY_PAIR_GEN);
	if (len == 3 && strncmp(order->type, "rsa", 3) == 0 && bits >= 1024)
		return make_rsa(w, order, bits);
	if (len == 3 && strncmp(order->type, "aes", 3) == 0 &&
	    (bits == 128 || bits == 192 || bits == 256))
		return make_secret(w, order, CKM_AES_KEY_GEN, bits / 8);
	if (len == 7 && strncmp(order->type, "generic", 7) == 0 && bits >= 64 && bits % 8 == 0)
		return make_secret(w, order, CKM_GENERIC_SECRET_KEY_GEN, bits / 8);
	for (size_t i = 0; len == 2 && strncmp(order->type, "ec", 2) == 0 && size != NULL &&
			   i < sizeof(curves) / sizeof(curves[0]);
	     i++)
		if (strcmp(curves[i].name, size + 1) == 0)
			return make_curve(w, order, curves[i].sn, CKM_EC_KEY_PAIR_GEN);
	return CKR_ARGUMENTS_BAD;
}

enum tool_exit key_make(const struct key_work *w, const struct key_order *order)
{
	struct key_order own = *order;
	char code[NAME_MAX_LEN];
	CK_RV rv = make(w, &own);

	if (rv == CKR_OK)
		return TOOL_YES;
	if (rv == CKR_ARGUMENTS_BAD) {
		fputs("hsmux: --type ", stderr);
		tool_put(stderr, order->type);
		fputs(": expected rsa:BITS, ec:P-256, ec:P-384, ec:P-521, ec:secp256k1, ed25519, "
		      "aes:128, aes:192, aes:256 or generic:BITS\n",
		      stderr);
		return TOOL_USAGE;
	}
	tool_complain(w->group, "no key was made: %s%s", name_of(NAME_RV, rv, code),
		      rv == CKR_DEVICE_MEMORY ? ": a member is full" : "");
	return TOOL_NO;
}
