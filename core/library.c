/* SPDX-License-Identifier: BSD-2-Clause */
/* A vendor's library: start, stop, fork.
 *
 * States: DOWN -> UP by library_start, UP -> DOWN by library_stop, UP -> STUCK when a call did not
 * come back. Everything but the two atomics is guarded by the library's lock. A library must never
 * be finalised while one of its calls is in flight: SoftHSM2, NSS and tpm2-pkcs11 then crash the
 * process. What we find initialised already belongs to somebody else in this process: it is used,
 * but never finalised by us. */
#include "core/library.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "core/base/names.h"
#include "core/library_env.h"
#include "core/library_load.h"

/* No token module has more slots; a larger answer is not believed. */
#define MAX_SLOTS 4096UL

/* NSS reads one field behind the standard's struct; the string is then at pReserved for both. */
struct init_args {
	CK_C_INITIALIZE_ARGS standard;
	void *one_more;
};

/* The library whose C_Initialize runs in this thread. */
static _Thread_local struct library *starting;

/* What this process has loaded, kept over C_Finalize and fork(): a private copy is loaded once, and
 * a child must know which instances it inherited in an initialised state. Guarded by known_lock. */
struct known {
	struct known *next;
	void *dl;
	int pid;    /* process whose C_Initialize succeeded and was not undone; 0 when none */
	char key[]; /* path, and for a private copy the module's name behind it */
};
static struct known *all_known;
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

/* Set by library_setup before any library starts. */
static CK_FLAGS thread_flags;
static void (*exit_handler)(void);

void library_setup(CK_FLAGS flags, void (*at_exit)(void))
{
	thread_flags = flags;
	exit_handler = at_exit;
}

static struct known *known_for(const struct config_module *conf)
{
	const char *behind = conf->private_copy ? conf->name : "";
	size_t path_len = strlen(conf->library), len = path_len + strlen(behind) + 2;
	struct known *k = calloc(1, sizeof *k + len), *old;

	if (!k)
		return NULL;
	(void)snprintf(k->key, len, "%s%s%s", conf->library, conf->private_copy ? "\n" : "",
		       behind);
	pthread_mutex_lock(&known_lock);
	for (old = all_known; old && strcmp(old->key, k->key) != 0; old = old->next)
		;
	if (!old) {
		k->next = all_known;
		all_known = k;
	}
	pthread_mutex_unlock(&known_lock);
	if (!old)
		return k;
	free(k);
	return old;
}

struct library *library_new(const struct config_module *conf, const struct vendor_set *vendors)
{
	struct library *lib = calloc(1, sizeof *lib);
	const struct vendor *vendor;
	pthread_mutexattr_t recursive;

	if (!lib)
		return NULL;
	lib->known = known_for(conf);
	if (!lib->known) {
		free(lib);
		return NULL;
	}
	lib->conf = conf;
	lib->vendors = vendors;
	vendor = strcmp(conf->vendor, "auto") == 0 ? vendor_recognise(vendors, conf->library, NULL)
						   : vendor_by_name(vendors, conf->vendor);
	atomic_init(&lib->vendor, vendor ? vendor : vendor_generic());
	pthread_mutex_init(&lib->lock, NULL);
	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&lib->one_call, &recursive);
	pthread_mutexattr_destroy(&recursive);
	return lib;
}

void library_free(struct library *lib)
{
	if (!lib)
		return;
	pthread_mutex_destroy(&lib->lock);
	free(lib);
}

bool library_is_starting(void)
{
	if (!starting)
		return false;
	starting->loads_us = true;
	return true;
}

static bool down(struct library *lib, const char *what, CK_RV rv)
{
	char code[NAME_MAX_LEN];

	(void)snprintf(lib->reason, sizeof lib->reason, "%s: %s answered %s", lib->conf->library,
		       what, name_of(NAME_RV, rv, code));
	return false;
}

/* True when a parent process initialised this instance and fork() brought it here. */
static bool is_inherited(const struct library *lib)
{
	return lib->known->pid && lib->known->pid != getpid();
}

static bool load(struct library *lib)
{
	struct library_lists lists = {.dl = lib->dl};
	/* A maker whose inherited instance must not be touched gets a second one in the child. */
	bool copies = is_inherited(lib) && atomic_load(&lib->vendor)->fork == VENDOR_FORK_NEVER;
	bool reuses = !copies && lib->conf->private_copy && lib->known->dl;
	bool ok;

	if (lib->dl && !copies && !atomic_load(&lib->vendor)->instance_per_list)
		return true;
	if (reuses)
		lists.dl = lib->known->dl;
	if (lists.dl && !copies)
		ok = library_lists(lists.dl, atomic_load(&lib->vendor)->trust_3_0, &lists,
				   lib->reason, sizeof lib->reason);
	else
		ok = library_load(lib->conf, copies, !atomic_load(&lib->vendor)->reload_to_recover,
				  atomic_load(&lib->vendor)->trust_3_0, &lists, lib->reason,
				  sizeof lib->reason);
	if (!ok)
		return false;
	if (lists.dl != lib->known->dl && exit_handler)
		atexit(exit_handler);
	lib->dl = lib->known->dl = lists.dl;
	lib->v2 = lists.v2;
	lib->v3 = lists.v3;
	if (copies)
		lib->known->pid = 0;
	return true;
}

static CK_RV call_initialize(struct library *lib)
{
	struct init_args args = {
		.standard.flags = CKF_OS_LOCKING_OK | thread_flags,
		.standard.pReserved = lib->conf->init_args,
	};
	CK_RV rv;

	starting = lib;
	rv = lib->v2->C_Initialize(&args);
	starting = NULL;
	return rv;
}

static bool initialise(struct library *lib)
{
	CK_RV rv = call_initialize(lib);

	if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED && is_inherited(lib) &&
	    atomic_load(&lib->vendor)->fork == VENDOR_FORK_FINALIZE_THEN_INIT) {
		(void)lib->v2->C_Finalize(NULL); /* the parent's sessions and login, inherited */
		rv = call_initialize(lib);
	}
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return down(lib, "C_Initialize", rv);
	atomic_store(&lib->is_owned, rv == CKR_OK);
	lib->known->pid = rv == CKR_OK ? getpid() : 0;
	if (!lib->loads_us)
		return true;
	if (atomic_load(&lib->is_owned))
		(void)lib->v2->C_Finalize(NULL); /* refused: nothing of it is used */
	lib->known->pid = 0;
	(void)snprintf(lib->reason, sizeof lib->reason,
		       "%s: it loads hsmux itself (a proxy with hsmux among its modules): refused",
		       lib->conf->library);
	return false;
}

static void recognise(struct library *lib)
{
	const struct vendor *v;

	if (lib->v2->C_GetInfo(&lib->info) != CKR_OK) {
		memset(&lib->info, 0, sizeof lib->info);
		return;
	}
	if (strcmp(lib->conf->vendor, "auto") != 0)
		return;
	v = vendor_recognise(lib->vendors, lib->conf->library, &lib->info);
	if (v)
		atomic_store(&lib->vendor, v);
}

static bool start_in_env(struct library *lib)
{
	struct library_guard guard;
	bool ok = load(lib);

	if (!ok)
		return false;
	library_guard(lib, &guard);
	ok = initialise(lib);
	if (ok)
		recognise(lib);
	library_unguard(&guard);
	return ok;
}

static bool start(struct library *lib)
{
	bool ok;

	if (lib->loads_us || !library_env_enter(lib->conf))
		return false;
	ok = start_in_env(lib);
	library_env_leave(lib->conf);
	return ok;
}

/* OpenSSL's queue of errors is the thread's, so it is shared with members that use OpenSSL: what
 * SoftHSM2 leaves there while it starts would make the next TLS handshake of nginx fail. */
static bool start_quietly(struct library *lib)
{
	bool ok;

	(void)ERR_set_mark();
	ok = start(lib);
	(void)ERR_pop_to_mark();
	return ok;
}

bool library_start(struct library *lib)
{
	int state = atomic_load(&lib->state);

	if (state != LIBRARY_DOWN)
		return state == LIBRARY_UP;
	if (!start_quietly(lib))
		return false;
	lib->reason[0] = '\0';
	atomic_fetch_add(&lib->epoch, 1);
	atomic_store(&lib->state, LIBRARY_UP);
	log_msg(LOG_LEVEL_INFO, "module %s: started (%s%s%s)", lib->conf->name,
		atomic_load(&lib->vendor)->title, lib->v3 ? ", 3.0 interface" : "",
		atomic_load(&lib->is_owned) ? "" : ", already in use in this process");
	return true;
}

void library_stop(struct library *lib, bool calls_ended)
{
	struct library_guard guard;

	if (atomic_load(&lib->state) != LIBRARY_UP)
		return;
	if (!calls_ended) {
		(void)snprintf(lib->reason, sizeof lib->reason, "%s: a call does not return",
			       lib->conf->library);
		log_msg(LOG_LEVEL_ERROR,
			"module %s: a call does not return; not finalised and not used "
			"again in this process",
			lib->conf->name);
		atomic_store(&lib->state, LIBRARY_STUCK);
		return;
	}
	atomic_store(&lib->state, LIBRARY_DOWN);
	if (!atomic_load(&lib->is_owned))
		return;
	(void)ERR_set_mark();
	library_guard(lib, &guard);
	(void)lib->v2->C_Finalize(NULL); /* nothing can be done about a failure */
	library_unguard(&guard);
	(void)ERR_pop_to_mark();
	lib->known->pid = 0;
	if (atomic_load(&lib->vendor)->reload_to_recover) {
		dlclose(lib->dl);
		lib->dl = lib->known->dl = NULL;
	}
}

void library_ending(struct library *lib)
{
	if (atomic_load(&lib->is_owned))
		atomic_store(&lib->is_ending, 1);
}

void library_forget_parent(void)
{
	library_env_forget_parent();
	pthread_mutex_init(&known_lock, NULL);
}

bool library_was_ended(struct library *lib)
{
	struct library_guard guard;
	CK_INFO info;
	CK_RV rv;

	if (atomic_load(&lib->state) != LIBRARY_UP)
		return false;
	library_guard(lib, &guard);
	rv = lib->v2->C_GetInfo(&info);
	library_unguard(&guard);
	if (rv != CKR_CRYPTOKI_NOT_INITIALIZED)
		return false;
	log_msg(LOG_LEVEL_WARN, "module %s: somebody else in this process finalised it",
		lib->conf->name);
	atomic_store(&lib->is_owned, 0);
	lib->known->pid = 0;
	atomic_store(&lib->state, LIBRARY_DOWN);
	return true;
}

static CK_RV list_slots(const CK_FUNCTION_LIST *f, CK_SLOT_ID **slots, CK_ULONG *count)
{
	CK_ULONG n = 0;
	CK_RV rv = f->C_GetSlotList(CK_TRUE, NULL, &n);

	if (rv != CKR_OK)
		return rv;
	if (n > MAX_SLOTS)
		return CKR_DEVICE_ERROR;
	*slots = calloc(n + 1, sizeof **slots);
	if (!*slots)
		return CKR_HOST_MEMORY;
	*count = n;
	rv = n ? f->C_GetSlotList(CK_TRUE, *slots, count) : CKR_OK;
	if (rv == CKR_OK && *count <= n)
		return CKR_OK;
	free(*slots);
	return rv == CKR_OK ? CKR_DEVICE_ERROR : rv;
}

CK_RV library_tokens(struct library *lib, struct library_token **tokens, CK_ULONG *count)
{
	struct library_guard guard;
	CK_SLOT_ID *slots = NULL;
	CK_RV rv;

	library_guard(lib, &guard);
	rv = list_slots(lib->v2, &slots, count);
	if (rv == CKR_OK) {
		*tokens = calloc(*count + 1, sizeof **tokens);
		for (CK_ULONG i = 0; *tokens && i < *count; i++) {
			(*tokens)[i].slot = slots[i];
			(*tokens)[i].rv = lib->v2->C_GetTokenInfo(slots[i], &(*tokens)[i].info);
		}
		free(slots);
		rv = *tokens ? CKR_OK : CKR_HOST_MEMORY;
	}
	library_unguard(&guard);
	return rv;
}

void library_field(const unsigned char *field, size_t size, char *text)
{
	while (size > 0 && (field[size - 1] == ' ' || field[size - 1] == '\0'))
		size--;
	memcpy(text, field, size);
	text[size] = '\0';
}

void library_guard_set(const struct library *lib, struct library_guard *guard)
{
	sigset_t pipe, pending, before;
	bool is_serial = atomic_load(&lib->vendor)->serial;

	/* What the library is otherwise does not change. */
	guard->one_call = is_serial ? &((struct library *)(uintptr_t)lib)->one_call : NULL;
	if (guard->one_call)
		pthread_mutex_lock(guard->one_call);

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	guard->was_pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	guard->was_blocked = sigismember(&before, SIGPIPE) == 1;
}

void library_guard_drop(const struct library_guard *guard)
{
	const struct timespec now = {0};
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	if (!guard->was_pending)
		(void)sigtimedwait(&pipe, NULL, &now); /* takes away the one that the call raised */
	if (!guard->was_blocked)
		pthread_sigmask(SIG_UNBLOCK, &pipe, NULL);
	if (guard->one_call)
		pthread_mutex_unlock(guard->one_call);
}
