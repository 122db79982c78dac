/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/mech*.c: an application whose other threads write to a parameter while it is
 * copied. What they do happens at a known place of the copying: in is_handle, in malloc, and in two
 * functions that this program is linked around. */
#include "core/base/mech.h"

#include <string.h>
#include <sys/mman.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

#define UNKNOWN_VENDOR (CKM_VENDOR_DEFINED | 0x7654321UL)
#define VALID_HANDLE   0x40000017UL

size_t __real_strnlen(const char *text, size_t max);
size_t __wrap_strnlen(const char *text, size_t max);
int __real_mincore(void *address, size_t len, unsigned char *resident);
int __wrap_mincore(void *address, size_t len, unsigned char *resident);

/* Run once when set. */
static void (*strnlen_hook)(void);
static void (*mincore_hook)(void);

static void run_once(void (**hook)(void))
{
	void (*run)(void) = *hook;

	*hook = NULL;
	if (run)
		run();
}

size_t __wrap_strnlen(const char *text, size_t max)
{
	size_t len = __real_strnlen(text, max);

	run_once(&strnlen_hook);
	return len;
}

int __wrap_mincore(void *address, size_t len, unsigned char *resident)
{
	int result = __real_mincore(address, len, resident);

	run_once(&mincore_hook);
	return result;
}

static bool is_valid_handle(CK_ULONG value, void *context)
{
	(void)context;
	return value == VALID_HANDLE;
}

static CK_RV copy(struct mech *m, CK_MECHANISM_TYPE type, void *param, CK_ULONG len,
		  mech_is_handle *is_handle, void *context)
{
	CK_MECHANISM in = {type, param, len};
	const char *why = NULL;

	return mech_copy(m, &in, is_handle, context, &why);
}

static CK_BYTE changing_iv[4096];
static CK_GCM_PARAMS changing;

static void change_length(void)
{
	changing.ulIvLen = sizeof(changing_iv);
}

static void parameter_that_grows_is_refused(void)
{
	struct mech m;

	changing = (CK_GCM_PARAMS){.pIv = changing_iv, .ulIvLen = 100, .ulTagBits = 128};
	CU_ASSERT_EQUAL(copy(&m, CKM_AES_GCM, &changing, sizeof(changing), NULL, NULL), CKR_OK);
	mech_free(&m);
	alloc_hook = change_length;
	CU_ASSERT_EQUAL(copy(&m, CKM_AES_GCM, &changing, sizeof(changing), NULL, NULL),
			CKR_MECHANISM_PARAM_INVALID);
	alloc_hook = NULL;
	CU_ASSERT_EQUAL(changing.ulIvLen, sizeof(changing_iv));
	CU_ASSERT_EQUAL(copy(&m, CKM_AES_GCM, &changing, sizeof(changing), NULL, NULL), CKR_OK);
	mech_free(&m);
	alloc_fail_at(0);
}

/* Puts a handle where the first word was, which was looked at already. */
static bool puts_a_handle(CK_ULONG value, void *context)
{
	CK_ULONG *words = context;

	words[0] = VALID_HANDLE;
	return is_valid_handle(value, NULL);
}

static void handle_that_appears_late_is_not_passed_on(void)
{
	/* More words than fit inside struct mech: the copy is made in the second run. */
	CK_ULONG words[40] = {7};
	struct mech m;
	CK_ULONG first;

	for (size_t count = 2; count <= 40; count += 38) {
		words[0] = 7;
		CU_ASSERT_EQUAL_FATAL(copy(&m, UNKNOWN_VENDOR, words, count * sizeof(words[0]),
					   puts_a_handle, words),
				      CKR_OK);
		CU_ASSERT_EQUAL(words[0], VALID_HANDLE);
		memcpy(&first, m.m.pParameter, sizeof(first));
		CU_ASSERT_EQUAL(first, 7);
		mech_free(&m);
	}
}

static CK_BYTE content_type[] = "1.2.840.113549.1.7.1";

static void write_over_the_end(void)
{
	content_type[sizeof(content_type) - 1] = 'x';
}

static void copied_string_has_an_end(void)
{
	CK_CMS_SIG_PARAMS p = {.pContentType = content_type};
	const CK_CMS_SIG_PARAMS *copied;
	struct mech m;

	strnlen_hook = write_over_the_end;
	CU_ASSERT_EQUAL_FATAL(copy(&m, CKM_CMS_SIG, &p, sizeof(p), NULL, NULL), CKR_OK);
	CU_ASSERT_EQUAL(content_type[sizeof(content_type) - 1], 'x');
	copied = m.m.pParameter;
	CU_ASSERT_EQUAL(copied->pContentType[sizeof(content_type) - 1], 0);
	mech_free(&m);
	content_type[sizeof(content_type) - 1] = 0;
}

/* Both structures of AES-GCM are of one size, and their pointers stand in different places. */
static union {
	CK_GCM_MESSAGE_PARAMS as_message;
	CK_GCM_PARAMS as_params;
} either;

static void become_another(void)
{
	either.as_params = (CK_GCM_PARAMS){.pIv = changing_iv, .ulIvLen = 12, .ulTagBits = 128};
}

static void structure_that_becomes_another_is_refused(void)
{
	CK_BYTE tag[16];
	struct mech m;

	either.as_message = (CK_GCM_MESSAGE_PARAMS){
		.pIv = changing_iv, .ulIvLen = 12, .pTag = tag, .ulTagBits = 128};
	CU_ASSERT_EQUAL(copy(&m, CKM_AES_GCM, &either, sizeof(either), NULL, NULL), CKR_OK);
	mech_free(&m);
	mincore_hook = become_another;
	CU_ASSERT_EQUAL(copy(&m, CKM_AES_GCM, &either, sizeof(either), NULL, NULL),
			CKR_MECHANISM_PARAM_INVALID);
	CU_ASSERT_PTR_NULL(mincore_hook);
}

static const struct unit_test tests[] = {
	UNIT(parameter_that_grows_is_refused),
	UNIT(handle_that_appears_late_is_not_passed_on),
	UNIT(copied_string_has_an_end),
	UNIT(structure_that_becomes_another_is_refused),
};

UNIT_MAIN("base/mech_race", tests)
