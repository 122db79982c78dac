/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings: what may not even reach libconfig. The rest is tested with the files that are read. */
#include "core/base/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/core/files.h"
#include "tests/unit/unit.h"

/* A file that can be included, and one with nothing wrong in it. */
static char included[500];

static void open_good(struct settings *s, struct diag *diag)
{
	const char *file;

	(void)snprintf(included, sizeof included, "%s", files_write("inc", "from_it = 1;", 0600));
	file = files_write("good", "key = 1;", 0600);
	CU_ASSERT_TRUE_FATAL(settings_open(s, file, SETTINGS_OWN, geteuid(), diag));
}

static void libconfig_itself_includes_nothing(void)
{
	struct settings s = {0};
	struct diag diag = {0};
	char text[600];

	open_good(&s, &diag);
	(void)snprintf(text, sizeof text, "@include \"%s\"\n", included);
	(void)config_read_string(&s.tree, text); /* may fail or not */
	CU_ASSERT_PTR_NULL(config_lookup(&s.tree, "from_it"));
	(void)snprintf(text, sizeof text, "@include \"%s\"\n", strrchr(included, '/') + 1);
	*strrchr(included, '/') = '\0';
	CU_ASSERT_EQUAL_FATAL(chdir(included), 0);
	(void)config_read_string(&s.tree, text);
	CU_ASSERT_PTR_NULL(config_lookup(&s.tree, "from_it"));
	CU_ASSERT_EQUAL(chdir("/"), 0);
	settings_close(&s);
	diag_free(&diag);
}

static void closing_twice_is_allowed(void)
{
	struct settings s = {0};
	struct diag diag = {0};

	settings_close(&s);
	open_good(&s, &diag);
	settings_close(&s);
	settings_close(&s);
	CU_ASSERT_EQUAL(diag.count, 0);
}

static const struct unit_test tests[] = {
	UNIT(libconfig_itself_includes_nothing),
	UNIT(closing_twice_is_allowed),
};

int main(void)
{
	int code;

	(void)files_begin();
	code = unit_run("core/settings", tests, sizeof tests / sizeof tests[0]);
	files_end();
	return code;
}
