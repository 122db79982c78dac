/* SPDX-License-Identifier: BSD-2-Clause */
/* core/library.c, core/library_load.c: files that are no module, or not the one that was meant, and
 * what a library's life leaves behind. This program stands for hsmux. */
#include "core/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "core/config.h"
#include "core/library_load.h"
#include "core/member.h"
#include "core/mux.h"
#include "tests/unit/core/files.h"
#include "tests/unit/core/world.h"
#include "tests/unit/unit.h"

__attribute__((visibility("default"))) CK_RV odd_ours(void);

CK_RV odd_ours(void)
{
	return CKR_OK;
}

static struct library_lists lists;
static char reason[256];

static bool load(const char *file, bool copies)
{
	struct config_module conf = {.library = (char *)(uintptr_t)file};

	reason[0] = '\0';
	return library_load(&conf, copies, true, true, &lists, reason, sizeof reason);
}

static bool reason_has(const char *words)
{
	if (strstr(reason, words))
		return true;
	(void)printf("%s\n", reason);
	return false;
}

static void a_file_that_is_no_module_is_refused(void)
{
	const char *dir = files_begin(), *file;

	CU_ASSERT_FALSE(load("/nonexistent/module.so", false));
	CU_ASSERT_TRUE(reason_has("/nonexistent/module.so: No such file"));
	CU_ASSERT_FALSE(load(dir, false));
	CU_ASSERT_TRUE(reason_has("is not a regular file"));
	file = files_write("text.so", "not a library\n", 0600);
	CU_ASSERT_FALSE(load(file, false));
	CU_ASSERT_TRUE(reason_has("cannot load"));
	CU_ASSERT_FALSE(load(file, true));
	CU_ASSERT_TRUE(reason_has("cannot load"));
	CU_ASSERT_FALSE(load("/dev/null", false));
	CU_ASSERT_TRUE(reason_has("is not a regular file"));
	files_end();
}

static void hsmux_does_not_load_itself(void)
{
	CU_ASSERT_FALSE(load("/proc/self/exe", false));
	CU_ASSERT_TRUE(reason_has("is hsmux itself"));
	CU_ASSERT_FALSE(load("/proc/self/exe", true));
	CU_ASSERT_TRUE(reason_has("is hsmux itself"));
}

static void odd_lists_are_refused(void)
{
	static const struct {
		const char *odd, *says;
	} rows[] = {{"fails", "C_GetFunctionList answered 0x2"},
		    {"nothing", "C_GetFunctionList answered 0x0"},
		    {"hole", "is NULL"},
		    {"ours", "points into hsmux"}};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setenv("ODD", rows[i].odd, 1);
		CU_ASSERT_FALSE(load(ODD_FILE, false));
		CU_ASSERT_TRUE(reason_has(rows[i].says));
	}
	setenv("ODD", "", 1);
	CU_ASSERT_TRUE(load(ODD_FILE, false));
}

static void digest_of(const char *file, uint8_t out[32])
{
	static unsigned char bytes[4 * 1024 * 1024];
	FILE *f = fopen(file, "rb");
	size_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	n = fread(bytes, 1, sizeof bytes, f);
	CU_ASSERT(n > 0 && n < sizeof bytes);
	(void)fclose(f); /* read only */
	CU_ASSERT_EQUAL(EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL), 1);
}

static void a_pinned_library_is_this_one_or_none(void)
{
	const char *file = world_token_file();
	struct config_module conf = {.library = (char *)(uintptr_t)file, .has_sha256 = true};

	digest_of(conf.library, conf.sha256);
	CU_ASSERT_TRUE(library_load(&conf, false, true, true, &lists, reason, sizeof reason));
	CU_ASSERT_TRUE(library_load(&conf, true, true, true, &lists, reason, sizeof reason));
	conf.sha256[31] ^= 1;
	CU_ASSERT_FALSE(library_load(&conf, false, true, true, &lists, reason, sizeof reason));
	CU_ASSERT_TRUE(reason_has("not the one in the configuration"));
}

static void a_private_copy_is_another_instance(void)
{
	CK_FUNCTION_LIST *first, *copy, *again;

	CU_ASSERT_TRUE_FATAL(load(world_token_file(), false));
	first = lists.v2;
	CU_ASSERT_TRUE_FATAL(load(world_token_file(), true));
	copy = lists.v2;
	CU_ASSERT_TRUE_FATAL(load(world_token_file(), true));
	again = lists.v2;
	CU_ASSERT_PTR_NOT_EQUAL(first, copy);
	CU_ASSERT_PTR_NOT_EQUAL(copy, again);
	CU_ASSERT_EQUAL(copy->C_Initialize(NULL), CKR_OK);
	CU_ASSERT_EQUAL(again->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	CU_ASSERT_EQUAL(copy->C_Finalize(NULL), CKR_OK);
}

static void what_is_initialised_already_is_used_and_left_alone(void)
{
	CU_ASSERT_TRUE_FATAL(load(world_token_file(), false));
	CU_ASSERT_EQUAL(lists.v2->C_Initialize(NULL), CKR_OK);
	world_begin(NULL, NULL);
	CU_ASSERT_FALSE(atomic_load(&world_member()->lib->is_owned));
	CU_ASSERT_EQUAL(world_sign(world_enter(), 0), CKR_KEY_HANDLE_INVALID);
	world_end();
	CU_ASSERT_EQUAL(lists.v2->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	CU_ASSERT_EQUAL(lists.v2->C_Finalize(NULL), CKR_OK);
}

static CK_RV initialize_us(void *args)
{
	(void)args;
	CU_ASSERT_EQUAL(mux_init(NULL), CKR_FUNCTION_FAILED);
	CU_ASSERT_EQUAL(mux_fini(), CKR_FUNCTION_FAILED);
	return CKR_OK;
}

/* As p11-kit-proxy with hsmux among its modules does. */
static void a_library_that_starts_hsmux_is_refused_for_good(void)
{
	struct member *m;

	world_begin(NULL, NULL);
	m = world_member();
	CU_ASSERT_EQUAL(world_real()->C_Finalize(NULL), CKR_OK);
	world_list()->C_Initialize = initialize_us;
	member_lost(m, atomic_load(&m->epoch), "a test", CKR_DEVICE_REMOVED);
	CU_ASSERT_FALSE(member_up(m, true));
	CU_ASSERT_PTR_NOT_NULL(strstr(m->reason, "loads hsmux itself"));
	world_list()->C_Initialize = world_real()->C_Initialize;
	CU_ASSERT_FALSE(member_up(m, true));
	world_end();
}

static void fields_of_tokens_lose_their_padding(void)
{
	char text[6];

	library_field((const unsigned char *)"ab   ", 5, text);
	CU_ASSERT_STRING_EQUAL(text, "ab");
	library_field((const unsigned char *)"a b\0 ", 5, text);
	CU_ASSERT_STRING_EQUAL(text, "a b");
	library_field((const unsigned char *)"     ", 5, text);
	CU_ASSERT_STRING_EQUAL(text, "");
	library_field((const unsigned char *)"abcde", 5, text);
	CU_ASSERT_STRING_EQUAL(text, "abcde");
}

int main(void)
{
	static const struct unit_test tests[] = {
		UNIT(a_file_that_is_no_module_is_refused),
		UNIT(hsmux_does_not_load_itself),
		UNIT(odd_lists_are_refused),
		UNIT(a_pinned_library_is_this_one_or_none),
		UNIT(a_private_copy_is_another_instance),
		UNIT(what_is_initialised_already_is_used_and_left_alone),
		UNIT(a_library_that_starts_hsmux_is_refused_for_good),
		UNIT(fields_of_tokens_lose_their_padding),
	};

	return unit_run("core/library", tests, sizeof tests / sizeof tests[0]);
}
