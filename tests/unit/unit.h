/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a table of CUnit tests; the only thing a test's main() needs. */
#ifndef HSMUX_TESTS_UNIT_UNIT_H
#define HSMUX_TESTS_UNIT_UNIT_H

#include <stddef.h>
#include <stdio.h>

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>

/* One test: its name is a sentence with underscores. */
struct unit_test {
	const char *name;
	void (*run)(void);
};

#define UNIT(function)                                                                             \
	{                                                                                          \
#function, function                                                                \
	}
/* main() of a test program with the table `tests`. */
#define UNIT_MAIN(suite, tests)                                                                    \
	int main(void)                                                                             \
	{                                                                                          \
		return unit_run(suite, tests, sizeof(tests) / sizeof((tests)[0]));                 \
	}

/* Runs all tests, prints each with its result, and gives main()'s exit code. */
static inline int unit_run(const char *suite, const struct unit_test *tests, size_t count)
{
	CU_pSuite s;
	unsigned failed = 1;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	s = CU_add_suite(suite, NULL, NULL);
	for (size_t i = 0; s && i < count; i++) {
		if (!CU_add_test(s, tests[i].name, tests[i].run))
			s = NULL;
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	if (s && CU_basic_run_tests() == CUE_SUCCESS && CU_get_number_of_tests_run() == count)
		failed = CU_get_number_of_failures();
	(void)printf("\n%s: %s\n", suite, failed ? "FAILED" : "passed");
	CU_cleanup_registry();
	return failed ? 1 : 0;
}

#endif
