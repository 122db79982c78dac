/* SPDX-License-Identifier: BSD-2-Clause */
/* Every function, in random order, through hsmux over a token that answers at random (tests/token/hostile.c),
 * beside a healthy token in the same process: hostile MODULE FIRST-SEED COUNT [THREADS].
 *
 * What must hold whatever the token does: the application lives, every call returns, with a code that the
 * standard lists for it; no byte is written behind an output; no length is longer than its room and none
 * is absurd; no handle is 0; an attribute array keeps its types and pointers; the healthy token signs. Every
 * seed is one life from C_Initialize to C_Finalize, and says so when it fails. The labels of the two tokens
 * are "hostile" and "healthy". */
#include "tests/scenario/app.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/scenario/hostile_codes.h"
#include "tests/token/invoke.h"

#define CALLS 600
/* The healthy token is asked after this many calls. */
#define ASK_EVERY 100
#define SESSIONS  4
#define OBJECTS	  16
#define THREADS	  8
#define ROOM	  2048
/* No call and no life may take longer: a hang ends the program with SIGALRM. */
#define LIFE_S 60
/* Lives that are begun until the token is seen. */
#define ATTEMPTS 20
/* No answer of any token is as long. */
#define ABSURD 0x80000400UL

/* One thread's view of the hostile token, and what its arguments point to. */
struct player {
	struct loaded *m;
	uint64_t random;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session[SESSIONS];
	CK_OBJECT_HANDLE object[OBJECTS];
	CK_BYTE in[256];
	CK_BYTE out[2 * ROOM]; /* the second half is never offered */
	CK_ULONG room;
	CK_ULONG out_len;
	CK_ULONG result[2][64];
	CK_BYTE value[4][32];
	CK_ATTRIBUTE tmpl[4];
	CK_ATTRIBUTE before[4];
	CK_MECHANISM mechanism;
	union {
		CK_GCM_PARAMS gcm;
		CK_ECDH1_DERIVE_PARAMS ecdh;
		CK_HKDF_PARAMS hkdf;
		CK_RSA_PKCS_PSS_PARAMS pss;
		CK_SSL3_KEY_MAT_PARAMS key_mat;
		CK_BYTE flat[64];
	} param;
	CK_SSL3_KEY_MAT_OUT key_mat_out;
	unsigned long seed;
};

static unsigned long pick(struct player *p, unsigned long below)
{
	p->random = p->random * 6364136223846793005U + 1442695040888963407U;
	return (p->random >> 33) % below;
}

static CK_MECHANISM_TYPE mechanism_type(struct player *p)
{
	static const CK_MECHANISM_TYPE types[] = {
		CKM_SHA256, CKM_ECDSA,		CKM_AES_CBC_PAD,   CKM_AES_ECB,	     CKM_RSA_PKCS,
		CKM_RSA_X_509, CKM_SHA256_HMAC, CKM_AES_KEY_GEN,   CKM_AES_KEY_WRAP, CKM_EC_KEY_PAIR_GEN,
		CKM_VENDOR_DEFINED | 4711,
	};

	return types[pick(p, sizeof(types) / sizeof(types[0]))];
}

static void mechanism(struct player *p)
{
	CK_MECHANISM *m = &p->mechanism;

	memset(&p->param, 3, sizeof(p->param));
	*m = (CK_MECHANISM){mechanism_type(p), NULL, 0};
	switch (pick(p, 8)) {
	case 0:
		*m = (CK_MECHANISM){CKM_AES_GCM, &p->param, sizeof(p->param.gcm)};
		p->param.gcm = (CK_GCM_PARAMS){p->in, 12, 96, p->in, 20, 128};
		return;
	case 1:
		*m = (CK_MECHANISM){CKM_ECDH1_DERIVE, &p->param, sizeof(p->param.ecdh)};
		p->param.ecdh = (CK_ECDH1_DERIVE_PARAMS){CKD_NULL, 0, NULL, 65, p->in};
		return;
	case 2:
		*m = (CK_MECHANISM){CKM_HKDF_DERIVE, &p->param, sizeof(p->param.hkdf)};
		p->param.hkdf = (CK_HKDF_PARAMS){.bExtract = CK_TRUE,
						 .prfHashMechanism = CKM_SHA256,
						 .ulSaltType = CKF_HKDF_SALT_KEY,
						 .hSaltKey = p->object[pick(p, OBJECTS)]};
		return;
	case 3:
		*m = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &p->param, sizeof(p->param.pss)};
		return;
	case 4:
		*m = (CK_MECHANISM){CKM_TLS12_KEY_AND_MAC_DERIVE, &p->param, sizeof(p->param.key_mat)};
		memset(&p->param, 0, sizeof(p->param));
		p->param.key_mat.pReturnedKeyMaterial = &p->key_mat_out;
		if (pick(p, 2) == 0)
			m->mechanism = CKM_SSL3_KEY_AND_MAC_DERIVE;
		return;
	case 5:
		m->pParameter = p->param.flat;
		m->ulParameterLen = pick(p, 2) ? 16 : pick(p, sizeof(p->param.flat));
		return;
	default:
		return;
	}
}

static void template(struct player *p)
{
	static const CK_ATTRIBUTE_TYPE types[] = {CKA_TOKEN, CKA_LABEL,	  CKA_ID,    CKA_CLASS,
						  CKA_VALUE, CKA_PRIVATE, CKA_WRAP};
	CK_BBOOL is_token = pick(p, 2) == 0;

	for (unsigned i = 0; i < 4; i++)
		p->tmpl[i] = (CK_ATTRIBUTE){types[pick(p, 7)], p->value[i], pick(p, 2) ? 1 : pick(p, 33)};
	p->tmpl[0] = (CK_ATTRIBUTE){CKA_TOKEN, p->value[0], 1};
	p->value[0][0] = is_token;
	memcpy(p->before, p->tmpl, sizeof(p->tmpl));
}

static CK_ULONG number(struct player *p, enum token_call call, char kind)
{
	switch (kind) {
	case 's':
		return p->session[pick(p, SESSIONS)];
	case 'S':
		return p->slot;
	case 'o':
	case 'k':
	case 'w':
	case 'u':
	case 'z':
		return p->object[pick(p, OBJECTS)];
	case 'n':
		return pick(p, 5);
	case 'l':
	case 'G':
		return pick(p, 2) ? 32 : pick(p, sizeof(p->in));
	case 'y':
		return sizeof(p->param.flat);
	case 'N':
		return pick(p, OBJECTS);
	case 'f':
		if (call == CALL_WaitForSlotEvent)
			return CKF_DONT_BLOCK;
		return call == CALL_OpenSession ? CKF_SERIAL_SESSION | CKF_RW_SESSION : pick(p, 2);
	case 'U':
		return pick(p, 4);
	case 'B':
		return pick(p, 2);
	default: /* M */
		return mechanism_type(p);
	}
}

static void *pointer(struct player *p, char kind, unsigned nth)
{
	switch (kind) {
	case 'm':
		return &p->mechanism;
	case 't':
		return p->tmpl;
	case 'i':
	case 'P':
	case 'g':
	case 'q':
		return p->in;
	case 'b':
		return pick(p, 4) ? p->out : NULL;
	case 'R':
		return p->out;
	case 'c':
		return pick(p, 3) ? p->result[0] : NULL;
	case 'L':
		return &p->out_len;
	case 'r':
	case 'd':
		return p->result[nth];
	case 'x':
		return p->param.flat;
	default: /* a, e: optional */
		return NULL;
	}
}

static void arguments(struct player *p, enum token_call call, union argument *a)
{
	const char *kinds = invoke_arguments[call];
	unsigned seen = 0;

	mechanism(p);
	template(p);
	p->room = strchr(kinds, 'c') ? 64 : pick(p, 3) ? ROOM : pick(p, 100);
	p->out_len = p->room;
	memset(p->result, 0, sizeof(p->result));
	memset(p->out, 0xEE, sizeof(p->out));
	for (unsigned i = 0; kinds[i]; i++) {
		if (strchr("sSokwuznlGyNfUBM", kinds[i]))
			a[i].n = number(p, call, kinds[i]);
		else
			a[i].p = pointer(p, kinds[i], (kinds[i] == 'r' || kinds[i] == 'd') ? seen++ : 0);
	}
}

static void fails(const struct player *p, enum token_call call, CK_RV rv, const char *what)
{
	fprintf(stderr, "seed %lu: %s answered 0x%lx: %s\n", p->seed, invoke_names[call], rv, what);
	exit(1);
}

static bool is_handle(CK_ULONG n)
{
	return n != 0 && n <= 0x7fffffffUL;
}

/* Which functions give the application a handle on success. */
static bool makes_handle(enum token_call call)
{
	return call == CALL_CreateObject || call == CALL_CopyObject || call == CALL_GenerateKey ||
	       call == CALL_GenerateKeyPair || call == CALL_UnwrapKey || call == CALL_OpenSession;
}

static void judge_attributes(const struct player *p, enum token_call call, const union argument *a, CK_RV rv)
{
	for (CK_ULONG i = 0; i < a[3].n && i < 4; i++) {
		if (p->tmpl[i].type != p->before[i].type || p->tmpl[i].pValue != p->before[i].pValue)
			fails(p, call, rv, "the attribute array was changed");
		if (rv == CKR_OK && p->tmpl[i].ulValueLen > p->before[i].ulValueLen)
			fails(p, call, rv, "a value is longer than its room");
	}
}

static void judge_output(const struct player *p, enum token_call call, const union argument *a, CK_RV rv)
{
	const char *at = strchr(invoke_arguments[call], 'L');
	const void *out = at ? a[at - invoke_arguments[call] - 1].p : NULL;

	for (CK_ULONG i = p->room; i < sizeof(p->out); i++)
		if (p->out[i] != 0xEE && at && *(at - 1) == 'b')
			fails(p, call, rv, "something was written behind the output");
	if (!at || (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL))
		return;
	if (out && rv == CKR_OK && p->out_len > p->room)
		fails(p, call, rv, "the output is longer than its room");
	if (p->out_len > ABSURD)
		fails(p, call, rv, "the length is absurd");
	if (out && rv == CKR_BUFFER_TOO_SMALL && p->out_len <= p->room)
		fails(p, call, rv, "the room was enough");
}

static void judge(const struct player *p, enum token_call call, const union argument *a, CK_RV rv)
{
	if (!hostile_code_listed((unsigned)call, rv))
		fails(p, call, rv, "not a code of this function");
	judge_output(p, call, a, rv);
	if (call == CALL_GetAttributeValue)
		judge_attributes(p, call, a, rv);
	if (rv != CKR_OK)
		return;
	if (makes_handle(call) && !is_handle(p->result[0][0]))
		fails(p, call, rv, "no handle");
	if (call == CALL_GenerateKeyPair && !is_handle(p->result[1][0]))
		fails(p, call, rv, "no second handle");
	if (call != CALL_FindObjects)
		return;
	if (p->result[1][0] > a[2].n)
		fails(p, call, rv, "more objects than asked for");
	for (CK_ULONG i = 0; i < p->result[1][0]; i++)
		if (!is_handle(p->result[0][i]))
			fails(p, call, rv, "an object without handle");
}

/* What later calls use. */
static void learn(struct player *p, enum token_call call)
{
	if (call == CALL_OpenSession)
		p->session[pick(p, SESSIONS)] = p->result[0][0];
	else if (makes_handle(call))
		p->object[pick(p, OBJECTS)] = p->result[0][0];
	if (call == CALL_GenerateKeyPair)
		p->object[pick(p, OBJECTS)] = p->result[1][0];
	for (CK_ULONG i = 0; call == CALL_FindObjects && i < p->result[1][0]; i++)
		p->object[i] = p->result[0][i];
}

/* Calls without which little else gets anywhere come more often. */
static enum token_call next_call(struct player *p)
{
	static const enum token_call common[] = {
		CALL_OpenSession, CALL_OpenSession, CALL_Login, CALL_FindObjectsInit, CALL_FindObjects,
		CALL_CreateObject, CALL_EncryptInit, CALL_DecryptInit, CALL_SignInit, CALL_DigestInit,
		CALL_MessageEncryptInit, CALL_Encrypt, CALL_Sign, CALL_EncryptUpdate, CALL_GetAttributeValue,
	};
	enum token_call call = common[pick(p, sizeof(common) / sizeof(common[0]))];

	if (pick(p, 2))
		call = (enum token_call)(CALL_GetInfo + pick(p, CALL_COUNT - CALL_GetInfo));
	/* These would end the life for the other threads, or answer a list. */
	if (call == CALL_GetFunctionList || call == CALL_GetInterface || call == CALL_GetInterfaceList)
		return CALL_GetTokenInfo;
	return call;
}

static void healthy_signs(struct app *app, CK_SESSION_HANDLE session)
{
	struct app_key key;

	app_have_key(app, session, &key);
	app_sign(app, session, &key);
}

static void one_call(struct player *p, enum token_call call)
{
	union argument a[INVOKE_MAX];
	CK_RV rv;

	arguments(p, call, a);
	rv = invoke(p->m, call, a);
	judge(p, call, a, rv);
	if (rv == CKR_OK)
		learn(p, call);
}

/* Calls without which all others would only hear that a handle is wrong. */
static void prepare(struct player *p)
{
	for (unsigned i = 0; i < 4 * SESSIONS; i++)
		one_call(p, CALL_OpenSession);
	for (unsigned i = 0; i < 4 * OBJECTS; i++)
		one_call(p, CALL_CreateObject);
}

static void *play(void *arg)
{
	struct player *p = arg;
	struct app app = {.f = p->m->f};
	CK_SESSION_HANDLE session = app_enter(&app, "healthy");

	prepare(p);
	for (unsigned i = 0; i < CALLS; i++) {
		one_call(p, next_call(p));
		if (i % ASK_EVERY == 0)
			healthy_signs(&app, session);
	}
	OK(app.f->C_CloseSession(session));
	return NULL;
}

/* The slot of the hostile token; absent or not, it is there. */
static CK_SLOT_ID hostile_slot(struct loaded *m)
{
	CK_SLOT_ID slots[2] = {0, 0};
	CK_ULONG count = 2;

	OK(m->f->C_GetSlotList(CK_FALSE, slots, &count));
	CHECK(count == 2);
	return slots[0];
}

static void set_number(const char *name, unsigned long number)
{
	char text[24];

	CHECK(snprintf(text, sizeof(text), "%lu", number) > 0 && setenv(name, text, 1) == 0);
}

/* C_Initialize until the token shows itself, if it ever does: it is not used before. */
static void begin(struct app *app, unsigned long seed)
{
	static const unsigned long bad[] = {1, 4, 12, 40};

	set_number("HOSTILE_BAD", bad[seed % 4]);
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		set_number("HOSTILE_SEED", seed * ATTEMPTS + i);
		app_init(app);
		if (app_sees(app, "hostile", true))
			return;
		OK(app->f->C_Finalize(NULL));
	}
	app_init(app);
}

static void live(struct loaded *m, unsigned long seed, unsigned threads)
{
	struct player *players = calloc(threads, sizeof(*players));
	struct app app = {.f = m->f};
	pthread_t thread[THREADS];

	CHECK(players != NULL);
	fprintf(stderr, "seed %lu\n", seed);
	(void)alarm(LIFE_S);
	begin(&app, seed);
	for (unsigned i = 0; i < threads; i++) {
		players[i].m = m;
		players[i].seed = seed;
		players[i].random = seed * 1000003 + i;
		players[i].slot = hostile_slot(m);
		CHECK(pthread_create(&thread[i], NULL, play, &players[i]) == 0);
	}
	for (unsigned i = 0; i < threads; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	OK(app.f->C_Finalize(NULL));
	free(players);
}

int main(int argc, char **argv)
{
	struct loaded m;
	unsigned long first, count, threads;

	CHECK(argc == 4 || argc == 5);
	first = strtoul(argv[2], NULL, 10);
	count = strtoul(argv[3], NULL, 10);
	threads = argc == 5 ? strtoul(argv[4], NULL, 10) : 1;
	CHECK(threads >= 1 && threads <= THREADS && load_module(argv[1], &m));
	for (unsigned long seed = first; seed < first + count; seed++)
		live(&m, seed, (unsigned)threads);
	return 0;
}
