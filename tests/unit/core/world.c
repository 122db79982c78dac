/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole core over the null token. A test that cannot have one is of no use: it aborts. */
#include "tests/unit/core/world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/config.h"
#include "core/find.h"
#include "core/group.h"
#include "core/health.h"
#include "core/login.h"
#include "core/mux.h"
#include "core/object_call.h"
#include "core/operation.h"
#include "tests/unit/core/files.h"
#include "tests/unit/core/stats.h"

/* How long the health thread may take to end. */
#define STOP_MS 10000

static CK_FUNCTION_LIST *real[WORLD_MEMBERS];
static CK_FUNCTION_LIST changed[WORLD_MEMBERS];

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

const char *world_token_file(void)
{
	return NULL_TOKEN_FILE;
}

static struct config *parse(const char *text)
{
	struct diag diag = {0};
	struct config *config;
	static char line[900];

	config = config_parse(files_write("hsmux.conf", text, 0600), CONFIG_FROM_ARGS, &diag);
	for (size_t i = 0; i < diag.count; i++) {
		diag_format(&diag, i, line, sizeof line);
		(void)fprintf(stderr, "%s\n", line);
	}
	need(config != NULL, "no configuration");
	return config;
}

struct config *world_config(const char *member, const char *token)
{
	static char text[1900];
	int n;

	n = snprintf(text, sizeof text,
		     "version = 1;\n"
		     "log = { level = \"error\"; };\n"
		     "modules = ({ name = \"null\"; library = \"%s\"; });\n"
		     "tokens = ({ label = \"t\"; mode = \"passthrough\"; %s\n"
		     "members = ({ name = \"a\"; module = \"null\"; token = \"null\"; %s }); });\n",
		     NULL_TOKEN_FILE, token ? token : "", member ? member : "");
	need(n > 0 && (size_t)n < sizeof text, "configuration too long");
	return parse(text);
}

static void start(struct config *config)
{
	need(mux_init_config(config) == CKR_OK, "does not start");
	for (unsigned i = 0; i < world_group()->member_count; i++)
		real[i] = world_member_at(i)->lib->v2;
}

void world_begin(const char *member, const char *token)
{
	stats_begin(files_begin());
	start(world_config(member, token));
}

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

/* Nothing is shared with other processes, and members that are well are left alone. */
static bool print_many(struct buf *text, const struct world_many *many, const char *dir)
{
	bool ok = buf_printf(text,
			     "version = 1;\nlog = { level = \"error\"; };\n"
			     "state = { directory = \"%s\"; };\n"
			     "health = { interval_ms = 3600000; };\nmodules = (",
			     dir);

	for (unsigned i = 0; i < many->count; i++)
		ok = ok && buf_printf(text,
				      "%s{ name = \"n%u\"; library = \"%s\"; "
				      "private_copy = true; %s }",
				      i > 0 ? ",\n" : "", i, NULL_TOKEN_FILE,
				      or_nothing(many->module[i]));
	ok = ok && buf_printf(text, ");\ntokens = ({ label = \"t\"; mode = \"%s\"; %s\nmembers = (",
			      many->mode, or_nothing(many->token));
	for (unsigned i = 0; i < many->count; i++)
		ok = ok && buf_printf(text,
				      "%s{ name = \"m%u\"; module = \"n%u\"; token = \"null\"; "
				      "%s }",
				      i > 0 ? ",\n" : "", i, i, or_nothing(many->member[i]));
	return ok && buf_printf(text, "); });\n");
}

void world_begin_many(const struct world_many *many)
{
	const char *dir = files_begin();
	struct buf text = {0};

	need(print_many(&text, many, dir), "no memory for a configuration");
	stats_begin(dir);
	start(parse((const char *)text.data));
	buf_free(&text);
	if (!many->comes_back)
		need(health_stop(STOP_MS), "the health thread does not stop");
	for (unsigned i = 0; i < many->count; i++) {
		struct member *m = world_member_at(i);

		need(atomic_load(&m->state) == MEMBER_UP, "a member is not up");
		atomic_store(&m->serves, 1);
		/* Calls without a thread take it that somebody else is bringing it back. */
		atomic_store(&m->is_returning, !many->comes_back);
	}
}

void world_end(void)
{
	for (unsigned i = 0; i < world_group()->member_count; i++)
		world_member_at(i)->lib->v2 = real[i];
	need(mux_fini() == CKR_OK, "does not stop");
	need(stats_sessions() == 0, "sessions are left on the null token");
	files_end();
}

void world_lose(unsigned i)
{
	struct member *m = world_member_at(i);

	member_lost(m, atomic_load(&m->epoch), "a test", CKR_DEVICE_REMOVED);
	atomic_store(&m->serves, 0);
}

void world_bring_back(unsigned i)
{
	struct member *m = world_member_at(i);

	need(member_up(m, true), "a member does not come back");
	login_sync(world_group(), m);
	if (atomic_load(&m->state) == MEMBER_UP) /* not lost again at its login */
		atomic_store(&m->serves, 1);
}

void world_restart(unsigned i)
{
	need(real[i]->C_Finalize(NULL) == CKR_OK, "a member does not stop");
	world_lose(i);
	world_bring_back(i);
}

struct group *world_group(void)
{
	return mux_group(0);
}

struct member *world_member(void)
{
	return world_member_at(0);
}

struct member *world_member_at(unsigned i)
{
	return &mux_group(0)->members[i];
}

CK_FUNCTION_LIST *world_list(void)
{
	return world_list_at(0);
}

CK_FUNCTION_LIST *world_list_at(unsigned i)
{
	if (world_member_at(i)->lib->v2 != &changed[i]) {
		changed[i] = *real[i];
		world_member_at(i)->lib->v2 = &changed[i];
	}
	return &changed[i];
}

const CK_FUNCTION_LIST *world_real(void)
{
	return real[0];
}

const CK_FUNCTION_LIST *world_real_at(unsigned i)
{
	return real[i];
}

uint64_t world_calls(const char *name)
{
	return stats_calls(name);
}

uint64_t world_sessions(void)
{
	return stats_sessions();
}

unsigned world_pool(struct member *m)
{
	unsigned open, busy;
	struct tally sum;

	pool_tally(&m->pool, &sum, &open, &busy);
	return open;
}

CK_SESSION_HANDLE world_open(void)
{
	CK_SESSION_HANDLE session = 0;

	need(session_open(WORLD_SLOT, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session) ==
		     CKR_OK,
	     "no session");
	return session;
}

CK_RV world_login(CK_SESSION_HANDLE session, const char *pin)
{
	return login_in(session, CKU_USER, (const CK_BYTE *)pin, strlen(pin), NULL, 0);
}

CK_SESSION_HANDLE world_enter(void)
{
	CK_SESSION_HANDLE session = world_open();

	need(world_login(session, WORLD_PIN) == CKR_OK, "no login");
	return session;
}

static CK_ULONG search(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *first)
{
	CK_ATTRIBUTE tmpl = {CKA_CLASS, &class, sizeof class};
	CK_OBJECT_HANDLE found[200];
	CK_ULONG n = 0;

	*first = 0;
	if (find_init(session, &tmpl, 1) != CKR_OK)
		return 0;
	if (find_next(session, found, 200, &n) != CKR_OK)
		n = 0;
	if (n > 0)
		*first = found[0];
	(void)find_final(session); /* it was begun */
	return n;
}

CK_OBJECT_HANDLE world_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class)
{
	CK_OBJECT_HANDLE first;

	(void)search(session, class, &first);
	return first;
}

CK_ULONG world_count(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class)
{
	CK_OBJECT_HANDLE first;

	return search(session, class, &first);
}

CK_OBJECT_HANDLE world_make(CK_SESSION_HANDLE session)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL no = CK_FALSE;
	CK_BYTE label[] = {'m', 'a', 'd', 'e'};
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_TOKEN, &no, sizeof no},
			       {CKA_LABEL, label, sizeof label}};
	CK_OBJECT_HANDLE object = 0;

	return object_create(session, tmpl, 3, &object) == CKR_OK ? object : 0;
}

CK_RV world_sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	CK_BYTE hash[32] = {0}, signature[256];
	CK_ULONG len = sizeof signature;
	struct op_io io = {.in = hash,
			   .in_len = sizeof hash,
			   .out = signature,
			   .out_len = &len,
			   .has_in = true,
			   .has_out = true};
	CK_RV rv = op_init(CALL_C_SignInit, OP_SIGN, session, &mechanism, key);

	return rv == CKR_OK ? op_step(CALL_C_Sign, OP_SIGN, OP_SINGLE, session, &io) : rv;
}
