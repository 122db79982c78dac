/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the copies that hsmux makes of mechanisms and templates: mech_copy and attr_list_copy.
 * Besides crashes it finds: a copy whose parameter still points to the application's, more handles
 * than there is room for, and what is not freed. */
#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/base/mech.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIRST_HANDLE 0x11001UL

static CK_ULONG some_handle(struct input *in)
{
	return FIRST_HANDLE + input_byte(in) % 8;
}

static bool is_handle(CK_ULONG value, void *context)
{
	(void)context;
	return value >= FIRST_HANDLE && value < FIRST_HANDLE + 8;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return input_setup() ? 0 : 1;
}

static void copy_mechanism(struct input *in)
{
	const CK_MECHANISM *m = input_mechanism(in, 0);
	const char *why = NULL;
	struct mech copy;

	if (mech_copy(&copy, m, is_handle, NULL, &why) != CKR_OK)
		return;
	if (copy.handle_count > MECH_MAX_HANDLES || copy.made_count > MECH_MAX_HANDLES)
		abort();
	if (m->pParameter && copy.m.pParameter == m->pParameter && m->ulParameterLen)
		abort();
	for (unsigned i = 0; i < copy.handle_count; i++)
		*copy.handle[i].where = ~0UL; /* must be writable and our own */
	mech_free(&copy);
}

/* What was judged is what the member receives: normalised again, nothing changes. */
static void normalise(struct attr_list *list)
{
	CK_ULONG count = list->count, again;

	if (attr_normalise(list->attrs, &count) != CKR_OK)
		return;
	again = count;
	if (attr_normalise(list->attrs, &again) != CKR_OK || again != count)
		abort();
	for (CK_ULONG i = 0; i < count; i++)
		for (CK_ULONG k = 0; k < i; k++)
			if (list->attrs[i].type == list->attrs[k].type)
				abort();
}

static void copy_template(struct input *in)
{
	CK_ULONG count = 0;
	const CK_ATTRIBUTE *tmpl = input_template(in, &count, false, 0);
	struct attr_list list = {0};

	if (attr_check(tmpl, count) != CKR_OK)
		return;
	(void)attr_find(tmpl, count, CKA_LABEL);
	(void)attr_bool(tmpl, count, CKA_TOKEN, false);
	(void)attr_ulong(tmpl, count, CKA_CLASS, 0);
	if (attr_list_copy(tmpl, count, &list) != CKR_OK)
		return;
	if (list.count != count ||
	    (count && memcmp(&list.attrs[0].type, &tmpl[0].type, sizeof(tmpl[0].type))))
		abort();
	normalise(&list);
	attr_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct input in;

	in.data = data;
	in.size = size;
	in.used = 0;
	in.handle = some_handle;
	if (input_byte(&in) & 1)
		copy_mechanism(&in);
	else
		copy_template(&in);
	return 0;
}
