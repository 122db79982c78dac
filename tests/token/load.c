/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading a module under test. A module stays loaded until the program ends, as hsmux asks for with
 * -z nodelete anyway. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/token/load.h"
#include "tests/token/null.h"

bool load_symbol(void *library, const char *name, void *out)
{
	void *symbol = dlsym(library, name);

	/* ISO C knows no conversion from an object pointer to a function pointer; POSIX gives both
	 * one representation. */
	memcpy(out, &symbol, sizeof(symbol));
	return symbol != NULL;
}

bool load_module(const char *file, struct loaded *out)
{
	CK_C_GetFunctionList get_list;
	CK_C_GetInterface get_interface;
	CK_INTERFACE *interface;
	CK_VERSION version = {3, 0};

	*out = (struct loaded){.library = dlopen(file, RTLD_NOW | RTLD_LOCAL)};
	if (!out->library) {
		fprintf(stderr, "%s\n", dlerror());
		return false;
	}
	if (!load_symbol(out->library, "C_GetFunctionList", &get_list) ||
	    get_list(&out->f) != CKR_OK) {
		fprintf(stderr, "%s: no function list\n", file);
		return false;
	}
	if (load_symbol(out->library, "C_GetInterface", &get_interface) &&
	    get_interface(NULL, &version, &interface, 0) == CKR_OK)
		out->f3 = interface->pFunctionList;
	return true;
}

static bool has_label(const CK_TOKEN_INFO *info, const char *label)
{
	size_t len = strlen(label);

	if (len > sizeof(info->label) || memcmp(info->label, label, len) != 0)
		return false;
	for (size_t i = len; i < sizeof(info->label); i++)
		if (info->label[i] != ' ')
			return false;
	return true;
}

bool load_find_slot(CK_FUNCTION_LIST *f, const char *label, CK_SLOT_ID *slot)
{
	CK_SLOT_ID slots[64];
	CK_ULONG count = 64;
	CK_TOKEN_INFO info;

	if (f->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return false;
	for (CK_ULONG i = 0; i < count; i++)
		if (f->C_GetTokenInfo(slots[i], &info) == CKR_OK && has_label(&info, label)) {
			*slot = slots[i];
			return true;
		}
	return false;
}

struct null_stats *load_null_stats(void)
{
	const char *file = getenv("NULL_TOKEN_STATS");
	struct null_stats *stats = MAP_FAILED;
	int fd = file ? open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, sizeof(*stats)) == 0)
		stats = mmap(NULL, sizeof(*stats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return stats == MAP_FAILED ? NULL : stats;
}
