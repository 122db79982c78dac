/* SPDX-License-Identifier: BSD-2-Clause */
/* The benchmark: one measurement a call; run.sh makes the tokens, calls it and prints the table.
 *
 *   bench time|ratio|rsa|threads|contention NAME=MODULE,LABEL...   the first is the direct side
 *   bench find FEW=MODULE,LABEL MANY=MODULE,LABEL
 *   bench calls|locks ID WORK NAME=MODULE,LABEL
 *   bench memory NAME=MODULE,LABEL
 *   bench start NAME=MODULE,LABEL    microseconds from dlopen to the first signature
 *   bench loop WORK N NAME=MODULE,LABEL    for callgrind: N pieces below work_run
 *   bench key NAME=MODULE,LABEL      makes the keys of `ratio` on a token: P-256 and AES, RSA as
 * "rsa"
 *
 * BENCH_PIN in the environment. Prints "ID NAME VALUE" lines. Exit 0 unless it could not measure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

static int start(char *description)
{
	struct side s;
	double begin = wall_ns();
	double end;

	if (!side_open(&s, description, NULL) || !work_run(&s, s.session, WORK_SIGN, 1))
		return 1;
	end = wall_ns();
	printf("P17 %s %.0f\n", s.name, (end - begin) / 1e3);
	return 0;
}

/* Warms up outside work_run's count: callgrind begins to collect when the loop is entered a second
 * time. */
static int loop(enum work what, unsigned long n, char *description)
{
	struct side s;

	if (!side_open(&s, description, NULL) || !work_run(&s, s.session, what, n))
		return 1;
	return 0;
}

static bool make_pair(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, CK_MECHANISM_TYPE type, char *label)
{
	static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	static CK_BYTE exponent[] = {1, 0, 1};
	CK_ULONG bits = 2048;
	CK_BBOOL yes = CK_TRUE;
	bool is_ec = type == CKM_EC_KEY_PAIR_GEN;
	CK_ATTRIBUTE public[] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_LABEL, label, strlen(label)},
		{CKA_EC_PARAMS, p256, sizeof(p256)},
		{CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)},
	};
	CK_ATTRIBUTE private[] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &yes, sizeof(yes)},
		{CKA_LABEL, label, strlen(label)},
		{CKA_SIGN, &yes, sizeof(yes)},
	};
	CK_MECHANISM m = {type, NULL, 0};
	CK_OBJECT_HANDLE a;
	CK_OBJECT_HANDLE b;

	if (!is_ec)
	public[2] = (CK_ATTRIBUTE){CKA_MODULUS_BITS, &bits, sizeof(bits)};
	return f->C_GenerateKeyPair(s, &m, public, is_ec ? 3 : 4, private, 4, &a, &b) == CKR_OK;
}

static bool make_aes(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE s, char *label)
{
	CK_ULONG len = 32;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE tmpl[] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_LABEL, label, strlen(label)},
		{CKA_ENCRYPT, &yes, sizeof(yes)},
		{CKA_VALUE_LEN, &len, sizeof(len)},
	};
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	CK_OBJECT_HANDLE key;

	return f->C_GenerateKey(s, &m, tmpl, 4, &key) == CKR_OK;
}

static int make_keys(char *description)
{
	char ec_label[] = "key-00000001";
	char rsa_label[] = "rsa";
	char *module = strchr(description, '=');
	char *token = module ? strrchr(module, ',') : NULL;
	char *pin = getenv("BENCH_PIN");
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	struct side s = {.name = description};

	if (!token || !pin)
		return 2;
	*module++ = '\0';
	*token++ = '\0';
	if (!load_module(module, &s.m) || s.m.f->C_Initialize(&args) != CKR_OK ||
	    !load_find_slot(s.m.f, token, &s.slot))
		return 1;
	s.session = side_session(&s);
	if (s.m.f->C_Login(s.session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)) != CKR_OK ||
	    !make_pair(s.m.f, s.session, CKM_EC_KEY_PAIR_GEN, ec_label) ||
	    !make_pair(s.m.f, s.session, CKM_RSA_PKCS_KEY_PAIR_GEN, rsa_label) ||
	    !make_aes(s.m.f, s.session, ec_label))
		return 1;
	return s.m.f->C_Finalize(NULL) == CKR_OK ? 0 : 1;
}

static int compare(const char *what, int count, char **descriptions)
{
	static struct side sides[8];
	bool is_rsa = strcmp(what, "rsa") == 0;
	bool is_good = false;

	if (count < 1 || count > 8)
		return 2;
	for (int i = 0; i < count; i++)
		if (!side_open(&sides[i], descriptions[i], is_rsa ? "rsa" : NULL))
			return 1;
	if (strcmp(what, "time") == 0)
		is_good = measure_time(sides, (unsigned)count);
	else if (strcmp(what, "ratio") == 0 || is_rsa)
		is_good = measure_ratio(sides, (unsigned)count, is_rsa);
	else if (strcmp(what, "threads") == 0)
		is_good = measure_threads(sides, (unsigned)count);
	else if (strcmp(what, "contention") == 0)
		is_good = measure_contention(sides, (unsigned)count);
	else if (strcmp(what, "memory") == 0)
		is_good = measure_memory(&sides[0]);
	else if (strcmp(what, "find") == 0 && count == 2)
		is_good = measure_find(&sides[0], &sides[1]);
	return is_good ? 0 : 1;
}

static int counted(bool is_locks, const char *id, const char *work, char *description)
{
	enum work what = work_find(work);
	struct side s = {.name = "hsmux"};

	if (what == WORK_COUNT)
		return 2;
	if (is_locks)
		return side_open(&s, description, NULL) && measure_locks(id, &s, what) ? 0 : 1;
	return measure_system_calls(id, &s, what, description) ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (strcmp(what, "start") == 0)
		return start(argv[2]);
	if (strcmp(what, "key") == 0)
		return make_keys(argv[2]);
	if (strcmp(what, "loop") == 0 && argc == 5)
		return loop(work_find(argv[2]), strtoul(argv[3], NULL, 10), argv[4]);
	if ((strcmp(what, "calls") == 0 || strcmp(what, "locks") == 0) && argc == 5)
		return counted(strcmp(what, "locks") == 0, argv[2], argv[3], argv[4]);
	if (argc > 2)
		return compare(what, argc - 2, argv + 2);
	fprintf(stderr, "usage: see the head of bench.c\n");
	return 2;
}
