/* SPDX-License-Identifier: BSD-2-Clause */
/* A module that is wrong in one way, which the variable ODD names. The list has every function, all
 * the same one, so that nothing but finding it can be tried. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pkcs11.h"

static CK_FUNCTION_LIST list = {.version = {2, 40}};

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out);

static CK_RV refuse(void *nothing)
{
	(void)nothing;
	return CKR_FUNCTION_FAILED;
}

static void fill(void *entry)
{
	for (size_t at = offsetof(CK_FUNCTION_LIST, C_Initialize); at < sizeof list;
	     at += sizeof entry)
		memcpy((char *)&list + at, &entry, sizeof entry);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
	const char *odd = getenv("ODD");

	fill((void *)(uintptr_t)refuse);
	*out = &list;
	if (strcmp(odd, "fails") == 0)
		return CKR_HOST_MEMORY;
	if (strcmp(odd, "nothing") == 0)
		*out = NULL;
	else if (strcmp(odd, "hole") == 0)
		list.C_WaitForSlotEvent = NULL;
	else if (strcmp(odd, "ours") == 0) /* the program stands for hsmux */
		*(void **)&list.C_Sign = dlsym(RTLD_DEFAULT, "odd_ours");
	return CKR_OK;
}
