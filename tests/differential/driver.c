/* SPDX-License-Identifier: BSD-2-Clause */
/* The differential test's driver: loads one module, finds one token, runs every scene, writes the
 * transcript to stdout. It judges nothing; compare.c does.
 *
 *   driver MODULE LABEL [--init-args TEXT] [--reduced] [--messages] [--gentle] [--flat]
 *
 * DIFF_PIN and DIFF_SO_PIN in the environment. --reduced leaves out the scenes that need
 * C_CreateObject;
 * --messages adds the message functions of 3.0. Exit 0 when all scenes ran, 1 when the token could
 * not be used at all, 2 for a wrong command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"
#include "tests/differential/differential.h"
#include "tests/token/load.h"

/* C_INITIALIZE_ARGS of NSS has a string before pReserved; other makes see the string as pReserved.
 */
struct init_args {
	CK_C_INITIALIZE_ARGS args;
	void *nss_reserved;
};

struct scene {
	const char *name;
	void (*run)(struct run *r);
	bool needs_create;
};

static const struct scene scenes[] = {
	{"general", scene_general, false},
	{"sessions", scene_sessions, false},
	{"login", scene_login_states, false},
	{"pins", scene_pins, true},
	{"random", scene_random, false},
	{"objects", scene_objects, true},
	{"attributes", scene_attributes, true},
	{"read-only", scene_read_only, true},
	{"find", scene_find, true},
	{"digest", scene_digest, false},
	{"sign", scene_sign, true},
	{"sign-states", scene_sign_states, true},
	{"recover", scene_recover, true},
	{"cipher", scene_cipher, true},
	{"cipher-parts", scene_cipher_parts, true},
	{"cipher-rsa", scene_cipher_rsa, true},
	{"dual", scene_dual, true},
	{"wrap", scene_wrap, true},
	{"derive", scene_derive, true},
	{"generate", scene_generate, true},
	{"bad-handles", scene_bad_handles, false},
	{"token-keys", scene_token_keys, false},
};

static void coverage(const struct run *r)
{
	static const char *const names[CALL_COUNT] = {TOKEN_CALLS(TOKEN_CALL_NAME)};
	unsigned count = 0;

	for (unsigned i = 0; i < CALL_COUNT; i++)
		count += r->called[i];
	fprintf(stderr, "driver: %u of %u functions called; not:", count, (unsigned)CALL_COUNT);
	for (unsigned i = 0; i < CALL_COUNT; i++)
		if (!r->called[i])
			fprintf(stderr, " %s", names[i]);
	fprintf(stderr, "\n");
}

static int run_all(struct run *r, bool is_reduced, bool has_messages)
{
	CK_RV rv = r->f->C_Initialize(r->init_args);
	char spare[NAME_MAX_LEN];

	if (rv != CKR_OK || !load_find_slot(r->f, r->label, &r->slot)) {
		fprintf(stderr, "driver: no token %s (C_Initialize: %s)\n", r->label,
			name_of(NAME_RV, rv, spare));
		return 1;
	}
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		if (is_reduced && scenes[i].needs_create)
			continue;
		r->scene = scenes[i].name;
		scenes[i].run(r);
		(void)r->f->C_CloseAllSessions(r->slot); /* each scene begins with nothing open */
	}
	r->scene = "messages";
	if (has_messages && r->f3)
		scene_messages(r);
	r->scene = "end";
	said(r, CALL_Finalize, "finalize", r->f->C_Finalize(NULL));
	said(r, CALL_Finalize, "finalize-again", r->f->C_Finalize(NULL));
	coverage(r);
	return 0;
}

static void pin_from(const char *name, CK_UTF8CHAR **pin, CK_ULONG *len)
{
	char *value = getenv(name);

	*pin = (CK_UTF8CHAR *)value;
	*len = value ? strlen(value) : 0;
	if (*len == 0)
		*pin = NULL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"init-args", required_argument, NULL, 'i'},
						{"reduced", no_argument, NULL, 'r'},
						{"messages", no_argument, NULL, 'm'},
						{"gentle", no_argument, NULL, 'g'},
						{"flat", no_argument, NULL, 'f'},
						{NULL, 0, NULL, 0}};
	struct init_args args = {.args = {.flags = CKF_OS_LOCKING_OK}};
	struct run r = {.init_args = &args};
	struct loaded module;
	bool is_reduced = false;
	bool has_messages = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'i')
			args.args.pReserved = *optarg ? optarg : NULL;
		else if (option == 'r')
			is_reduced = true;
		else if (option == 'm')
			has_messages = true;
		else if (option == 'g')
			r.is_gentle = true;
		else if (option == 'f')
			r.is_flat = true;
		else
			return 2;
	}
	if (argc - optind != 2) {
		fprintf(stderr,
			"usage: driver MODULE LABEL [--init-args TEXT] [--reduced] [--messages] "
			"[--gentle] [--flat]\n");
		return 2;
	}
	r.label = argv[optind + 1];
	pin_from("DIFF_PIN", &r.pin, &r.pin_len);
	pin_from("DIFF_SO_PIN", &r.so_pin, &r.so_pin_len);
	(void)setvbuf(stdout, NULL, _IOLBF,
		      0); /* a crash must not take the lines before it along */
	if (!load_module(argv[optind], &module))
		return 1;
	r.f = module.f;
	r.f3 = module.f3;
	return run_all(&r, is_reduced, has_messages);
}
