/* SPDX-License-Identifier: BSD-2-Clause */
/* The conformance suite's program: loads one module, runs every group of cases on one of its tokens
 * and prints TAP.
 *
 *   conformance MODULE KIND LABEL [--init-args TEXT] [--expendable] [GROUP...]
 *
 * CONFORM_PIN and CONFORM_SO_PIN in the environment. --expendable: the token may be initialised
 * anew.
 * --init-args is for a token's own library, which proves a case right before the module under test
 * is blamed. Exit 0 when nothing failed, 1 when something did, 2 for a wrong command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/suite.h"
#include "tests/token/load.h"

static const struct group *const groups[] = {
	&group_general,   &group_interface, &group_slot,     &group_wait,   &group_session,
	&group_login,     &group_context,   &group_pin,      &group_object, &group_template,
	&group_attribute, &group_find,      &group_digest,   &group_cipher, &group_sign,
	&group_verify,    &group_state,     &group_generate, &group_wrap,   &group_derive,
	&group_random,    &group_legacy,    &group_message,  &group_token,
};

static bool is_wanted(const struct group *group, char **names, int count, bool is_expendable)
{
	if (group == &group_token && !is_expendable)
		return false;
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], group->name) == 0)
			return true;
	return count == 0;
}

static void pin_from(const char *name, CK_UTF8CHAR **pin, CK_ULONG *len)
{
	char *value = getenv(name);

	*len = value ? strlen(value) : 0;
	*pin = *len ? (CK_UTF8CHAR *)value : NULL;
}

static CK_RV no_cancel(CK_SESSION_HANDLE s, CK_FLAGS flags)
{
	(void)s;
	(void)flags;
	return CKR_FUNCTION_NOT_SUPPORTED;
}

/* A token's own library of 2.40: what 3.0 adds is left out, and the groups that need it fail. */
static CK_FUNCTION_LIST_3_0 *old_list(const CK_FUNCTION_LIST *old)
{
	static CK_FUNCTION_LIST_3_0 list;

	memcpy(&list, old, sizeof(*old));
	list.C_SessionCancel = no_cancel;
	return &list;
}

static int run_all(struct suite *t, char **names, int count, bool is_expendable)
{
	unsigned number = 0;
	bool is_fine = true;

	for (size_t i = 0; i < COUNT(groups); i++)
		if (is_wanted(groups[i], names, count, is_expendable))
			is_fine &= suite_run(t, groups[i], &number);
	printf("1..%u\n", number);
	return is_fine ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"init-args", required_argument, NULL, 'i'},
						{"expendable", no_argument, NULL, 'e'},
						{NULL, 0, NULL, 0}};
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	struct suite t = {.init_args = &args};
	struct loaded module;
	bool is_expendable = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'i')
			args.pReserved = *optarg ? optarg : NULL;
		else if (option == 'e')
			is_expendable = true;
		else
			return 2;
	}
	if (argc - optind < 3) {
		fprintf(stderr,
			"usage: conformance MODULE KIND LABEL [--init-args TEXT] [--expendable] "
			"[GROUP...]\n");
		return 2;
	}
	if (!load_module(argv[optind], &module))
		return 1;
	t.library = module.library;
	t.f = module.f3 ? module.f3 : old_list(module.f);
	t.f2 = module.f;
	t.kind = argv[optind + 1];
	t.label = argv[optind + 2];
	pin_from("CONFORM_PIN", &t.pin, &t.pin_len);
	pin_from("CONFORM_SO_PIN", &t.so_pin, &t.so_pin_len);
	(void)setvbuf(stdout, NULL, _IOLBF,
		      0); /* a crash must not take the lines before it along */
	return run_all(&t, argv + optind + 3, argc - optind - 3, is_expendable);
}
