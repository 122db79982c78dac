/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening the file of a vendor's library.
 *
 * Interposition: a library that reaches its own C_* functions through preemptible relocations would
 * find ours instead, were they visible (SoftHSM2, OpenSC and tpm2-pkcs11 do). Three things prevent
 * it: we export three names only, RTLD_DEEPBIND makes a library prefer its own, and every entry of
 * its list is checked not to lie in our file.
 *
 * A private copy is a memory file: another inode, hence another instance with state of its own, and
 * nothing left on the disk. */
#include "core/library_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

static bool fail(char *reason, size_t len, const char *file, const char *what)
{
	int n = snprintf(reason, len, "%s: %s", file, what);

	(void)n; /* a cut sentence still names the file */
	return false;
}

/* Base address of the file that this code is part of. */
static void *own_base(void)
{
	Dl_info info;

	return dladdr((void *)(uintptr_t)own_base, &info) ? info.dli_fbase : NULL;
}

static bool is_ourselves(const struct stat *st)
{
	Dl_info info;
	struct stat own;

	if (!dladdr((void *)(uintptr_t)own_base, &info) || !info.dli_fname)
		return false;
	return stat(info.dli_fname, &own) == 0 && own.st_dev == st->st_dev &&
	       own.st_ino == st->st_ino;
}

static bool digest_fd(int fd, uint8_t out[static 32])
{
	unsigned char block[512];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int len = 0;
	ssize_t n = -1;
	off_t at = 0;
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	while (ok && (n = pread(fd, block, sizeof block, at)) > 0) {
		ok = EVP_DigestUpdate(ctx, block, (size_t)n) == 1;
		at += n;
	}
	ok = ok && n == 0 && EVP_DigestFinal_ex(ctx, out, &len) == 1 && len == 32;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static bool pinned(const struct config_module *conf, int fd, char *reason, size_t len)
{
	uint8_t found[32];
	char text[2 * sizeof found + 1] = "";
	char what[160];

	if (!conf->has_sha256)
		return true;
	if (!digest_fd(fd, found))
		return fail(reason, len, conf->library, "cannot be read to check its sha256");
	if (memcmp(found, conf->sha256, sizeof found) == 0)
		return true;
	for (size_t i = 0; i < sizeof found; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", found[i]);
	(void)snprintf(what, sizeof what,
		       "sha256 is %s, not the one in the configuration: not loaded", text);
	return fail(reason, len, conf->library, what);
}

/* A memory file with the same bytes that nobody can change any more, or -1. */
static int copy_fd(int fd, off_t size)
{
	const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int copy = memfd_create("hsmux-module", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	off_t at = 0;

	while (copy >= 0 && at < size) {
		ssize_t n = sendfile(copy, fd, &at, (size_t)(size - at));

		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		close(copy);
		return -1;
	}
	if (copy >= 0 && fcntl(copy, F_ADD_SEALS, seals) != 0) {
		close(copy);
		return -1;
	}
	return copy;
}

/* The loader takes a path that it has seen for the same library, and numbers of descriptors come
 * again: each copy gets a spelling of its own. False when there were too many. */
static bool copy_path(int fd, char *path, size_t len)
{
	static _Atomic unsigned copies;
	unsigned n = atomic_fetch_add(&copies, 1);
	size_t at = (size_t)snprintf(path, len, "/proc/self/fd/");

	while (n-- > 0 && at + 16 < len)
		at += (size_t)snprintf(path + at, len - at, "./");
	return at + 16 < len && snprintf(path + at, len - at, "%d", fd) > 0;
}

static void *open_code(const char *path, bool keep)
{
	int flags = RTLD_NOW | RTLD_LOCAL;

#ifndef HSMUX_SANITIZED
	flags |= RTLD_DEEPBIND;
#endif
	if (keep)
		flags |= RTLD_NODELETE; /* exit handlers of C++ modules must find their code */
	return dlopen(path, flags);
}

/* Whether the path still leads to the file that was looked at, and nobody renamed or changed that
 * since: each of it moves the change time. */
static bool is_unchanged(const char *path, const struct stat *before)
{
	struct stat now;

	return stat(path, &now) == 0 && now.st_dev == before->st_dev &&
	       now.st_ino == before->st_ino && now.st_ctim.tv_sec == before->st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == before->st_ctim.tv_nsec;
}

static bool open_copy(const struct config_module *conf, bool keep, int fd, off_t size, void **dl,
		      char *reason, size_t len)
{
	char path[512];
	int copy = copy_fd(fd, size);
	bool ok;

	if (copy < 0)
		return fail(reason, len, conf->library, "cannot be copied for a private instance");
	ok = pinned(conf, copy, reason, len);
	if (ok && !copy_path(copy, path, sizeof path))
		ok = fail(reason, len, conf->library, "too many private copies in one process");
	if (ok) {
		*dl = open_code(path, keep);
		if (!*dl)
			ok = fail(reason, len, "cannot load", dlerror());
	}
	close(copy);
	return ok;
}

static bool open_in_place(const struct config_module *conf, bool keep, int fd,
			  const struct stat *st, void **dl, char *reason, size_t len)
{
	if (!pinned(conf, fd, reason, len))
		return false;
	*dl = open_code(conf->library, keep);
	if (!*dl)
		return fail(reason, len, "cannot load", dlerror());
	if (!conf->has_sha256 || is_unchanged(conf->library, st))
		return true;
	dlclose(*dl);
	return fail(reason, len, conf->library, "was replaced while it was loaded: not used");
}

static bool open_library(const struct config_module *conf, bool copies, bool keep, int fd,
			 void **dl, char *reason, size_t len)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fail(reason, len, conf->library, "is not a regular file");
	if (is_ourselves(&st))
		return fail(reason, len, conf->library,
			    "is hsmux itself: name the library of a real token");
	return copies ? open_copy(conf, keep, fd, st.st_size, dl, reason, len)
		      : open_in_place(conf, keep, fd, &st, dl, reason, len);
}

/* The three functions that we export ourselves: a library's pointer to its own may be ours when we
 * are in the global scope. It is never called. */
static bool is_discovery(size_t at)
{
	return at == offsetof(CK_FUNCTION_LIST, C_GetFunctionList) ||
	       at == offsetof(CK_FUNCTION_LIST_3_0, C_GetInterfaceList) ||
	       at == offsetof(CK_FUNCTION_LIST_3_0, C_GetInterface);
}

/* Every entry between the version and the end of a list is a function pointer. */
static bool entries_sane(const void *list, size_t size, char *what, size_t len)
{
	void *const base = own_base();
	const size_t first = offsetof(CK_FUNCTION_LIST, C_Initialize);

	for (size_t at = first; at < size; at += sizeof(void *)) {
		Dl_info info;
		void *entry;

		memcpy(&entry, (const char *)list + at, sizeof entry);
		if (!entry) {
			(void)snprintf(what, len, "function %zu of its list is NULL",
				       (at - first) / sizeof(void *));
			return false;
		}
		if (!is_discovery(at) && dladdr(entry, &info) && info.dli_fbase == base) {
			(void)snprintf(what, len,
				       "its function list points into hsmux (interposition)");
			return false;
		}
	}
	return true;
}

static CK_FUNCTION_LIST_3_0 *list_3_0(void *dl)
{
	CK_C_GetInterface get = NULL;
	CK_INTERFACE *found = NULL;
	CK_VERSION v3 = {3, 0};
	CK_UTF8CHAR name[] = "PKCS 11";
	CK_FUNCTION_LIST_3_0 *list;
	char what[80];

	*(void **)&get = dlsym(dl, "C_GetInterface");
	if (!get)
		return NULL;
	if (get(name, NULL, &found, 0) != CKR_OK || !found || !found->pFunctionList ||
	    ((CK_VERSION *)found->pFunctionList)->major < 3) {
		found = NULL;
		if (get(name, &v3, &found, 0) != CKR_OK || !found || !found->pFunctionList)
			return NULL;
	}
	list = found->pFunctionList;
	if (list->version.major < 3 || !entries_sane(list, sizeof *list, what, sizeof what))
		return NULL;
	return list;
}

bool library_lists(void *dl, bool wants_3_0, struct library_lists *lists, char *reason, size_t len)
{
	CK_C_GetFunctionList get = NULL;
	CK_FUNCTION_LIST *v2 = NULL;
	char what[80];
	CK_RV rv;

	*(void **)&get = dlsym(dl, "C_GetFunctionList");
	if (!get)
		return fail(reason, len, "the library",
			    "has no C_GetFunctionList: not a PKCS#11 module");
	rv = get(&v2);
	if (rv != CKR_OK || !v2) {
		(void)snprintf(what, sizeof what, "C_GetFunctionList answered 0x%lx", rv);
		return fail(reason, len, "the library", what);
	}
	if (!entries_sane(v2, sizeof *v2, what, sizeof what))
		return fail(reason, len, "the library", what);
	lists->dl = dl;
	lists->v2 = v2;
	lists->v3 = wants_3_0 ? list_3_0(dl) : NULL;
	return true;
}

bool library_load(const struct config_module *conf, bool force_copy, bool keep, bool wants_3_0,
		  struct library_lists *lists, char *reason, size_t len)
{
	int fd = open(conf->library, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	void *dl = NULL;
	bool ok;

	if (fd < 0)
		return fail(reason, len, conf->library, strerror(errno));
	ok = open_library(conf, conf->private_copy || force_copy, keep, fd, &dl, reason, len);
	close(fd);
	if (!ok)
		return false;
	ok = library_lists(dl, wants_3_0, lists, reason, len);
	if (!ok)
		dlclose(dl);
	return ok;
}
