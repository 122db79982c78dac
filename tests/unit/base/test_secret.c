/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/secret.c. */
#include "core/base/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

static void secret_holds_its_bytes(void)
{
	struct secret *s = secret_new("12\0004", 4);

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(secret_len(s), 4);
	CU_ASSERT_EQUAL(memcmp(secret_bytes(s), "12\0004", 4), 0);
	secret_free(&s);
	CU_ASSERT_PTR_NULL(s);
	secret_free(&s);
	secret_free(NULL);
}

static void secret_may_be_empty_or_long_but_not_absurd(void)
{
	static const unsigned char bytes[4097];
	struct secret *empty = secret_new(NULL, 0);
	struct secret *longest = secret_new(bytes, 4096);

	CU_ASSERT_PTR_NOT_NULL_FATAL(empty);
	CU_ASSERT_EQUAL(secret_len(empty), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(longest);
	CU_ASSERT_EQUAL(secret_len(longest), 4096);
	CU_ASSERT_PTR_NULL(secret_new(bytes, 4097));
	secret_free(&empty);
	secret_free(&longest);
}

static void secrets_are_compared_whole(void)
{
	struct secret *a = secret_new("1234", 4);
	struct secret *same = secret_new("1234", 4);
	struct secret *other = secret_new("1235", 4);
	struct secret *longer = secret_new("12345", 5);

	CU_ASSERT_TRUE_FATAL(a && same && other && longer);
	CU_ASSERT_TRUE(secret_equal(a, same));
	CU_ASSERT_FALSE(secret_equal(a, other));
	CU_ASSERT_FALSE(secret_equal(a, longer));
	secret_free(&a);
	secret_free(&same);
	secret_free(&other);
	secret_free(&longer);
}

static void forked_child_reads_zeros(void)
{
	struct secret *s = secret_new("1234", 4);
	int status = -1;
	pid_t child;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	child = fork();
	if (child == 0) {
		bool is_wiped = memcmp(secret_bytes(s), "\0\0\0\0", 4) == 0;

		secret_free(&s);
		_exit(is_wiped ? 0 : 1);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(memcmp(secret_bytes(s), "1234", 4), 0);
	secret_free(&s);
}

/* Flags of the mapping that begins at `address`, as the kernel shows them. */
static bool mapping_flags(const void *address, char *flags, size_t flags_len)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	bool is_ours = false;
	bool is_found = false;
	char line[512];

	if (!smaps)
		return false;
	while (!is_found && fgets(line, sizeof(line), smaps)) {
		uintptr_t start;
		uintptr_t end;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start, &end) == 2)
			is_ours = (uintptr_t)address >= start && (uintptr_t)address < end;
		is_found = is_ours && strncmp(line, "VmFlags:", 8) == 0;
	}
	(void)fclose(smaps);
	if (is_found)
		(void)snprintf(flags, flags_len, "%s", line);
	return is_found;
}

static void secret_stays_out_of_core_dumps(void)
{
	struct secret *s = secret_new("1234", 4);
	char flags[512] = "";

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_TRUE(mapping_flags(secret_bytes(s), flags, sizeof(flags)));
	CU_ASSERT_PTR_NOT_NULL(strstr(flags, " dd"));
	CU_ASSERT_PTR_NOT_NULL(strstr(flags, " wf"));
	secret_free(&s);
}

static void failed_allocation_gives_no_secret(void)
{
	alloc_fail_at(1);
	CU_ASSERT_PTR_NULL(secret_new("1234", 4));
	CU_ASSERT_EQUAL(alloc_seen, 1);
	alloc_fail_at(0);
}

static const struct unit_test tests[] = {
	UNIT(secret_holds_its_bytes),         UNIT(secret_may_be_empty_or_long_but_not_absurd),
	UNIT(secrets_are_compared_whole),     UNIT(forked_child_reads_zeros),
	UNIT(secret_stays_out_of_core_dumps), UNIT(failed_allocation_gives_no_secret),
};

UNIT_MAIN("base/secret", tests)
