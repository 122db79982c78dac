/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux.conf may hold PINs (env, init_args): none stays in memory that was freed. This program is
 * linked around free(). */
#include "core/config.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/core/files.h"
#include "tests/unit/unit.h"

#define MODULES(args)                                                                              \
	"modules = ( { name = \"m\"; library = \"/m.so\"; init_args = " args ";\n"                 \
	"  env = { A_PIN = \"a-secret-in-the-file\"; B_PIN = \"${HSMUX_TEST_PIN}\"; }; } );\n"
#define TOKENS "tokens = ( { label = \"x\"; members = ( { module = \"m\"; slot = 1; } ); } );\n"

static const char *const secrets[] = {"a-secret-in-the-file", "a-secret-in-the-environment",
				      "a-secret-argument"};

void __real_free(void *block);
void __wrap_free(void *block);

static bool is_watching;
static unsigned left_behind;
static unsigned blocks;

void __wrap_free(void *block)
{
	for (size_t i = 0; block && is_watching && i < sizeof secrets / sizeof secrets[0]; i++)
		left_behind += memmem(block, malloc_usable_size(block), secrets[i],
				      strlen(secrets[i])) != NULL;
	blocks += is_watching;
	__real_free(block);
}

/* Reads the file and frees what became of it. */
static bool read_and_free(const char *text)
{
	const char *file = files_write("c", text, 0600);
	struct diag diag = {0};
	struct config *c;

	left_behind = blocks = 0;
	is_watching = true;
	c = config_parse(file, CONFIG_FROM_OPTION, &diag);
	config_free(c);
	diag_free(&diag);
	is_watching = false;
	return c != NULL;
}

static void secrets_are_wiped_before_memory_is_freed(void)
{
	CU_ASSERT_TRUE(read_and_free("version = 1;\n" MODULES("\"pin=a-secret-argument\"") TOKENS));
	CU_ASSERT_TRUE(blocks > 10);
	CU_ASSERT_EQUAL(left_behind, 0);
}

static void secrets_of_refused_files_are_wiped_too(void)
{
	CU_ASSERT_FALSE(
		read_and_free("version = 2;\n" MODULES("\"pin=a-secret-argument ${\"") TOKENS));
	CU_ASSERT_TRUE(blocks > 10);
	CU_ASSERT_EQUAL(left_behind, 0);
	CU_ASSERT_FALSE(read_and_free("version = 1;\n" MODULES(
		"\"x\"") "tokens = ( { label = \"x\"; members = ( { module "
			 "= \"m\"; slot = 1; pin = "
			 "\"${HSMUX_TEST_PIN}\"; } ); } );\n"));
	CU_ASSERT_EQUAL(left_behind, 0);
	CU_ASSERT_FALSE(read_and_free("not libconfig a-secret-in-the-file"));
	CU_ASSERT_EQUAL(left_behind, 0);
}

static const struct unit_test tests[] = {
	UNIT(secrets_are_wiped_before_memory_is_freed),
	UNIT(secrets_of_refused_files_are_wiped_too),
};

int main(void)
{
	int code;

	(void)setenv("HSMUX_TEST_PIN", "a-secret-in-the-environment", 1);
	(void)files_begin();
	code = unit_run("core/config_secrets", tests, sizeof tests / sizeof tests[0]);
	files_end();
	return code;
}
