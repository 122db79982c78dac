/* SPDX-License-Identifier: BSD-2-Clause */
/* Two members over the null token. A test that cannot have them is of no use: it aborts.
 *
 * The null token's HMAC is none: the first member's is made here, from the canary's published value
 * (a key of another value is not known to this file, and gives the same). */
#include "tests/unit/core/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/health.h"
#include "core/probe.h"
#include "policy/policy.h"
#include "tests/unit/core/files.h"
#include "tests/unit/core/stats.h"

struct pair_ill pair_ill;

static struct assembly all;
static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ill;
static char directory[300];
static _Thread_local CK_MECHANISM_TYPE mechanism;
static _Thread_local bool is_session_key;
static _Atomic CK_OBJECT_HANDLE session_key;

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

void pair_pause(void)
{
	const struct timespec shortly = {.tv_nsec = 1000 * 1000L};

	nanosleep(&shortly, NULL);
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv = atomic_load(&pair_ill.token_info);

	atomic_fetch_add(&pair_ill.asked, 1);
	atomic_fetch_add(&pair_ill.inside, 1);
	for (unsigned i = 0; i < 3 && atomic_load(&pair_ill.is_slow); i++)
		pair_pause();
	while (atomic_load(&pair_ill.hangs)) {
		atomic_store(&pair_ill.is_hanging, 1);
		pair_pause();
	}
	atomic_store(&pair_ill.is_hanging, 0);
	rv = rv ? rv : real->C_GetTokenInfo(slot, info);
	atomic_fetch_sub(&pair_ill.inside, 1);
	return rv;
}

static CK_RV slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
	CK_RV rv = atomic_load(&pair_ill.slots);

	return rv ? rv : real->C_GetSlotList(present, slots, count);
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
			  CK_SESSION_HANDLE *session)
{
	CK_RV rv = atomic_load(&pair_ill.open);

	if (rv == CKR_OK && (flags & CKF_RW_SESSION))
		rv = atomic_load(&pair_ill.open_rw);
	return rv ? rv : real->C_OpenSession(slot, flags, application, notify, session);
}

static CK_RV session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	CK_RV rv = real->C_GetSessionInfo(session, info);

	if (rv == CKR_OK && atomic_load(&pair_ill.sees_user))
		info->state = CKS_RO_USER_FUNCTIONS;
	return rv;
}

static CK_RV find_next(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *found, CK_ULONG max,
		       CK_ULONG *count)
{
	CK_RV rv = real->C_FindObjects(session, found, max, count);

	if (rv == CKR_OK && atomic_load(&pair_ill.finds_nothing))
		*count = 0;
	return rv;
}

/* Whether the template says that of the attribute. */
static bool says(const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_ATTRIBUTE_TYPE type, CK_BBOOL what)
{
	for (CK_ULONG i = 0; i < count; i++)
		if (tmpl[i].type == type)
			return *(const CK_BBOOL *)tmpl[i].pValue == what;
	return false;
}

static bool is_narrow(const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	static const CK_ATTRIBUTE_TYPE none[] = {CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP,
						 CKA_UNWRAP,  CKA_DERIVE,  CKA_MODIFIABLE};
	bool is = true;

	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		is = is && says(tmpl, count, none[i], CK_FALSE);
	return is;
}

static CK_RV create(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		    CK_OBJECT_HANDLE *object)
{
	bool on_token = says(tmpl, count, CKA_TOKEN, CK_TRUE);
	bool narrow = is_narrow(tmpl, count);
	CK_RV rv = atomic_load(&pair_ill.create);

	if (rv == CKR_OK)
		rv = real->C_CreateObject(session, tmpl, count, object);
	if (rv == CKR_OK && narrow)
		atomic_fetch_add(&pair_ill.narrow, 1);
	if (rv == CKR_OK && on_token)
		atomic_fetch_add(&pair_ill.made, 1);
	else if (rv == CKR_OK)
		atomic_store(&session_key, *object);
	return rv;
}

static CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	CK_RV rv = real->C_DestroyObject(session, object);

	if (rv == CKR_OK && object != atomic_load(&session_key))
		atomic_fetch_add(&pair_ill.destroyed, 1);
	return rv;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM known = {CKM_SHA256_HMAC, NULL, 0};
	CK_RV rv = atomic_load(&pair_ill.sign_init);

	if (rv != CKR_OK)
		return rv;
	if (atomic_load(&pair_ill.has_no_sha256) && m->mechanism == CKM_SHA256_HMAC)
		return CKR_MECHANISM_INVALID;
	mechanism = m->mechanism;
	is_session_key = key == atomic_load(&session_key);
	return real->C_SignInit(session, &known, key);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		  CK_ULONG *out_len)
{
	static const char value[] = "hsmux-canary: it guards nothing.";
	CK_RV rv = atomic_load(&pair_ill.sign);
	CK_BYTE ignored[64];
	CK_ULONG ignored_len = sizeof ignored;
	unsigned len = 0;

	atomic_fetch_add(&pair_ill.signatures, 1);
	if (rv == CKR_OK && atomic_load(&pair_ill.mac_is_null))
		return real->C_Sign(session, in, in_len, out, out_len);
	if (rv == CKR_OK)
		rv = real->C_Sign(session, in, in_len, ignored, &ignored_len);
	if (rv != CKR_OK)
		return rv;
	need(HMAC(mechanism == CKM_SHA256_HMAC ? EVP_sha256() : EVP_sha1(), value,
		  (int)sizeof value - 1, in, in_len, out, &len) != NULL,
	     "no HMAC");
	if (atomic_load(&pair_ill.mac_of_objects) && !is_session_key)
		out[0] ^= 1;
	*out_len = len;
	return CKR_OK;
}

static void make_ill(void)
{
	ill = *real;
	ill.C_GetTokenInfo = token_info;
	ill.C_GetSlotList = slot_list;
	ill.C_OpenSession = open_session;
	ill.C_GetSessionInfo = session_info;
	ill.C_FindObjects = find_next;
	ill.C_CreateObject = create;
	ill.C_DestroyObject = destroy;
	ill.C_SignInit = sign_init;
	ill.C_Sign = sign;
}

/* The two tokens of the configuration become one, whatever modes the parser knows. */
static struct config *make_config(const char *state_directory)
{
	struct diag diag = {0};
	struct config_member *both = calloc(2, sizeof *both);
	struct config *c;
	char text[1500];
	int n = snprintf(
		text, sizeof text,
		"version = 1;\nlog = { level = \"error\"; };\n"
		"modules = ({ name = \"null0\"; library = \"%s\"; private_copy = true; },\n"
		"           { name = \"null1\"; library = \"%s\"; private_copy = true;\n"
		"             env = { NULL_TOKEN_LABEL = \"other\"; }; });\n"
		"tokens = ({ label = \"t\"; mode = \"passthrough\"; members = "
		"({ name = \"a\"; module = \"null0\"; token = \"null\"; }); },\n"
		"          { label = \"u\"; mode = \"passthrough\"; members = "
		"({ name = \"b\"; module = \"null1\"; token = \"other\"; }); });\n",
		NULL_TOKEN_FILE, NULL_TOKEN_FILE);

	need(both && n > 0 && (size_t)n < sizeof text, "configuration too long");
	c = config_parse(files_write("hsmux.conf", text, 0600), CONFIG_FROM_ARGS, &diag);
	need(c != NULL, "no configuration");
	both[0] = c->tokens[0].members[0];
	both[1] = c->tokens[1].members[0];
	free(c->tokens[0].members);
	free(c->tokens[1].members);
	free(c->tokens[1].label);
	policy_free(c->tokens[1].policy);
	c->tokens[0].members = both;
	c->tokens[0].member_count = 2;
	c->tokens[0].mode = CONFIG_MODE_FAILOVER;
	c->token_count = 1;
	c->health.interval_ms = 1000;
	c->health.failures = 3;
	c->health.open_ms = 500;
	c->health.open_max_ms = 4000;
	free(c->state_directory);
	c->state_directory = strdup(state_directory);
	return c;
}

const char *pair_directory(void)
{
	return directory;
}

void pair_start_in(const char *state_directory, bool may_thread)
{
	need(assembly_build(&all, make_config(state_directory), may_thread) == CKR_OK,
	     "does not start");
}

void pair_start(bool may_thread)
{
	pair_start_in(directory, may_thread);
}

void pair_stop(void)
{
	assembly_ending(&all);
	need(assembly_stop(&all, true, 5000), "does not stop");
	free(all.config->state_directory);
	all.config->state_directory = NULL;
	assembly_free(&all);
}

/* The first canary was made before the HMAC was right: all is forgotten. */
static void forget_canary(struct member *m)
{
	CK_BYTE label[] = PROBE_CANARY_LABEL;
	CK_ATTRIBUTE tmpl = {CKA_LABEL, label, sizeof label - 1};
	CK_OBJECT_HANDLE found[64];
	CK_SESSION_HANDLE s = 0;
	CK_ULONG n = 0;

	need(m->lib->v2->C_OpenSession(m->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				       &s) == CKR_OK &&
		     m->lib->v2->C_FindObjectsInit(s, &tmpl, 1) == CKR_OK &&
		     m->lib->v2->C_FindObjects(s, found, 64, &n) == CKR_OK &&
		     m->lib->v2->C_FindObjectsFinal(s) == CKR_OK,
	     "no search");
	for (CK_ULONG i = 0; i < n; i++)
		need(m->lib->v2->C_DestroyObject(s, found[i]) == CKR_OK, "not destroyed");
	need(m->lib->v2->C_CloseSession(s) == CKR_OK, "not closed");
	atomic_store(&m->has_canary, 0);
	m->canary = (struct member_canary){0};
}

void pair_begin(bool may_thread)
{
	const char *dir = files_begin();

	(void)snprintf(directory, sizeof directory, "%s", dir);
	stats_begin(directory);
	memset(&pair_ill, 0, sizeof pair_ill);
	pair_start(may_thread);
	pthread_mutex_lock(&pair_member(0)->lib->lock);
	real = pair_member(0)->lib->v2;
	make_ill();
	forget_canary(pair_member(0));
	pair_member(0)->lib->v2 = &ill;
	pthread_mutex_unlock(&pair_member(0)->lib->lock);
}

void pair_end(void)
{
	pair_stop();
	files_end();
}

struct assembly *pair_assembly(void)
{
	return &all;
}

struct group *pair_group(void)
{
	return all.groups[0];
}

struct member *pair_member(unsigned i)
{
	return &all.groups[0]->members[i];
}

void pair_lose(unsigned i)
{
	member_lost(pair_member(i), atomic_load(&pair_member(i)->epoch), "a test",
		    CKR_DEVICE_REMOVED);
}

bool pair_until(bool (*is)(void))
{
	for (unsigned i = 0; i < 10000 && !is(); i++)
		pair_pause();
	return is();
}
