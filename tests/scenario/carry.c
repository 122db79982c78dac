/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and other objects carried between real members. Over the core itself, not over the module.
 *
 *   kek TOKEN MEMBER...                gives them the same KEK
 *   works TOKEN FROM TO KIND...        an object of each KIND (a row of `kinds`) is carried
 *   refuses TOKEN FROM TO KIND WORDS   it cannot be, and the reason has these WORDS in it
 *   taken TOKEN FROM TO KIND           TO has a key of the same CKA_ID, which must not be replaced
 *   route TOKEN FROM TO KIND WORDS     what carry_route_find() says, tried anew
 *   fails TOKEN FROM TO KIND PLAN FAULT...  each call that a FAULT names (a function, and what it
 *                                      answers) fails in turn, by the plan of a fault token
 *
 * After each: no object is on any member that was not there before, but the copy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/carry.h"
#include "core/group.h"
#include "core/login.h"
#include "core/member_op.h"
#include "core/mux.h"
#include "core/orphan.h"
#include "core/probe.h"
#include "core/session.h"
#include "tests/scenario/identity_make.h"

#define PIN     "1234"
#define MEMBERS 8U
/* No way has more calls of one function. */
#define MOST 400U

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
	{"rsa", "rsa2048", CKO_PRIVATE_KEY, CKK_RSA, {CKA_SIGN, CKA_DECRYPT}},
	{"rsa_decrypts", "rsa2048", CKO_PRIVATE_KEY, CKK_RSA, {CKA_DECRYPT}},
	{"rsa_unwraps", "rsa2048", CKO_PRIVATE_KEY, CKK_RSA, {CKA_UNWRAP}},
	{"rsa_wants_login",
	 "rsa2048",
	 CKO_PRIVATE_KEY,
	 CKK_RSA,
	 {CKA_SIGN, CKA_ALWAYS_AUTHENTICATE}},
	{"rsa_public", "rsa2048", CKO_PUBLIC_KEY, CKK_RSA, {0}},
	{"ec256", "ec256", CKO_PRIVATE_KEY, CKK_EC, {CKA_SIGN}},
	{"ec384", "ec384", CKO_PRIVATE_KEY, CKK_EC, {CKA_SIGN, CKA_DERIVE}},
	{"ec521", "ec521", CKO_PRIVATE_KEY, CKK_EC, {CKA_SIGN}},
	{"ec_derives", "ec256", CKO_PRIVATE_KEY, CKK_EC, {CKA_DERIVE}},
	{"ec_public", "ec521", CKO_PUBLIC_KEY, CKK_EC, {0}},
	{"ed25519", "ed25519", CKO_PRIVATE_KEY, CKK_EC_EDWARDS, {CKA_SIGN}},
	{"aes", "bytes", CKO_SECRET_KEY, CKK_AES, {CKA_ENCRYPT, CKA_DECRYPT}},
	{"aes_wraps", "bytes", CKO_SECRET_KEY, CKK_AES, {CKA_WRAP}},
	{"aes_does_nothing", "bytes", CKO_SECRET_KEY, CKK_AES, {0}},
	{"generic", "bytes", CKO_SECRET_KEY, CKK_GENERIC_SECRET, {CKA_SIGN}},
	{"derives_only", "bytes", CKO_SECRET_KEY, CKK_GENERIC_SECRET, {CKA_DERIVE}},
	{"certificate", "ec256", CKO_CERTIFICATE, CK_UNAVAILABLE_INFORMATION, {0}},
	{"data", "bytes", CKO_DATA, CK_UNAVAILABLE_INFORMATION, {0}},
	{"private_data", "bytes", CKO_DATA, CK_UNAVAILABLE_INFORMATION, {0}},
};

static struct group *group;

/* One object on its way. */
struct way {
	const struct kind *kind;
	struct member *from, *to;
	CK_OBJECT_HANDLE original;
	struct identity id;
	struct blueprint as;
	struct carry c;
	char tag[MEMBER_TAG_ROOM];
	unsigned before[MEMBERS]; /* objects on the members */
};

static void enter(const char *label)
{
	CK_SESSION_HANDLE session;

	for (size_t i = 0; i < mux_group_count() && !group; i++)
		if (strcmp(mux_group(i)->conf->label, label) == 0)
			group = mux_group(i);
	NEED(group && group->member_count <= MEMBERS);
	NEED(session_open(group->conf->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
			  &session) == CKR_OK);
	NEED(login_in(session, CKU_USER, (const CK_BYTE *)PIN, strlen(PIN), NULL, 0) == CKR_OK);
}

static struct member *member(const char *name)
{
	for (size_t i = 0; i < group->member_count; i++)
		if (strcmp(group->members[i].conf->name, name) == 0)
			return &group->members[i];
	(void)printf("no member %s\n", name);
	exit(1);
}

static struct member_session *take(struct member *m)
{
	struct member_session *ms = NULL;

	NEED(pool_take(m, 0, 1000, &ms) == CKR_OK);
	return ms;
}

/* How many objects a new session sees. */
static unsigned count_of(struct member *m, const char *label)
{
	struct buf found = {0};
	char name[32];
	CK_ATTRIBUTE a = {CKA_LABEL, name, label ? strlen(label) : 0};
	struct call call = {.id = CALL_C_FindObjectsInit,
			    .tmpl = {&a},
			    .tmpl_count = {label ? 1 : 0},
			    .found = &found};
	struct member_session *ms = take(m);
	unsigned n;

	(void)snprintf(name, sizeof name, "%s", label ? label : "");
	NEED(member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0}) == CKR_OK);
	n = (unsigned)(found.len / sizeof(CK_OBJECT_HANDLE));
	buf_free(&found);
	pool_drop(ms);
	return n;
}

/* Without the canary, which is made when the health thread finds time for it. */
static unsigned count(struct member *m)
{
	return count_of(m, NULL) - count_of(m, PROBE_CANARY_LABEL);
}

static void count_all(unsigned n[MEMBERS])
{
	for (size_t i = 0; i < group->member_count; i++)
		n[i] = count(&group->members[i]);
}

/* `more` objects are on w->to, none elsewhere. */
static void need_more(const struct way *w, unsigned more)
{
	for (size_t i = 0; i < group->member_count; i++) {
		struct member *m = &group->members[i];
		unsigned n = count(m), right = w->before[i] + (m == w->to ? more : 0);

		if (n != right)
			(void)printf("member %s has %u objects, not %u\n", m->conf->name, n, right);
		NEED(n == right);
	}
}

static void make_kek(struct member *m)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_BYTE value[32] = "a KEK that everybody knows: 0123";
	char label[] = "hsmux-kek", id[] = "kek";
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &class, sizeof class},    {CKA_KEY_TYPE, &type, sizeof type},
		{CKA_TOKEN, &yes, sizeof yes},        {CKA_PRIVATE, &yes, sizeof yes},
		{CKA_LABEL, label, sizeof label - 1}, {CKA_ID, id, sizeof id - 1},
		{CKA_SENSITIVE, &yes, sizeof yes},    {CKA_EXTRACTABLE, &no, sizeof no},
		{CKA_WRAP, &yes, sizeof yes},         {CKA_UNWRAP, &yes, sizeof yes},
		{CKA_ENCRYPT, &no, sizeof no},        {CKA_DECRYPT, &no, sizeof no},
		{CKA_SIGN, &no, sizeof no},           {CKA_VERIFY, &no, sizeof no},
		{CKA_VALUE, value, sizeof value}};
	struct call call = {.id = CALL_C_CreateObject,
			    .tmpl = {tmpl},
			    .tmpl_count = {sizeof tmpl / sizeof tmpl[0]}};

	struct member_session *ms = take(m);

	NEED(member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0}) == CKR_OK);
	pool_give(ms, 0);
}

static void keks(char **argv)
{
	for (char **name = argv; *name; name++)
		make_kek(member(*name));
}

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	(void)printf("no kind %s\n", name);
	exit(1);
}

/* Kept until the end. */
static const struct material *material_of(const struct kind *kind)
{
	static const struct material *kept[32];
	static size_t count;

	NEED(count < sizeof kept / sizeof kept[0]);
	kept[count] = material_new(kind->material);
	return kept[count++];
}

static CK_OBJECT_HANDLE make(struct member_session *ms, const struct kind *kind, const char *name)
{
	const struct material *m = material_of(kind);
	struct recipe r = {.class = kind->class,
			   .type = kind->type,
			   .id = name,
			   .label = name,
			   .is_wrappable = true};
	struct recipe beside = {
		.class = CKO_PUBLIC_KEY, .type = kind->type, .id = name, .label = name};
	CK_OBJECT_HANDLE real;

	memcpy(r.may, kind->may, sizeof r.may);
	real = object_make(ms, &r, m);
	if (kind->class == CKO_PRIVATE_KEY)
		NEED(object_make(ms, &beside, m));
	return real;
}

static CK_OBJECT_HANDLE private_data(struct member_session *ms, const char *name)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	char label[64];
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_TOKEN, &yes, sizeof yes},
			       {CKA_PRIVATE, &yes, sizeof yes},
			       {CKA_LABEL, label, strlen(name)},
			       {CKA_VALUE, label, strlen(name)}};
	struct call call = {.id = CALL_C_CreateObject, .tmpl = {tmpl}, .tmpl_count = {5}};

	(void)snprintf(label, sizeof label, "%s", name);
	NEED(member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0}) == CKR_OK);
	return call.made[0];
}

/* An object on `from`, and what its copy has to be. */
static void begin(struct way *w, char **argv, const char *kind)
{
	char name[64];
	struct member_session *ms;

	w->kind = kind_of(kind);
	w->from = member(argv[0]);
	w->to = member(argv[1]);
	(void)snprintf(name, sizeof name, "%s-%s-%s", kind, argv[0], argv[1]);
	ms = take(w->from);
	w->original = strcmp(kind, "private_data") == 0 ? private_data(ms, name)
							: make(ms, w->kind, name);
	NEED(w->original);
	NEED(identity_read(ms, w->original, &w->id) == CKR_OK);
	NEED(blueprint_read(ms, w->original, &w->as) == CKR_OK);
	NEED(orphan_tag(w->tag) && blueprint_set(&w->as, CKA_LABEL, w->tag, ORPHAN_TAG_LEN));
	pool_drop(ms);
	count_all(w->before);
}

static void end(struct way *w)
{
	blueprint_free(&w->as);
	identity_free(&w->id);
}

/* Carries, on sessions of its own that stay open. */
static CK_RV go(struct way *w)
{
	w->c = (struct carry){.from = take(w->from),
			      .real = w->original,
			      .id = &w->id,
			      .as = &w->as,
			      .to = take(w->to)};
	return carry(&w->c);
}

static void stop(struct way *w)
{
	pool_drop(w->c.from);
	pool_drop(w->c.to);
}

/* The copy is the key, what it says of itself is what was asked for. */
static void check(struct way *w)
{
	static const CK_ATTRIBUTE_TYPE may_lack[] = {CKA_SIGN_RECOVER, CKA_SUBJECT,
						     CKA_CERTIFICATE_CATEGORY,
						     CKA_JAVA_MIDP_SECURITY_DOMAIN};
	struct member_session *ms = take(w->to), *from = take(w->from);
	struct buf different = {0};
	bool same = false;

	if (w->kind->class != CKO_DATA)
		NEED(carry_is_same(ms, w->c.made, &w->id, from, w->original, &same) == CKR_OK &&
		     same);
	pool_drop(ms);
	pool_drop(from);
	ms = take(w->to);
	for (size_t i = 0; i < sizeof may_lack / sizeof may_lack[0]; i++)
		blueprint_drop(&w->as, may_lack[i]);
	NEED(blueprint_compare(&w->as, ms, w->c.made, &different) == CKR_OK);
	for (size_t i = 0; i < different.len / sizeof(CK_ATTRIBUTE_TYPE); i++)
		(void)printf("attribute 0x%lx\n",
			     ((const CK_ATTRIBUTE_TYPE *)(const void *)different.data)[i]);
	NEED(different.len == 0);
	buf_free(&different);
	pool_drop(ms);
}

static void works(char **argv)
{
	for (char **kind = argv + 2; *kind; kind++) {
		struct way w = {0};
		CK_RV rv;

		(void)printf("%s from %s to %s\n", *kind, argv[0], argv[1]);
		begin(&w, argv, *kind);
		rv = go(&w);
		if (rv != CKR_OK)
			(void)printf("0x%lx: %s\n", rv, w.c.why);
		NEED(rv == CKR_OK && w.c.made && w.c.why[0] == '\0');
		check(&w);
		stop(&w);
		need_more(&w, 1);
		end(&w);
	}
}

static void refuses(char **argv)
{
	struct way w = {0};
	CK_RV rv;

	begin(&w, argv, argv[2]);
	rv = go(&w);
	(void)printf("0x%lx: %s\n", rv, w.c.why);
	NEED(rv == CKR_MECHANISM_INVALID && w.c.is_unable && !w.c.made);
	NEED(strstr(w.c.why, argv[3]));
	stop(&w);
	need_more(&w, 0);
	end(&w);
}

static void taken(char **argv)
{
	struct way w = {0};
	struct identity id = {0};
	struct member_session *ms;
	enum identity_match match = IDENTITY_UNKNOWN;
	CK_OBJECT_HANDLE there;
	char name[64];

	(void)snprintf(name, sizeof name, "%s-%s-%s", argv[2], argv[0], argv[1]);
	ms = take(member(argv[1]));
	there = make(ms, kind_of(argv[2]), name);
	NEED(there && identity_read(ms, there, &id) == CKR_OK);
	begin(&w, argv, argv[2]);
	NEED(identity_compare(&id, &w.id) == IDENTITY_DIFFERENT);
	NEED(go(&w) == CKR_MECHANISM_INVALID && w.c.is_unable && !w.c.made);
	(void)printf("%s\n", w.c.why);
	NEED(strstr(w.c.why, "CKA_ID") && strstr(w.c.why, argv[1]));
	stop(&w);
	need_more(&w, 0);
	NEED(identity_prove(ms, there, &id, &match) == CKR_OK && match == IDENTITY_SAME);
	pool_drop(ms);
	identity_free(&id);
	end(&w);
}

static void route(char **argv)
{
	struct carry_route r = {0};
	const struct kind *kind = kind_of(argv[2]);
	enum carry_kind k = kind->class == CKO_SECRET_KEY ? CARRY_SECRET
			    : kind->type == CKK_RSA       ? CARRY_RSA
							  : CARRY_EC;

	NEED(carry_route_find(member(argv[0]), member(argv[1]), k, true, &r) == CKR_OK);
	(void)printf("known %d open %d over %d: %s\n", r.is_known, r.is_open, r.over, r.text);
	NEED(strstr(r.text, argv[3]));
	NEED(r.is_open == (strstr(argv[3], "->") || strstr(argv[3], "over")));
}

static void plan(const char *file, const char *line)
{
	char next[300];
	FILE *f;

	NEED(snprintf(next, sizeof next, "%s.next", file) < (int)sizeof next);
	f = fopen(next, "w");
	NEED(f && fprintf(f, "%s\n", line) > 0 && fclose(f) == 0 && rename(next, file) == 0);
}

/* What the caller does with a copy that may have been left: it carries the tag. */
static void clean(const struct way *w)
{
	struct member_session *ms = take(w->to);
	size_t n;

	NEED(orphan_destroy(ms, w->tag, &n) == CKR_OK);
	pool_drop(ms);
}

/* The nth call of a fault's function fails. True while there was one. */
static bool fails_at(struct way *w, const char *file, const char *function, const char *action,
		     unsigned n)
{
	char line[128];
	CK_RV rv;

	(void)snprintf(line, sizeof line, "%s nth %u %s", function, n, action);
	plan(file, line);
	rv = go(w);
	plan(file, "");
	stop(w);
	if (rv != CKR_OK) {
		(void)printf("%s: 0x%lx %s\n", line, rv, w->c.why);
		NEED(w->c.why[0] != '\0');
		clean(w);
		need_more(w, 0);
		return true;
	}
	need_more(w, 1);
	clean(w);
	need_more(w, 0);
	return false;
}

/* Faults that the way overcomes look like the end: it is reached when several in a row do. A code
 * that says nothing is asked for again, and may be overcome each time. */
static void fails(char **argv)
{
	struct way w = {0};

	begin(&w, argv, argv[2]);
	for (char **fault = argv + 4; *fault; fault++) {
		char function[64], *action = strchr(*fault, ' ');
		unsigned failed = 0, in_a_row = 0, n = 0;

		NEED(action);
		(void)snprintf(function, sizeof function, "%.*s", (int)(action - *fault), *fault);
		while (in_a_row < 4 && ++n < MOST) {
			bool has_failed = fails_at(&w, argv[3], function, action + 1, n);

			failed += has_failed;
			in_a_row = has_failed ? 0 : in_a_row + 1;
		}
		(void)printf("%s: %u failed\n", *fault, failed);
		NEED(n < MOST && (failed > 0 || strstr(action, "GENERAL")));
	}
	end(&w);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(char **argv);
		int least;
	} verbs[] = {{"kek", keks, 1},    {"works", works, 3}, {"refuses", refuses, 4},
		     {"taken", taken, 3}, {"route", route, 4}, {"fails", fails, 5}};
	const char *what = argc > 3 ? argv[2] : "";
	bool is_done = false;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	NEED(argc > 3 && mux_init(NULL) == CKR_OK);
	enter(argv[3]);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(what, verbs[i].name) != 0)
			continue;
		NEED(argc - 4 >= verbs[i].least);
		verbs[i].run(argv + 4);
		is_done = true;
	}
	NEED(is_done);
	NEED(mux_fini() == CKR_OK);
	return 0;
}
