/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages for secret bytes: what the kernel says of them, what a forked child sees, and what happens
 * where they cannot be had or locked. */
#include "core/base/locked.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static size_t page;

/* Whether the kernel's flags of the mapping around `at` have this one ("lo": locked, "dd": not in
 * core dumps, "wf": wiped in forked children). */
static bool has_flag(const void *at, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	bool inside = false, has = false;
	char line[400];

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof line, f)) {
		uintptr_t begin, end;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2)
			inside = (uintptr_t)at >= begin && (uintptr_t)at < end;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			has = strstr(line + 8, flag) != NULL;
	}
	(void)fclose(f); /* it was only read */
	return has;
}

/* What mlock() says of a page, and whether it is true: AddressSanitizer's does nothing. */
static bool lock_one(bool *is_real)
{
	void *probe = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool is_locked, said;

	CU_ASSERT_FATAL(probe != MAP_FAILED);
	said = mlock(probe, page) == 0;
	is_locked = has_flag(probe, " lo");
	(void)munmap(probe, page); /* cannot fail for what mmap gave */
	*is_real = said == is_locked;
	return is_locked;
}

/* A page that is mapped, or not. */
static bool is_mapped(void *at)
{
	unsigned char in_core;

	return mincore(at, page, &in_core) == 0;
}

static void pages_are_zeroed_and_can_be_written(void)
{
	const size_t sizes[] = {1, 100, page - 1, page, page + 1, 10 * page};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		unsigned char *p = locked_new(sizes[i]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL((uintptr_t)p % page, 0);
		for (size_t k = 0; k < sizes[i]; k++)
			CU_ASSERT_FATAL(p[k] == 0);
		memset(p, 0xa5, sizes[i]);
		CU_ASSERT_TRUE(is_mapped(p + (sizes[i] - 1) / page * page));
		locked_free(p, sizes[i]);
		for (size_t k = 0; k < sizes[i]; k += page)
			CU_ASSERT_FALSE(is_mapped(p + k / page * page));
	}
}

static void nothing_has_a_page_too(void)
{
	unsigned char *p = locked_new(0);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	p[0] = 1;
	locked_free(p, 0);
	CU_ASSERT_FALSE(is_mapped(p));
	locked_free(NULL, 0);
	locked_free(NULL, 100);
}

static void the_kernel_keeps_them_out_of_swap_dumps_and_children(void)
{
	unsigned char *p = locked_new(3 * page);
	bool was_locked = has_flag(p, " lo"), is_real;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(was_locked, lock_one(&is_real));
	CU_ASSERT_TRUE(has_flag(p, " dd"));
	CU_ASSERT_TRUE(has_flag(p, " wf"));
	CU_ASSERT_TRUE(has_flag(p + 2 * page, " wf"));
	locked_free(p, 3 * page);
}

/* Runs it in a child; its exit code. */
static int in_child(int (*run)(unsigned char *), unsigned char *arg)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(run(arg));
	CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
	CU_ASSERT_TRUE(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int sees_something(unsigned char *p)
{
	for (size_t i = 0; i < 2 * page; i++)
		if (p[i] != 0)
			return 1;
	locked_free(p, 2 * page); /* as its own */
	return 0;
}

static void a_forked_child_sees_nothing(void)
{
	unsigned char *p = locked_new(2 * page);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	memset(p, 0x5a, 2 * page);
	CU_ASSERT_EQUAL(in_child(sees_something, p), 0);
	CU_ASSERT_EQUAL(p[0], 0x5a);
	CU_ASSERT_EQUAL(p[2 * page - 1], 0x5a);
	locked_free(p, 2 * page);
}

/* Where a process may not lock memory it has the pages nevertheless. */
static int without_locking(unsigned char *ignored)
{
	const struct rlimit none = {0, 0};
	unsigned char *p;
	void *probe;

	(void)ignored;
	if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
		return 2;
	probe = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (probe == MAP_FAILED || mlock(probe, page) == 0)
		return 3; /* locking is not real here, nothing is shown */
	p = locked_new(page);
	if (!p)
		return 4;
	p[0] = 1;
	locked_free(p, page);
	return 0;
}

static void pages_that_cannot_be_locked_are_given_all_the_same(void)
{
	bool is_real;

	(void)lock_one(&is_real); /* only that matters */
	CU_ASSERT_EQUAL(in_child(without_locking, NULL), is_real ? 0 : 3);
}

static void memory_may_be_out(void)
{
	CU_ASSERT_PTR_NULL(locked_new(SIZE_MAX));
	CU_ASSERT_PTR_NULL(locked_new(SIZE_MAX - page));
	CU_ASSERT_PTR_NULL(locked_new(SIZE_MAX - page + 1));
	CU_ASSERT_PTR_NULL(locked_new(SIZE_MAX / 2));
}

static void the_system_has_pages(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	CU_ASSERT_TRUE_FATAL(page >= 4096);
}

static const struct unit_test tests[] = {
	UNIT(the_system_has_pages),
	UNIT(pages_are_zeroed_and_can_be_written),
	UNIT(nothing_has_a_page_too),
	UNIT(the_kernel_keeps_them_out_of_swap_dumps_and_children),
	UNIT(a_forked_child_sees_nothing),
	UNIT(pages_that_cannot_be_locked_are_given_all_the_same),
	UNIT(memory_may_be_out),
};

UNIT_MAIN("base/locked", tests)
