/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a decision takes, for each built-in policy: the engine alone, from facts that are there
 * to the verdict. What a session keeps of it is in the goals of `bench` (BENCH_POLICY=strict).
 * Median of the rounds, CPU time. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/describe.h"
#include "policy/policy.h"

#define ROUNDS 11
#define CALLS  20000

static long long cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double decide(const struct policy *p, const struct facts *facts, bool *is_allowed)
{
	double rounds[ROUNDS];
	struct verdict v;

	for (int r = 0; r < ROUNDS; r++) {
		long long begin = cpu_ns();

		for (int i = 0; i < CALLS; i++)
			policy_check(p, facts, &v);
		rounds[r] = (double)(cpu_ns() - begin) / CALLS;
	}
	*is_allowed = v.is_allowed;
	qsort(rounds, ROUNDS, sizeof rounds[0], compare);
	return rounds[ROUNDS / 2];
}

int main(void)
{
	const CK_MECHANISM mech = {CKM_SHA256_RSA_PKCS, NULL, 0};
	struct facts facts = {.act = ACT_SIGN,
			      .function = "C_SignInit",
			      .token = "t",
			      .role = "user",
			      .caller = describe_nobody(),
			      .mech = &mech,
			      .now = (int64_t)time(NULL)};
	struct described key;
	const char *name;

	describe_init(&key, PART_KEY);
	key.object.class = CKO_PRIVATE_KEY;
	key.object.type = CKK_RSA;
	key.object.bits = 4096;
	facts.object[facts.object_count++] = &key.object;
	printf("C_SignInit with CKM_SHA256_RSA_PKCS, RSA of 4096 bits: ns for a decision\n");
	for (size_t i = 0; (name = policy_builtin_at(i, NULL)) != NULL; i++) {
		struct diag diag = {0};
		struct policy *p = policy_load(name, &diag);
		bool is_allowed = false;
		double ns = p ? decide(p, &facts, &is_allowed) : 0;

		printf("%-18s %8.1f  %s\n", name, ns, is_allowed ? "allowed" : "refused");
		policy_free(p);
		diag_free(&diag);
	}
	return 0;
}
