/* SPDX-License-Identifier: BSD-2-Clause */
/* PINs of members from where the configuration says. This program is linked around free(), to see
 * what is left in memory, around malloc() and calloc(), and around secure_getenv(), to stand for a
 * setuid process. */
#include "core/pin_source.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/files.h"
#include "tests/unit/unit.h"

#define PIN "a-secret-of-a-member"

void __real_free(void *block);
void __wrap_free(void *block);
char *__real_secure_getenv(const char *name);
char *__wrap_secure_getenv(const char *name);

static const char *folder;
static bool is_setuid;
static bool is_watching;
static unsigned left_behind;
static unsigned blocks;

void __wrap_free(void *block)
{
	if (block != NULL && is_watching)
		left_behind += memmem(block, malloc_usable_size(block), PIN, strlen(PIN)) != NULL;
	blocks += is_watching;
	__real_free(block);
}

char *__wrap_secure_getenv(const char *name)
{
	return is_setuid ? NULL : __real_secure_getenv(name);
}

/* What the last failure said. */
static char why[512];

static struct secret *read_from(enum config_pin pin, const char *where)
{
	char *copy = strdup(where);
	struct config_member conf = {.pin = pin, .pin_where = copy};
	struct secret *secret;

	why[0] = '\0';
	secret = pin_source_read(&conf, why, sizeof why);
	free(copy);
	return secret;
}

/* The source gives these bytes. */
static void expect_bytes(enum config_pin pin, const char *where, const char *bytes, size_t len)
{
	struct secret *secret = read_from(pin, where);

	if (secret == NULL)
		puts(why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(secret);
	CU_ASSERT_EQUAL_FATAL(secret_len(secret), len);
	CU_ASSERT_EQUAL(memcmp(secret_bytes(secret), bytes, len), 0);
	secret_free(&secret);
}

static void expect_pin(enum config_pin pin, const char *where)
{
	expect_bytes(pin, where, PIN, strlen(PIN));
}

/* The source fails with this text, and with no PIN in it. */
static void expect_why(enum config_pin pin, const char *where, const char *text)
{
	struct secret *secret = read_from(pin, where);

	CU_ASSERT_PTR_NULL(secret);
	if (strstr(why, text) == NULL)
		printf("\ngot      %s\nexpected %s\n", why, text);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, text));
	CU_ASSERT_PTR_NULL(strstr(why, PIN));
	secret_free(&secret);
}

static void a_file_holds_a_pin(void)
{
	expect_pin(CONFIG_PIN_FILE, files_write("p", PIN, 0600));
	expect_pin(CONFIG_PIN_FILE, files_write("p", PIN, 0400));
}

static void one_newline_at_the_end_does_not_count(void)
{
	expect_pin(CONFIG_PIN_FILE, files_write("p", PIN "\n", 0600));
	expect_bytes(CONFIG_PIN_FILE, files_write("p", "12\n\n", 0600), "12\n", 3);
	expect_bytes(CONFIG_PIN_FILE, files_write("p", " 1 2 ", 0600), " 1 2 ", 5);
}

static void a_file_may_be_as_long_as_a_secret(void)
{
	static char text[SECRET_MAX_LEN + 3];

	memset(text, '7', SECRET_MAX_LEN);
	expect_bytes(CONFIG_PIN_FILE, files_write("p", text, 0600), text, SECRET_MAX_LEN);
	text[SECRET_MAX_LEN] = '\n';
	expect_bytes(CONFIG_PIN_FILE, files_write("p", text, 0600), text, SECRET_MAX_LEN);
	text[SECRET_MAX_LEN] = '7';
	expect_why(CONFIG_PIN_FILE, files_write("p", text, 0600), "is longer than 4096 bytes");
	text[SECRET_MAX_LEN + 1] = '\n';
	expect_why(CONFIG_PIN_FILE, files_write("p", text, 0600), "is longer than 4096 bytes");
}

static void an_empty_pin_is_none(void)
{
	expect_why(CONFIG_PIN_FILE, files_write("p", "", 0600), "/p is empty");
	expect_why(CONFIG_PIN_FILE, files_write("p", "\n", 0600), "/p is empty");
	(void)setenv("HSMUX_TEST_PIN", "", 1);
	expect_why(CONFIG_PIN_ENV, "HSMUX_TEST_PIN", "pin env:HSMUX_TEST_PIN is empty");
}

static void a_file_that_is_open_to_others_is_refused(void)
{
	static const mode_t modes[] = {0640, 0620, 0610, 0604, 0602, 0601, 0440, 0444};

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "/p is open to others (mode %04o)",
			       (unsigned)modes[i]);
		expect_why(CONFIG_PIN_FILE, files_write("p", PIN, modes[i]), text);
	}
}

static void a_file_of_another_user_is_refused(void)
{
	const char *file = files_write("p", PIN, 0600);

	if (chown(file, 12345, (gid_t)-1) != 0) {
		puts("skipped: only root can give a file to another user");
		return;
	}
	expect_why(CONFIG_PIN_FILE, file, "belongs to user 12345");
	(void)unlink(file);
}

static void what_is_no_file_is_refused(void)
{
	const char *file = files_write("p", PIN, 0600);

	(void)unlink(file);
	expect_why(CONFIG_PIN_FILE, file, "cannot be opened: No such file");
	CU_ASSERT_EQUAL_FATAL(mkfifo(file, 0600), 0);
	expect_why(CONFIG_PIN_FILE, file, "is not a regular file");
	(void)unlink(file);
	expect_why(CONFIG_PIN_FILE, folder, "is not a regular file");
}

static void a_symbolic_link_is_followed_and_its_target_judged(void)
{
	char link[600];

	(void)snprintf(link, sizeof link, "%s/link", folder);
	CU_ASSERT_EQUAL_FATAL(symlink(files_write("p", PIN, 0600), link), 0);
	expect_pin(CONFIG_PIN_FILE, link);
	(void)files_write("p", PIN, 0644);
	expect_why(CONFIG_PIN_FILE, link, "/link is open to others");
}

static void a_variable_holds_a_pin(void)
{
	(void)setenv("HSMUX_TEST_PIN", PIN "\n", 1);
	expect_pin(CONFIG_PIN_ENV, "HSMUX_TEST_PIN");
	(void)unsetenv("HSMUX_TEST_PIN");
	expect_why(CONFIG_PIN_ENV, "HSMUX_TEST_PIN",
		   "pin env:HSMUX_TEST_PIN is not set in the environment");
}

static void a_credential_holds_a_pin(void)
{
	(void)setenv("CREDENTIALS_DIRECTORY", folder, 1);
	(void)files_write("c", PIN, 0400);
	expect_pin(CONFIG_PIN_CREDENTIAL, "c");
	expect_why(CONFIG_PIN_CREDENTIAL, "missing", "pin credential:missing cannot be opened");
	(void)files_write("c", PIN, 0444);
	expect_why(CONFIG_PIN_CREDENTIAL, "c", "is open to others (mode 0444)");
	(void)setenv("CREDENTIALS_DIRECTORY", "relative", 1);
	expect_why(CONFIG_PIN_CREDENTIAL, "c", "CREDENTIALS_DIRECTORY is not set");
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	expect_why(CONFIG_PIN_CREDENTIAL, "c", "CREDENTIALS_DIRECTORY is not set");
}

static void a_credential_of_root_may_have_an_access_control_list(void)
{
	(void)setenv("CREDENTIALS_DIRECTORY", folder, 1);
	if (chown(files_write("c", PIN, 0440), 0, 0) != 0) {
		puts("skipped: only root can make a file of root");
		return;
	}
	expect_pin(CONFIG_PIN_CREDENTIAL, "c");
	(void)files_write("c", PIN, 0460);
	expect_why(CONFIG_PIN_CREDENTIAL, "c", "is open to others (mode 0460)");
	CU_ASSERT_EQUAL_FATAL(chown(files_write("c", PIN, 0440), 0, 12345), 0);
	expect_why(CONFIG_PIN_CREDENTIAL, "c", "is open to others (mode 0440)");
}

static void a_credential_path_that_is_too_long_is_refused(void)
{
	static char name[5000];

	(void)setenv("CREDENTIALS_DIRECTORY", folder, 1);
	memset(name, 'x', sizeof name - 1);
	expect_why(CONFIG_PIN_CREDENTIAL, name, "its path is too long");
}

static void a_setuid_process_believes_no_environment(void)
{
	(void)setenv("HSMUX_TEST_PIN", PIN, 1);
	(void)setenv("CREDENTIALS_DIRECTORY", folder, 1);
	(void)files_write("c", PIN, 0400);
	is_setuid = true;
	expect_why(CONFIG_PIN_ENV, "HSMUX_TEST_PIN", "is not set in the environment");
	expect_why(CONFIG_PIN_CREDENTIAL, "c", "CREDENTIALS_DIRECTORY is not set");
	expect_pin(CONFIG_PIN_FILE, files_write("p", PIN, 0600));
	is_setuid = false;
}

static void the_applications_pin_is_not_read_here(void)
{
	struct config_member conf = {.pin = CONFIG_PIN_SAME};

	CU_ASSERT_PTR_NULL(pin_source_read(&conf, why, sizeof why));
	CU_ASSERT_PTR_NOT_NULL(strstr(why, "there is nothing to read"));
}

static void no_copy_of_the_pin_is_left(void)
{
	const char *file = files_write("p", PIN "\n", 0600);
	struct secret *secret;

	(void)setenv("HSMUX_TEST_PIN", PIN, 1);
	left_behind = blocks = 0;
	is_watching = true;
	secret = read_from(CONFIG_PIN_FILE, file);
	CU_ASSERT_PTR_NOT_NULL(secret);
	secret_free(&secret);
	secret = read_from(CONFIG_PIN_ENV, "HSMUX_TEST_PIN");
	CU_ASSERT_PTR_NOT_NULL(secret);
	secret_free(&secret);
	is_watching = false;
	CU_ASSERT_TRUE(blocks >= 4); /* two copies of the place, the buffer, the secrets */
	CU_ASSERT_EQUAL(left_behind, 0);
}

static void without_memory_there_is_a_reason(void)
{
	static char where[600];
	struct config_member conf = {.pin = CONFIG_PIN_FILE, .pin_where = where};
	struct secret *secret = NULL;
	unsigned long n = 0;

	(void)snprintf(where, sizeof where, "%s", files_write("p", PIN, 0600));
	while (secret == NULL && n < 20) {
		why[0] = '\0';
		alloc_fail_at(++n);
		secret = pin_source_read(&conf, why, sizeof why);
		alloc_fail_at(0);
		CU_ASSERT_TRUE(secret != NULL || strstr(why, "out of memory") != NULL);
	}
	CU_ASSERT_PTR_NOT_NULL(secret);
	CU_ASSERT_TRUE(n > 2);
	secret_free(&secret);
}

static const struct unit_test tests[] = {
	UNIT(a_file_holds_a_pin),
	UNIT(one_newline_at_the_end_does_not_count),
	UNIT(a_file_may_be_as_long_as_a_secret),
	UNIT(an_empty_pin_is_none),
	UNIT(a_file_that_is_open_to_others_is_refused),
	UNIT(a_file_of_another_user_is_refused),
	UNIT(what_is_no_file_is_refused),
	UNIT(a_symbolic_link_is_followed_and_its_target_judged),
	UNIT(a_variable_holds_a_pin),
	UNIT(a_credential_holds_a_pin),
	UNIT(a_credential_of_root_may_have_an_access_control_list),
	UNIT(a_credential_path_that_is_too_long_is_refused),
	UNIT(a_setuid_process_believes_no_environment),
	UNIT(the_applications_pin_is_not_read_here),
	UNIT(no_copy_of_the_pin_is_left),
	UNIT(without_memory_there_is_a_reason),
};

int main(void)
{
	int code;

	folder = files_begin();
	code = unit_run("core/pin_source", tests, sizeof tests / sizeof tests[0]);
	files_end();
	return code;
}
