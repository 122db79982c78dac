/* SPDX-License-Identifier: BSD-2-Clause */
/* The null token: a PKCS#11 2.40 module that answers at once and does no cryptography.
 *
 * It exists to measure what stands in front of it, and to prove that what stands in front of it
 * never passes on a handle of its own: every session and object handle is tagged (see null.h), and
 * one that was never issued here ends the process or is counted. States: finalised, initialised;
 * null_token.lock guards the tables. The token must never trust a handle, and never be the slow
 * part of a measurement.
 *
 * This file: life cycle, slot, token, mechanisms, the function list. Random numbers and the
 * functions that nobody needs are here too. */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/token/null_state.h"

struct null_token null_token = {.lock = PTHREAD_MUTEX_INITIALIZER};

static sem_t device_places;
static bool device_is_limited;

bool null_device_setup(unsigned limit)
{
	if (device_is_limited)
		sem_destroy(&device_places);
	device_is_limited = limit != 0;
	return !device_is_limited || sem_init(&device_places, 0, limit) == 0;
}

void null_work(void)
{
	if (null_token.delay_us == 0 && !device_is_limited)
		return;
	if (device_is_limited)
		while (sem_wait(&device_places) != 0 && errno == EINTR)
			;
	if (null_token.delay_us) {
		struct timespec left = {
			.tv_sec = (time_t)(null_token.delay_us / 1000000),
			.tv_nsec = (long)(null_token.delay_us % 1000000) * 1000,
		};
		while (nanosleep(&left, &left) != 0 && errno == EINTR)
			;
	}
	if (device_is_limited)
		sem_post(&device_places);
}

void null_foreign(const char *where, CK_ULONG handle)
{
	if (null_token.stats)
		atomic_fetch_add(&null_token.stats->foreign, 1);
	if (!null_token.is_aborting)
		return;
	fprintf(stderr, "null token: %s: handle 0x%lx was never issued here\n", where, handle);
	abort();
}

void null_stale(void)
{
	if (null_token.stats)
		atomic_fetch_add(&null_token.stats->stale, 1);
}

static const char *env_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static unsigned long env_number(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value && *value ? strtoul(value, NULL, 10) : otherwise;
}

/* Maps the counters; without them the token works all the same. */
static void stats_map(const char *file)
{
	struct null_stats *stats = MAP_FAILED;
	int fd;

	if (!file || null_token.stats)
		return;
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (ftruncate(fd, sizeof(*stats)) == 0)
		stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (stats == MAP_FAILED)
		return;
	stats->magic = NULL_MAGIC;
	null_token.stats = stats;
}

static bool token_configure(void)
{
	struct null_token *t = &null_token;

	snprintf(t->label, sizeof(t->label), "%s", env_or("NULL_TOKEN_LABEL", "null"));
	snprintf(t->pin, sizeof(t->pin), "%s", env_or("NULL_TOKEN_PIN", "1234"));
	snprintf(t->so_pin, sizeof(t->so_pin), "so-%.63s", t->pin);
	t->keys = env_number("NULL_TOKEN_KEYS", 10);
	t->delay_us = env_number("NULL_TOKEN_DELAY_US", 0);
	t->is_aborting = strcmp(env_or("NULL_TOKEN_FOREIGN", "abort"), "count") != 0;
	stats_map(getenv("NULL_TOKEN_STATS"));
	return null_device_setup((unsigned)env_number("NULL_TOKEN_LIMIT", 0));
}

/* A forked child starts from nothing: its parent's threads may have been anywhere in here. */
static void in_child(void)
{
	struct null_token *t = &null_token;

	pthread_mutex_init(&t->lock, NULL);
	atomic_store(&t->is_initialised, false);
	t->session_count = t->session_rw_count = 0;
	for (uint32_t i = 0; i < NULL_MAX_SESSIONS; i++) {
		t->sessions[i].handle = 0;
		t->sessions[i].found = NULL; /* perhaps half written */
		t->sessions[i].found_cap = 0;
		atomic_flag_clear(&t->sessions[i].busy);
	}
}

__attribute__((constructor)) static void watch_forks(void)
{
	if (pthread_atfork(NULL, NULL, in_child) != 0)
		abort();
}

CK_RV C_Initialize(void *init_args)
{
	const CK_C_INITIALIZE_ARGS *args = init_args;

	null_count(CALL_Initialize);
	if (args && args->pReserved)
		return CKR_ARGUMENTS_BAD;
	if (atomic_load(&null_token.is_initialised))
		return CKR_CRYPTOKI_ALREADY_INITIALIZED;
	if (!token_configure())
		return CKR_HOST_MEMORY;
	atomic_store(&null_token.user, -1);
	atomic_store(&null_token.is_initialised, true);
	return CKR_OK;
}

CK_RV C_Finalize(void *reserved)
{
	null_count(CALL_Finalize);
	if (!atomic_load(&null_token.is_initialised))
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (reserved)
		return CKR_ARGUMENTS_BAD;
	(void)C_CloseAllSessions(0); /* the slot exists */
	null_drop_objects(0, false);
	atomic_store(&null_token.is_initialised, false);
	return CKR_OK;
}

/* Blank-padded text of PKCS#11's info structures. */
static void pad(CK_UTF8CHAR *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	memset(out, ' ', size);
	memcpy(out, text, len < size ? len : size);
}

static CK_RV ready(enum token_call index)
{
	null_count(index);
	return atomic_load(&null_token.is_initialised) ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

static CK_RV ready_slot(enum token_call index, CK_SLOT_ID slot)
{
	CK_RV rv = ready(index);

	if (rv != CKR_OK)
		return rv;
	return slot == 0 ? CKR_OK : CKR_SLOT_ID_INVALID;
}

CK_RV C_GetInfo(CK_INFO *info)
{
	CK_RV rv = ready(CALL_GetInfo);

	if (rv != CKR_OK)
		return rv;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	memset(info, 0, sizeof(*info));
	info->cryptokiVersion = null_list.version;
	pad(info->manufacturerID, sizeof(info->manufacturerID), "nobody");
	pad(info->libraryDescription, sizeof(info->libraryDescription), "null token");
	return CKR_OK;
}

CK_RV C_GetSlotList(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
	CK_RV rv = ready(CALL_GetSlotList);

	(void)present; /* the token is always there */
	if (rv != CKR_OK)
		return rv;
	if (!count)
		return CKR_ARGUMENTS_BAD;
	if (slots && *count < 1)
		rv = CKR_BUFFER_TOO_SMALL;
	else if (slots)
		slots[0] = 0;
	*count = 1;
	return rv;
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	CK_RV rv = ready_slot(CALL_GetSlotInfo, slot);

	if (rv != CKR_OK)
		return rv;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	memset(info, 0, sizeof(*info));
	pad(info->slotDescription, sizeof(info->slotDescription), "null slot");
	pad(info->manufacturerID, sizeof(info->manufacturerID), "nobody");
	info->flags = CKF_TOKEN_PRESENT;
	return CKR_OK;
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv = ready_slot(CALL_GetTokenInfo, slot);

	if (rv != CKR_OK)
		return rv;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	memset(info, 0, sizeof(*info));
	pad(info->label, sizeof(info->label), null_token.label);
	pad(info->manufacturerID, sizeof(info->manufacturerID), "nobody");
	pad(info->model, sizeof(info->model), "null");
	pad(info->serialNumber, sizeof(info->serialNumber), "0");
	pad(info->utcTime, sizeof(info->utcTime), "");
	info->flags =
		CKF_RNG | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED;
	info->ulMaxPinLen = sizeof(null_token.pin) - 1;
	info->ulMinPinLen = 1;
	info->ulMaxSessionCount = CK_EFFECTIVELY_INFINITE;
	info->ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
	pthread_mutex_lock(&null_token.lock);
	info->ulSessionCount = null_token.session_count;
	info->ulRwSessionCount = null_token.session_rw_count;
	pthread_mutex_unlock(&null_token.lock);
	info->ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION;
	info->ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
	info->ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION;
	info->ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
	return CKR_OK;
}

CK_RV C_InitToken(CK_SLOT_ID slot, CK_UTF8CHAR *pin, CK_ULONG pin_len, CK_UTF8CHAR *label)
{
	CK_RV rv = ready_slot(CALL_InitToken, slot);

	if (rv != CKR_OK)
		return rv;
	if (!label || (!pin && pin_len))
		return CKR_ARGUMENTS_BAD;
	if (null_token.session_count)
		return CKR_SESSION_EXISTS;
	if (pin_len != strlen(null_token.so_pin) || memcmp(pin, null_token.so_pin, pin_len) != 0)
		return CKR_PIN_INCORRECT;
	memcpy(null_token.label, label, sizeof(null_token.label) - 1);
	return CKR_OK;
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
	CK_RV rv = ready(CALL_WaitForSlotEvent);

	if (rv != CKR_OK)
		return rv;
	if (!slot || reserved)
		return CKR_ARGUMENTS_BAD;
	return flags & CKF_DONT_BLOCK ? CKR_NO_EVENT : CKR_FUNCTION_NOT_SUPPORTED;
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE session, CK_BYTE *seed, CK_ULONG seed_len)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_SeedRandom, session, &s);

	if (rv != CKR_OK)
		return rv;
	null_leave(s);
	return seed || !seed_len ? CKR_OK : CKR_ARGUMENTS_BAD;
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG len)
{
	struct null_session *s;
	CK_RV rv = null_enter(CALL_GenerateRandom, session, &s);

	if (rv != CKR_OK)
		return rv;
	if (!out && len)
		rv = CKR_ARGUMENTS_BAD;
	else
		null_spread(len, 1, out, len);
	null_work();
	null_leave(s);
	return rv;
}

static CK_RV session_only(enum token_call index, CK_SESSION_HANDLE session, CK_RV answer)
{
	struct null_session *s;
	CK_RV rv = null_enter(index, session, &s);

	if (rv != CKR_OK)
		return rv;
	null_leave(s);
	return answer;
}

CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE session)
{
	return session_only(CALL_GetFunctionStatus, session, CKR_FUNCTION_NOT_PARALLEL);
}

CK_RV C_CancelFunction(CK_SESSION_HANDLE session)
{
	return session_only(CALL_CancelFunction, session, CKR_FUNCTION_NOT_PARALLEL);
}

CK_RV C_GetOperationState(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
	(void)out;
	(void)out_len;
	return session_only(CALL_GetOperationState, session, CKR_FUNCTION_NOT_SUPPORTED);
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len,
			  CK_OBJECT_HANDLE cipher_key, CK_OBJECT_HANDLE mac_key)
{
	(void)in;
	(void)in_len;
	(void)cipher_key;
	(void)mac_key;
	return session_only(CALL_SetOperationState, session, CKR_FUNCTION_NOT_SUPPORTED);
}

NULL_EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	if (!list)
		return CKR_ARGUMENTS_BAD;
	*list = &null_list;
	return CKR_OK;
}
