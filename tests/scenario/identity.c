/* SPDX-License-Identifier: BSD-2-Clause */
/* What objects of real members are: the same material on two members is the same object, other
 * material under the same names is not. Over the core itself, not over the module.
 *
 *   same X Y KIND...     makes an object of each KIND (a row of `kinds`) in the virtual tokens X
 * and Y, of one material, which must be found to be the same, and one of other material, which must
 * not unknown X Y KIND...  the same, where neither can be shown liar X Y [claims]    a foreign
 * private key beside our public key, and ours beside a foreign one; `claims`: private keys of Y do
 * not show their own points neighbour X          a private key's public half is found in a
 * certificate, or not at all find X               objects are found by their names */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/identity.h"
#include "core/login.h"
#include "core/member_op.h"
#include "core/mux.h"
#include "tests/scenario/identity_make.h"

#define PIN "1234"

#define NEED(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)printf("line %d: %s\n", __LINE__, #condition);                       \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

/* A kind of object, and what it is made of. */
struct kind {
	const char *name;
	const char *material;
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE type;
	CK_ATTRIBUTE_TYPE may[4];
};

static const struct kind kinds[] = {
	{"rsa", "rsa", CKO_PRIVATE_KEY, CKK_RSA, {CKA_SIGN, CKA_DECRYPT}},
	{"rsa_decrypts", "rsa", CKO_PRIVATE_KEY, CKK_RSA, {CKA_DECRYPT}},
	{"rsa_unwraps", "rsa", CKO_PRIVATE_KEY, CKK_RSA, {CKA_UNWRAP}},
	{"rsa_wants_login", "rsa", CKO_PRIVATE_KEY, CKK_RSA, {CKA_SIGN, CKA_ALWAYS_AUTHENTICATE}},
	{"rsa_public", "rsa", CKO_PUBLIC_KEY, CKK_RSA, {0}},
	{"ec256", "ec256", CKO_PRIVATE_KEY, CKK_EC, {CKA_SIGN}},
	{"ec384", "ec384", CKO_PRIVATE_KEY, CKK_EC, {CKA_SIGN, CKA_DERIVE}},
	{"ec_derives", "ec256", CKO_PRIVATE_KEY, CKK_EC, {CKA_DERIVE}},
	{"ec384_derives", "ec384", CKO_PRIVATE_KEY, CKK_EC, {CKA_DERIVE}},
	{"ec_public", "ec256", CKO_PUBLIC_KEY, CKK_EC, {0}},
	{"ed25519", "ed25519", CKO_PRIVATE_KEY, CKK_EC_EDWARDS, {CKA_SIGN}},
	{"aes", "bytes", CKO_SECRET_KEY, CKK_AES, {CKA_SIGN, CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP}},
	{"aes_signs", "bytes", CKO_SECRET_KEY, CKK_AES, {CKA_SIGN}},
	{"aes_decrypts", "bytes", CKO_SECRET_KEY, CKK_AES, {CKA_DECRYPT}},
	{"aes_wraps", "bytes", CKO_SECRET_KEY, CKK_AES, {CKA_WRAP}},
	{"generic", "bytes", CKO_SECRET_KEY, CKK_GENERIC_SECRET, {CKA_SIGN}},
	{"derives_only", "bytes", CKO_SECRET_KEY, CKK_GENERIC_SECRET, {CKA_DERIVE}},
	{"certificate", "ec256", CKO_CERTIFICATE, CK_UNAVAILABLE_INFORMATION, {0}},
	{"data", "bytes", CKO_DATA, CK_UNAVAILABLE_INFORMATION, {0}},
};

static const char *const names[] = {"same", "different", "unknown"};

/* An object on a member: what it was made of is somebody else's. */
struct side {
	struct member_session *ms;
	CK_OBJECT_HANDLE real;
	struct identity id;
};

static struct member_session *enter(const char *label)
{
	CK_SESSION_HANDLE session;
	struct member_session *ms;
	CK_RV rv;

	for (size_t i = 0; i < mux_group_count(); i++) {
		struct group *g = mux_group(i);

		if (strcmp(g->conf->label, label) != 0)
			continue;
		NEED(session_open(g->conf->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				  &session) == CKR_OK);
		rv = login_in(session, CKU_USER, (const CK_BYTE *)PIN, strlen(PIN), NULL, 0);
		NEED(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN);
		NEED(pool_take(&g->members[0], 0, 1000, &ms) == CKR_OK);
		return ms;
	}
	(void)printf("no token %s\n", label);
	exit(1);
}

static CK_OBJECT_HANDLE make(struct member_session *ms, const struct kind *kind, const char *name,
			     const struct material *m)
{
	struct recipe r = {.class = kind->class, .type = kind->type, .id = name, .label = name};

	memcpy(r.may, kind->may, sizeof r.may);
	return object_make(ms, &r, m);
}

/* The public half beside a private key. */
static CK_OBJECT_HANDLE make_public(struct member_session *ms, const struct kind *kind,
				    const char *name, const struct material *m)
{
	struct recipe r = {CKO_PUBLIC_KEY, kind->type, {0}, name, name, false};

	return object_make(ms, &r, m);
}

/* Makes an object, its public half too, and reads it. */
static void begin(struct side *side, const struct kind *kind, const char *name,
		  const struct material *m)
{
	side->real = make(side->ms, kind, name, m);
	NEED(side->real);
	if (kind->class == CKO_PRIVATE_KEY)
		NEED(make_public(side->ms, kind, name, m));
	NEED(identity_read(side->ms, side->real, &side->id) == CKR_OK);
	NEED(side->id.class == kind->class && side->id.key_type == kind->type);
	NEED(side->id.is_token && side->id.label.len == strlen(name));
}

static enum identity_match proved(const struct side *side, const struct identity *known)
{
	enum identity_match match;
	CK_RV rv = identity_prove(side->ms, side->real, known, &match);

	if (rv != CKR_OK)
		(void)printf("proof: 0x%lx\n", rv);
	NEED(rv == CKR_OK);
	return match;
}

/* What can be shown. A secret key's answer is no claim, so that either member may repeat the
 * other's.
 */
static enum identity_match settled(const struct side *x, const struct side *y)
{
	enum identity_match match = proved(y, &x->id);

	return match == IDENTITY_UNKNOWN && y->id.kind == IDENTITY_ANSWER ? proved(x, &y->id)
									  : match;
}

static void expect(const struct side *x, const struct side *y, enum identity_match expected)
{
	enum identity_match claim = identity_compare(&x->id, &y->id), shown = settled(x, y);

	(void)printf("claimed %s, shown %s, expected %s\n", names[claim], names[shown],
		     names[expected]);
	NEED(claim == expected || claim == IDENTITY_UNKNOWN || shown == IDENTITY_UNKNOWN);
	NEED(shown == expected);
}

/* Two of each sort; making RSA keys takes longest. */
static const struct material *material(const char *what, unsigned which)
{
	static struct {
		char what[16];
		struct material *m[2];
	} made[8];
	unsigned i = 0;

	while (made[i].what[0] && strcmp(made[i].what, what) != 0)
		NEED(++i < 8);
	(void)snprintf(made[i].what, sizeof made[i].what, "%s", what);
	if (!made[i].m[which])
		made[i].m[which] = material_new(what);
	return made[i].m[which];
}

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* NSS replaces a key when another with its CKA_ID is made: the names of the other material differ
 * in one letter, and are no part of the comparison. */
static void compare(const struct kind *kind, const char *one, const char *two, bool is_known)
{
	const struct material *m = material(kind->material, 0),
			      *other = material(kind->material, 1);
	struct side x = {.ms = enter(one)}, y = {.ms = enter(two)}, z = {.ms = y.ms};
	char name[64];

	(void)snprintf(name, sizeof name, "%s-1", kind->name);
	begin(&x, kind, name, m);
	begin(&y, kind, name, m);
	NEED(identity_same_name(&x.id, &y.id) || kind->class == CKO_DATA);
	expect(&x, &y, is_known ? IDENTITY_SAME : IDENTITY_UNKNOWN);
	name[strlen(name) - 1] = '2';
	begin(&z, kind, name, other);
	expect(&x, &z, is_known ? IDENTITY_DIFFERENT : IDENTITY_UNKNOWN);
	expect(&y, &z, is_known ? IDENTITY_DIFFERENT : IDENTITY_UNKNOWN);
	identity_free(&x.id);
	identity_free(&y.id);
	identity_free(&z.id);
}

/* Our names and our public key beside a foreign private key are a claim that its use refutes; and
 * a foreign public key beside ours takes nothing from it. */
static void liar(const struct kind *kind, const char *one, const char *two, bool is_believed)
{
	const struct material *ours = material(kind->material, 0);
	const struct material *foreign = material(kind->material, 1);
	struct side x = {.ms = enter(one)}, y = {.ms = enter(two)}, z = {.ms = y.ms};

	begin(&x, kind, "key", ours);
	NEED(x.id.kind == IDENTITY_PUBLIC);
	y.real = make(y.ms, kind, "key", foreign);
	NEED(y.real && make_public(y.ms, kind, "key", ours));
	NEED(identity_read(y.ms, y.real, &y.id) == CKR_OK);
	if (is_believed)
		NEED(identity_compare(&x.id, &y.id) == IDENTITY_SAME);
	NEED(proved(&y, &x.id) == IDENTITY_DIFFERENT);
	z.real = make(z.ms, kind, "other", ours);
	NEED(z.real && make_public(z.ms, kind, "other", foreign));
	NEED(identity_read(z.ms, z.real, &z.id) == CKR_OK);
	NEED(proved(&z, &x.id) == IDENTITY_SAME);
	if (is_believed)
		NEED(proved(&z, &z.id) == IDENTITY_DIFFERENT);
	identity_free(&x.id);
	identity_free(&y.id);
	identity_free(&z.id);
}

static void neighbour(const char *one)
{
	const struct kind *kind = kind_of("ec256"), *paper = kind_of("certificate");
	const struct material *m = material("ec256", 0);
	struct side x = {.ms = enter(one)}, lonely = {.ms = x.ms};

	x.real = make(x.ms, kind, "with-paper", m);
	NEED(x.real && make(x.ms, paper, "with-paper", m));
	NEED(identity_read(x.ms, x.real, &x.id) == CKR_OK);
	NEED(x.id.kind == IDENTITY_PUBLIC && proved(&x, &x.id) == IDENTITY_SAME);
	lonely.real = make(x.ms, kind, "lonely", m);
	NEED(lonely.real && identity_read(x.ms, lonely.real, &lonely.id) == CKR_OK);
	NEED(lonely.id.kind == IDENTITY_NONE);
	NEED(proved(&lonely, &x.id) == IDENTITY_SAME);
	NEED(proved(&x, &lonely.id) == IDENTITY_UNKNOWN);
	identity_free(&x.id);
	identity_free(&lonely.id);
}

static size_t found(struct member_session *ms, const struct identity *known, bool any_label)
{
	struct buf out = {0};
	size_t n;

	NEED(identity_find(ms, known, any_label, &out) == CKR_OK);
	n = out.len / sizeof(CK_OBJECT_HANDLE);
	buf_free(&out);
	return n;
}

static void find(const char *one)
{
	const struct kind *kind = kind_of("aes");
	const struct material *m = material("bytes", 0);
	struct side x = {.ms = enter(one)};
	struct recipe twin = {CKO_SECRET_KEY, CKK_AES,         {CKA_ENCRYPT},
			      "found",        "another label", false};
	struct recipe hmac = {CKO_SECRET_KEY, CKK_GENERIC_SECRET, {CKA_SIGN}, "found", "found",
			      false};

	begin(&x, kind, "found", m);
	NEED(found(x.ms, &x.id, false) == 1 && found(x.ms, &x.id, true) == 1);
	NEED(object_make(x.ms, &twin, m) && object_make(x.ms, &hmac, m));
	NEED(found(x.ms, &x.id, false) == 1);
	NEED(found(x.ms, &x.id, true) == 2);
	x.id.id.len = 0; /* by label alone */
	NEED(found(x.ms, &x.id, true) == 1);
	x.id.label.len = 0; /* by class and type alone */
	NEED(found(x.ms, &x.id, true) >= 2);
	x.id.is_token = false;
	NEED(found(x.ms, &x.id, true) == 0);
	identity_free(&x.id);
}

static void compare_all(char **argv, bool is_known)
{
	for (char **name = argv + 5; *name; name++) {
		(void)printf("%s on %s and %s\n", *name, argv[3], argv[4]);
		NEED(kind_of(*name));
		compare(kind_of(*name), argv[3], argv[4], is_known);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[2] : "";

	NEED(argc > 3 && mux_init(NULL) == CKR_OK);
	if (strcmp(what, "neighbour") == 0) {
		neighbour(argv[3]);
	} else if (strcmp(what, "find") == 0) {
		find(argv[3]);
	} else if (strcmp(what, "liar") == 0 && argc > 4) {
		liar(kind_of("rsa"), argv[3], argv[4], false);
		liar(kind_of("ec256"), argv[3], argv[4], argc > 5);
	} else {
		NEED(argc > 5 && (strcmp(what, "same") == 0 || strcmp(what, "unknown") == 0));
		compare_all(argv, strcmp(what, "same") == 0);
	}
	NEED(mux_fini() == CKR_OK);
	return 0;
}
