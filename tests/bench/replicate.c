/* SPDX-License-Identifier: BSD-2-Clause */
/* What replication adds to a new key:
 *
 *   replicate ROUNDS direct=MODULE,LABEL NAME=MODULE,LABEL...
 *
 * In each round every side makes a token key of each type and destroys it again; the first side is
 * a member used directly. Prints a row a type: the median of the member alone, in ms, and what the
 * others add to it. RSA keys take as long as chance has it: their medians want many rounds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

#define SIDES_MAX  4U
#define ROUNDS_MAX 501U

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
static CK_BYTE exponent[] = {1, 0, 1};

/* A type of key. */
static const struct type {
	const char *name;
	CK_MECHANISM_TYPE mech;
	CK_ULONG bits; /* 0: what it has */
} types[] = {
	{"aes:256", CKM_AES_KEY_GEN, 256},
	{"ec:P-256", CKM_EC_KEY_PAIR_GEN, 0},
	{"rsa:2048", CKM_RSA_PKCS_KEY_PAIR_GEN, 2048},
	{"rsa:3072", CKM_RSA_PKCS_KEY_PAIR_GEN, 3072},
};

#define TYPES (sizeof types / sizeof types[0])

static double ms[TYPES][SIDES_MAX][ROUNDS_MAX];

static CK_RV make_secret(const struct side *s, const struct type *t, CK_OBJECT_HANDLE made[2])
{
	CK_MECHANISM mech = {t->mech, NULL, 0};
	CK_ULONG len = t->bits / 8;
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &yes, sizeof yes},
			       {CKA_SENSITIVE, &yes, sizeof yes},
			       {CKA_EXTRACTABLE, &no, sizeof no},
			       {CKA_ENCRYPT, &yes, sizeof yes},
			       {CKA_LABEL, (char *)(uintptr_t) "bench", 5},
			       {CKA_VALUE_LEN, &len, sizeof len}};

	return s->m.f->C_GenerateKey(s->session, &mech, tmpl, sizeof tmpl / sizeof tmpl[0],
				     &made[0]);
}

static CK_RV make_pair(const struct side *s, const struct type *t, CK_OBJECT_HANDLE made[2])
{
	CK_MECHANISM mech = {t->mech, NULL, 0};
	CK_ULONG bits = t->bits;
	CK_ATTRIBUTE curve = {CKA_EC_PARAMS, p256, sizeof p256};
	CK_ATTRIBUTE size = {CKA_MODULUS_BITS, &bits, sizeof bits};
	CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, sizeof yes},
				 {CKA_VERIFY, &yes, sizeof yes},
				 {CKA_LABEL, (char *)(uintptr_t) "bench", 5},
				 bits ? size : curve,
				 {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof yes},
				  {CKA_SENSITIVE, &yes, sizeof yes},
				  {CKA_EXTRACTABLE, &no, sizeof no},
				  {CKA_SIGN, &yes, sizeof yes},
				  {CKA_LABEL, (char *)(uintptr_t) "bench", 5}};

	return s->m.f->C_GenerateKeyPair(s->session, &mech, public, bits ? 5 : 4, private, 5,
					 &made[0], &made[1]);
}

/* Makes a key, and takes it away again; false when the side cannot. */
static bool make_one(const struct side *s, const struct type *t, double *took_ms)
{
	CK_OBJECT_HANDLE made[2] = {0, 0};
	double begin = wall_ns();
	CK_RV rv = t->mech == CKM_AES_KEY_GEN ? make_secret(s, t, made) : make_pair(s, t, made);

	*took_ms = (wall_ns() - begin) / 1e6;
	for (unsigned i = 0; rv == CKR_OK && i < 2; i++)
		if (made[i])
			rv = s->m.f->C_DestroyObject(s->session, made[i]);
	if (rv != CKR_OK)
		fprintf(stderr, "%s: %s: 0x%lx\n", s->name, t->name, rv);
	return rv == CKR_OK;
}

static void print_row(const struct type *t, double all[SIDES_MAX][ROUNDS_MAX], unsigned count,
		      unsigned rounds)
{
	double direct = median(all[0], rounds);

	printf("%-10s %10.2f", t->name, direct);
	for (unsigned i = 1; i < count; i++)
		printf(" %12.2f", median(all[i], rounds) - direct);
	putchar('\n');
}

int main(int argc, char **argv)
{
	const unsigned rounds = argc > 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	const unsigned count = argc > 3 ? (unsigned)argc - 2 : 0;
	struct side sides[SIDES_MAX];

	if (rounds == 0 || rounds > ROUNDS_MAX || count > SIDES_MAX) {
		fputs("usage: replicate ROUNDS direct=MODULE,LABEL NAME=MODULE,LABEL...\n", stderr);
		return 2;
	}
	printf("%-10s %10s", "new key", "direct, ms");
	for (unsigned i = 0; i < count; i++) {
		if (!side_enter(&sides[i], argv[2 + i]))
			return 1;
		if (i > 0)
			printf(" %8s, +ms", sides[i].name);
	}
	putchar('\n');
	for (unsigned round = 0; round < rounds; round++)
		for (size_t t = 0; t < TYPES; t++)
			for (unsigned i = 0; i < count; i++)
				if (!make_one(&sides[i], &types[t], &ms[t][i][round]))
					return 1;
	for (size_t t = 0; t < TYPES; t++)
		print_row(&types[t], ms[t], count, rounds);
	return 0;
}
