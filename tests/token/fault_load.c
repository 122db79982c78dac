/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token: being loaded, and loading the module that it stands in front of.
 *
 * All settings are read when the function list is first asked for and never again: several
 * instances in one process have different ones, and whoever loads us may have them in the
 * environment for that moment only. An instance that is itself a private copy of a library (hsmux
 * makes those as memory files) takes a private copy of the real module as well; otherwise all
 * instances would share that one's state. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/token/fault.h"
#include "tests/token/fault_load.h"

/* A member opened as hsmux opens members; the address sanitizer refuses RTLD_DEEPBIND. */
#ifdef HSMUX_SANITIZED
#define OPEN_FLAGS (RTLD_NOW | RTLD_LOCAL)
#else
#define OPEN_FLAGS (RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND)
#endif

#define EXPORT __attribute__((visibility("default")))

CK_FUNCTION_LIST *fault_real;
CK_FUNCTION_LIST_3_0 *fault_real_3;

static char control[4096];

const char *fault_control(void)
{
	return *control ? control : NULL;
}

/* Whether this instance was loaded from a memory file. */
static bool is_copy(void)
{
	Dl_info info;

	return dladdr(control, &info) && info.dli_fname &&
	       strncmp(info.dli_fname, "/proc/", 6) == 0;
}

/* The bytes of a library as a memory file, or -1. */
static int copied(const char *file)
{
	int in = open(file, O_RDONLY | O_CLOEXEC);
	int out = memfd_create("fault-token", MFD_CLOEXEC);
	struct stat st = {0};
	off_t at = 0;
	bool ok = in >= 0 && out >= 0 && fstat(in, &st) == 0;

	while (ok && at < st.st_size)
		ok = sendfile(out, in, &at, (size_t)(st.st_size - at)) > 0;
	if (in >= 0)
		close(in);
	if (!ok && out >= 0) {
		close(out);
		out = -1;
	}
	return out;
}

/* The loader takes a path that it has seen for the same library, and numbers of descriptors come
 * again. So the spelling carries where this instance lies in memory, which no other shares. */
static void *open_copy(const char *file)
{
	char path[256] = "/proc/self/fd";
	size_t len = strlen(path);
	int fd = copied(file);
	void *library;

	if (fd < 0)
		return NULL;
	for (uintptr_t bits = (uintptr_t)control >> 12; bits; bits >>= 1)
		len += (size_t)snprintf(path + len, sizeof(path) - len, bits & 1 ? "/." : "/");
	(void)snprintf(path + len, sizeof(path) - len, "/%d", fd);
	library = dlopen(path, OPEN_FLAGS);
	close(fd);
	return library;
}

/* ISO C knows no conversion from an object pointer to a function pointer; POSIX gives both one
 * representation. */
static bool symbol(void *library, const char *name, void *out)
{
	void *found = dlsym(library, name);

	memcpy(out, &found, sizeof(found));
	return found != NULL;
}

static void find_version_3(void *library)
{
	CK_C_GetInterface get_interface;
	CK_VERSION version = {3, 0};
	CK_UTF8CHAR name[] = "PKCS 11";
	CK_INTERFACE *found = NULL;

	if (symbol(library, "C_GetInterface", &get_interface) &&
	    get_interface(name, &version, &found, 0) == CKR_OK && found)
		fault_real_3 = found->pFunctionList;
}

static void load(void)
{
	const char *file = getenv("FAULT_TOKEN_LIBRARY");
	const char *plan = getenv("FAULT_TOKEN_CONTROL");
	CK_C_GetFunctionList get_list;
	void *library;

	if (plan && snprintf(control, sizeof(control), "%s", plan) >= (int)sizeof(control))
		return;
	if (!file || !fault_stats_open(getenv("FAULT_TOKEN_STATS"))) {
		fprintf(stderr, "fault token: %s\n",
			file ? "FAULT_TOKEN_STATS: not a file of counters, or it cannot be written"
			     : "FAULT_TOKEN_LIBRARY does not name the real module");
		return;
	}
	library = is_copy() ? open_copy(file) : dlopen(file, OPEN_FLAGS);
	if (!library || !symbol(library, "C_GetFunctionList", &get_list) ||
	    get_list(&fault_real) != CKR_OK) {
		fprintf(stderr, "fault token: %s cannot be loaded\n", file);
		fault_real = NULL;
		return;
	}
	find_version_3(library);
}

static bool is_loaded(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return fault_real != NULL;
}

EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	if (!list)
		return CKR_ARGUMENTS_BAD;
	if (!is_loaded())
		return CKR_LIBRARY_LOAD_FAILED;
	*list = &fault_list;
	return CKR_OK;
}

static CK_UTF8CHAR interface_name[] = "PKCS 11";
/* The later version first; it is left out where the real module has none. */
static CK_INTERFACE interfaces[] = {
	{interface_name, &fault_list_3, 0},
	{interface_name, &fault_list, 0},
};

EXPORT CK_RV C_GetInterfaceList(CK_INTERFACE *list, CK_ULONG *count)
{
	CK_ULONG skipped;
	CK_ULONG room;

	if (!count)
		return CKR_ARGUMENTS_BAD;
	if (!is_loaded())
		return CKR_LIBRARY_LOAD_FAILED;
	skipped = fault_real_3 ? 0 : 1;
	room = *count;
	*count = 2 - skipped;
	if (!list)
		return CKR_OK;
	if (room < *count)
		return CKR_BUFFER_TOO_SMALL;
	memcpy(list, interfaces + skipped, *count * sizeof(*list));
	return CKR_OK;
}

EXPORT CK_RV C_GetInterface(CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **found,
			    CK_FLAGS flags)
{
	if (!found || flags || (name && strcmp((const char *)name, "PKCS 11") != 0))
		return CKR_ARGUMENTS_BAD;
	if (!is_loaded())
		return CKR_LIBRARY_LOAD_FAILED;
	for (unsigned i = fault_real_3 ? 0 : 1; i < 2; i++) {
		const CK_VERSION *have = interfaces[i].pFunctionList;

		if (version && (version->major != have->major || version->minor != have->minor))
			continue;
		*found = &interfaces[i];
		return CKR_OK;
	}
	return CKR_ARGUMENTS_BAD;
}
