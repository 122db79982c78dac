/* SPDX-License-Identifier: BSD-2-Clause */
/* Good arguments. With them every function of the null token answers CKR_OK (badinput.c checks that
 * first), so what goes wrong afterwards is the one bad argument's doing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/badinput/world.h"

const CK_ULONG world_in_len = 32;

static CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
static CK_OBJECT_CLASS data_class = CKO_DATA;
static CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
static CK_BBOOL no = CK_FALSE;
static CK_BYTE label[] = "bad input";

/* Which operation must be active before a step. */
static const struct {
	enum token_call step;
	enum token_call init;
} needs[] = {
	{CALL_FindObjects, CALL_FindObjectsInit},
	{CALL_FindObjectsFinal, CALL_FindObjectsInit},
	{CALL_Encrypt, CALL_EncryptInit},
	{CALL_EncryptUpdate, CALL_EncryptInit},
	{CALL_EncryptFinal, CALL_EncryptInit},
	{CALL_Decrypt, CALL_DecryptInit},
	{CALL_DecryptUpdate, CALL_DecryptInit},
	{CALL_DecryptFinal, CALL_DecryptInit},
	{CALL_Digest, CALL_DigestInit},
	{CALL_DigestUpdate, CALL_DigestInit},
	{CALL_DigestKey, CALL_DigestInit},
	{CALL_DigestFinal, CALL_DigestInit},
	{CALL_Sign, CALL_SignInit},
	{CALL_SignUpdate, CALL_SignInit},
	{CALL_SignFinal, CALL_SignInit},
	{CALL_SignRecover, CALL_SignRecoverInit},
	{CALL_Verify, CALL_VerifyInit},
	{CALL_VerifyUpdate, CALL_VerifyInit},
	{CALL_VerifyFinal, CALL_VerifyInit},
	{CALL_VerifyRecover, CALL_VerifyRecoverInit},
	{CALL_EncryptMessage, CALL_MessageEncryptInit},
	{CALL_EncryptMessageBegin, CALL_MessageEncryptInit},
	{CALL_EncryptMessageNext, CALL_EncryptMessageBegin},
	{CALL_MessageEncryptFinal, CALL_MessageEncryptInit},
	{CALL_DecryptMessage, CALL_MessageDecryptInit},
	{CALL_DecryptMessageBegin, CALL_MessageDecryptInit},
	{CALL_DecryptMessageNext, CALL_DecryptMessageBegin},
	{CALL_MessageDecryptFinal, CALL_MessageDecryptInit},
	{CALL_SignMessage, CALL_MessageSignInit},
	{CALL_SignMessageBegin, CALL_MessageSignInit},
	{CALL_SignMessageNext, CALL_SignMessageBegin},
	{CALL_MessageSignFinal, CALL_MessageSignInit},
	{CALL_VerifyMessage, CALL_MessageVerifyInit},
	{CALL_VerifyMessageBegin, CALL_MessageVerifyInit},
	{CALL_VerifyMessageNext, CALL_VerifyMessageBegin},
	{CALL_MessageVerifyFinal, CALL_MessageVerifyInit},
};

#define NEEDS_COUNT (sizeof(needs) / sizeof(needs[0]))

bool world_is_step(enum token_call call)
{
	return call >= CALL_EncryptInit && call <= CALL_VerifyRecover && call != CALL_EncryptInit &&
	       call != CALL_DecryptInit && call != CALL_DigestInit && call != CALL_SignInit &&
	       call != CALL_SignRecoverInit && call != CALL_VerifyInit &&
	       call != CALL_VerifyRecoverInit;
}

uint64_t world_foreign(const struct world *w)
{
	return w->stats ? atomic_load(&w->stats->foreign) : 0;
}

static CK_MECHANISM_TYPE mechanism_of(enum token_call call)
{
	switch ((unsigned)call) {
	case CALL_EncryptInit:
	case CALL_DecryptInit:
		return CKM_AES_ECB;
	case CALL_DigestInit:
		return CKM_SHA256;
	case CALL_SignRecoverInit:
	case CALL_VerifyRecoverInit:
		return CKM_RSA_PKCS;
	case CALL_GenerateKey:
		return CKM_AES_KEY_GEN;
	case CALL_GenerateKeyPair:
		return CKM_EC_KEY_PAIR_GEN;
	case CALL_WrapKey:
	case CALL_UnwrapKey:
		return CKM_AES_KEY_WRAP;
	case CALL_DeriveKey:
		return CKM_ECDH1_DERIVE;
	case CALL_MessageEncryptInit:
	case CALL_MessageDecryptInit:
		return CKM_AES_GCM;
	default:
		return CKM_SHA256_HMAC;
	}
}

static void reset(struct world *w, enum token_call call)
{
	w->mechanism = (CK_MECHANISM){mechanism_of(call), NULL, 0};
	if (call == CALL_DeriveKey) {
		w->ecdh = (CK_ECDH1_DERIVE_PARAMS){CKD_NULL, 0, NULL, world_in_len, w->in};
		w->mechanism.pParameter = &w->ecdh;
		w->mechanism.ulParameterLen = sizeof(w->ecdh);
	}
	w->tmpl[0] = (CK_ATTRIBUTE){CKA_LABEL, label, sizeof(label) - 1};
	w->tmpl[1] = (CK_ATTRIBUTE){CKA_TOKEN, &no, sizeof(no)};
	if (call == CALL_CreateObject)
		w->tmpl[1] = (CK_ATTRIBUTE){CKA_CLASS, &data_class, sizeof(data_class)};
	w->tmpl2[0] = w->tmpl[0];
	w->tmpl2[1] = w->tmpl[1];
	w->out_len = sizeof(w->out);
	memset(w->gcm, 0, sizeof(w->gcm));
}

/* C_SetAttributeValue must not name CKA_TOKEN, which cannot change; a read needs room. */
static CK_ULONG template_count(enum token_call call)
{
	return call == CALL_SetAttributeValue || call == CALL_GetAttributeValue ? 1 : 2;
}

static void pointer_argument(struct world *w, char kind, unsigned nth, union argument *a)
{
	switch (kind) {
	case 'm':
		a->p = &w->mechanism;
		break;
	case 't':
		a->p = nth ? w->tmpl2 : w->tmpl;
		break;
	case 'i':
	case 'P':
		a->p = w->in;
		break;
	case 'b':
	case 'R':
		a->p = w->out;
		break;
	case 'g':
		a->p = w->signature;
		break;
	case 'c':
		a->p = w->result;
		break;
	case 'L':
		a->p = &w->out_len;
		break;
	case 'r':
	case 'd':
		a->p = nth ? w->result2 : w->result;
		break;
	case 'x':
		a->p = w->gcm;
		break;
	case 'q':
		a->p = w->label;
		break;
	default:
		a->p = NULL; /* a, e: optional */
		break;
	}
}

static CK_ULONG number_argument(const struct world *w, enum token_call call, char kind)
{
	switch (kind) {
	case 's':
		return w->session;
	case 'S':
		return w->slot;
	case 'o':
		return w->data;
	case 'k':
	case 'w':
	case 'u':
		return w->key;
	case 'n':
		return template_count(call);
	case 'l':
		return world_in_len;
	case 'G':
		return w->signature_len;
	case 'N':
		return 1;
	case 'y':
		return 1; /* no known parameter: the null token then leaves it alone */
	case 'M':
		return CKM_SHA256;
	case 'f':
		if (call == CALL_WaitForSlotEvent)
			return CKF_DONT_BLOCK;
		return call == CALL_OpenSession ? CKF_SERIAL_SESSION | CKF_RW_SESSION : 0;
	case 'U':
		return CKU_USER;
	default:
		return 0;
	}
}

/* PINs go where inputs go: before the guard page. */
static void pins(struct world *w, enum token_call call, union argument *a)
{
	memset(w->in, 'x', world_in_len);
	for (unsigned i = 0; invoke_arguments[call][i]; i++)
		if (invoke_arguments[call][i] == 'P') {
			a[i].p = w->in + world_in_len - w->pin_len;
			memcpy(a[i].p, w->pin, w->pin_len);
			a[i + 1].n = w->pin_len;
		}
	if (call == CALL_LoginUser) { /* no user name */
		a[4].p = NULL;
		a[5].n = 0;
	}
}

void world_arguments(struct world *w, enum token_call call, union argument *a)
{
	const char *kinds = invoke_arguments[call];
	unsigned seen[128] = {0};

	reset(w, call);
	for (unsigned i = 0; kinds[i]; i++) {
		if (strchr("sSokwunlGNyMfUzB", kinds[i]))
			a[i].n = number_argument(w, call, kinds[i]);
		else
			pointer_argument(w, kinds[i], seen[(unsigned char)kinds[i]]++, &a[i]);
	}
	pins(w, call, a);
}

static bool object_make(struct world *w)
{
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &data_class, sizeof(data_class)},
		{CKA_TOKEN, &no, sizeof(no)},
		{CKA_PRIVATE, &no, sizeof(no)},
		{CKA_LABEL, label, sizeof(label) - 1},
		{CKA_VALUE, label, 4},
	};

	return w->m.f->C_CreateObject(w->session, tmpl, 5, &w->data) == CKR_OK;
}

static bool key_make(struct world *w)
{
	CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &secret, sizeof(secret)}, {CKA_KEY_TYPE, &generic, sizeof(generic)},
		{CKA_TOKEN, &no, sizeof(no)},         {CKA_LABEL, label, sizeof(label) - 1},
		{CKA_VALUE, w->in, world_in_len},
	};

	return w->m.f->C_CreateObject(w->keeper, tmpl, 5, &w->key) == CKR_OK;
}

/* The signature that the verifying calls expect, over the same input. */
static bool signature_make(struct world *w, enum token_call call)
{
	CK_MECHANISM m = {CKM_SHA256_HMAC, NULL, 0};
	bool is_empty = call == CALL_VerifyFinal;

	w->signature_len = sizeof(w->signature);
	if (call == CALL_VerifyRecover) {
		memset(w->signature, 7, sizeof(w->signature));
		w->signature_len = world_in_len;
		return true;
	}
	return w->m.f->C_SignInit(w->keeper, &m, w->key) == CKR_OK &&
	       w->m.f->C_Sign(w->keeper, w->in, is_empty ? 0 : world_in_len, w->signature,
			      &w->signature_len) == CKR_OK;
}

bool world_prepare(struct world *w, enum token_call call)
{
	union argument a[INVOKE_MAX];

	if (w->m.f->C_OpenSession(w->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				  &w->session) != CKR_OK ||
	    !object_make(w))
		return false;
	memset(w->in, 'x', world_in_len);
	if (strchr(invoke_arguments[call], 'g') && !signature_make(w, call))
		return false;
	for (size_t i = 0; i < NEEDS_COUNT; i++) {
		if (needs[i].step != call)
			continue;
		for (size_t j = 0; j < NEEDS_COUNT; j++)
			if (needs[j].step ==
			    needs[i].init) { /* a Next needs a Begin needs an Init */
				world_arguments(w, needs[j].init, a);
				if (invoke(&w->m, needs[j].init, a) != CKR_OK)
					return false;
			}
		world_arguments(w, needs[i].init, a);
		return invoke(&w->m, needs[i].init, a) == CKR_OK;
	}
	return true;
}

void world_drop(struct world *w)
{
	(void)w->m.f->C_CloseSession(w->session); /* the case may have closed it */
	w->session = 0;
}

/* Memory whose end is followed by a page that nobody may touch. */
static CK_BYTE *guarded(CK_ULONG len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	CK_BYTE *map =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + page, page, PROT_NONE) != 0)
		return NULL;
	return map + page - len;
}

static bool stale_make(struct world *w)
{
	CK_FUNCTION_LIST *f = w->m.f;

	if (f->C_OpenSession(w->slot, CKF_SERIAL_SESSION, NULL, NULL, &w->closed) != CKR_OK ||
	    f->C_CloseSession(w->closed) != CKR_OK)
		return false;
	w->session = w->keeper;
	if (!object_make(w) || f->C_DestroyObject(w->keeper, w->data) != CKR_OK)
		return false;
	w->destroyed = w->data;
	return key_make(w);
}

bool world_load(struct world *w, const char *module)
{
	const char *pin = getenv("BADINPUT_PIN");

	w->in = guarded(world_in_len);
	if (!pin || strlen(pin) > world_in_len || !w->in || !load_module(module, &w->m))
		return false;
	w->pin_len = strlen(pin);
	memcpy(w->pin, pin, w->pin_len);
	memset(w->label, ' ', sizeof(w->label));
	w->signature_len = WORLD_SIGNATURE_MAX;
	w->stats = load_null_stats();
	return true;
}

bool world_open(struct world *w, const char *token)
{
	CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

	if (w->m.f->C_Initialize(&args) != CKR_OK || !load_find_slot(w->m.f, token, &w->slot) ||
	    w->m.f->C_OpenSession(w->slot, flags, NULL, NULL, &w->keeper) != CKR_OK ||
	    w->m.f->C_Login(w->keeper, CKU_USER, w->pin, w->pin_len) != CKR_OK || !stale_make(w)) {
		fprintf(stderr, "the token %s cannot be used\n", token);
		return false;
	}
	return true;
}

void world_close(struct world *w)
{
	(void)w->m.f->C_Finalize(NULL);
}
