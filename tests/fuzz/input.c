/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes, lengths and templates of a fuzzer's input; mechanisms are in mechanism.c. Everything is
 * bound to one input and one thread. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/input.h"

static unsigned char *arena;

bool input_setup(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *map = mmap(NULL, INPUT_ARENA + page, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED || mprotect(map + INPUT_ARENA, page, PROT_NONE) != 0)
		return false;
	arena = map;
	return true;
}

unsigned char *input_arena(void)
{
	return arena;
}

void input_clean(void)
{
	(void)madvise(arena, INPUT_ARENA, MADV_DONTNEED); /* private pages read as zeros again */
}

uint8_t input_byte(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

CK_ULONG input_number(struct input *in)
{
	static const CK_ULONG known[] = {0,   1,   2,   8,    16,         32,        64,
					 128, 255, 256, 4096, 0x7fffffff, 0x80000000};
	uint8_t how = input_byte(in);
	CK_ULONG number = 0;

	if (how < 192)
		return known[how % (sizeof(known) / sizeof(known[0]))];
	if (how < 200)
		return ~0UL;
	for (unsigned i = 0; i < sizeof(number); i++)
		number = number << 8 | input_byte(in);
	return number;
}

void *input_take(struct input *in, size_t size)
{
	size_t from = (in->used + 15) & ~(size_t)15;

	if (from > sizeof(in->pool) || size > sizeof(in->pool) - from)
		return NULL;
	in->used = from + size;
	return memset(in->pool + from, 0, size);
}

CK_ULONG input_length(struct input *in)
{
	static const CK_ULONG known[] = {0, 1, 7, 8, 12, 16, 20, 32, 48, 64, 100, 255};
	uint8_t how = input_byte(in);

	if (how < 240)
		return known[how % (sizeof(known) / sizeof(known[0]))];
	if (how < 244)
		return 4096;
	return how < 250 ? ~0UL : ~0UL >> (how - 249);
}

unsigned char *input_bytes(struct input *in, size_t max, CK_ULONG *len)
{
	size_t want = input_byte(in);
	unsigned char *copy;

	if (want > in->size)
		want = in->size;
	if (want > max)
		want = max;
	copy = malloc(want ? want : 1);
	*len = want;
	if (!copy)
		abort();
	if (want)
		memcpy(copy, in->data, want);
	in->data += want;
	in->size -= want;
	return copy;
}

static const CK_ATTRIBUTE_TYPE attributes[] = {
	CKA_CLASS,
	CKA_TOKEN,
	CKA_PRIVATE,
	CKA_LABEL,
	CKA_ID,
	CKA_VALUE,
	CKA_KEY_TYPE,
	CKA_VALUE_LEN,
	CKA_MODULUS,
	CKA_EC_PARAMS,
	CKA_EC_POINT,
	CKA_SENSITIVE,
	CKA_EXTRACTABLE,
	CKA_ALLOWED_MECHANISMS,
	CKA_WRAP_TEMPLATE,
	CKA_UNWRAP_TEMPLATE,
	CKA_DERIVE_TEMPLATE,
};

static bool is_nested(CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE_TYPE plain = type & ~0x40000000UL;

	/* The last two were published without the bit for arrays. */
	return (plain >= 0x211 && plain <= 0x213) || plain == 0x62a || plain == 0x62b;
}

static void value_fill(struct input *in, CK_ATTRIBUTE *a, bool is_output)
{
	static const CK_ULONG classes[] = {CKO_DATA, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY,
					   CKO_SECRET_KEY};
	uint8_t how = input_byte(in);
	CK_ULONG *number;

	a->ulValueLen = sizeof(CK_ULONG);
	if (how < 32) {
		a->ulValueLen = is_output ? 0 : input_length(in);
	} else if (how < 96) {
		a->pValue = input_arena();
		a->ulValueLen = is_output ? 256 : input_length(in);
	} else if (how < 160) {
		a->pValue = input_take(in, 1);
		a->ulValueLen = a->pValue ? 1 : 0;
		if (a->pValue)
			*(CK_BBOOL *)a->pValue = how & 1;
	} else {
		a->pValue = number = input_take(in, sizeof(*number));
		a->ulValueLen = number ? sizeof(*number) : 0;
		if (number)
			*number = how < 200 ? classes[how % 4] : input_number(in);
	}
}

static void nested_fill(struct input *in, CK_ATTRIBUTE *a, bool is_output, unsigned depth)
{
	CK_ULONG count = 0;

	a->pValue = input_template(in, &count, is_output, depth + 1);
	a->ulValueLen = count * sizeof(CK_ATTRIBUTE);
	if (!is_output && input_byte(in) > 240)
		a->ulValueLen = input_byte(in) & 1 ? a->ulValueLen + 1 : ~0UL;
}

/* The template with which applications make session copies of token keys. */
static CK_ATTRIBUTE *session_copy(struct input *in, CK_ULONG *count)
{
	CK_ATTRIBUTE *tmpl = input_take(in, sizeof(*tmpl));
	CK_BBOOL *no = input_take(in, sizeof(*no));

	*count = tmpl && no;
	if (tmpl && no)
		*tmpl = (CK_ATTRIBUTE){CKA_TOKEN, no, sizeof(*no)};
	return tmpl;
}

CK_ATTRIBUTE *input_template(struct input *in, CK_ULONG *count, bool is_output, unsigned depth)
{
	uint8_t how = input_byte(in);
	uint8_t n = how % 7;
	CK_ATTRIBUTE *tmpl;

	if (how > 230)
		return session_copy(in, count);
	tmpl = n ? input_take(in, n * sizeof(*tmpl)) : NULL;
	*count = n;
	if (!tmpl) {
		*count = n && !is_output ? input_length(in) : 0;
		return NULL;
	}
	for (unsigned i = 0; i < n; i++) {
		uint8_t which = input_byte(in);

		tmpl[i].type =
			which < 240
				? attributes[which % (sizeof(attributes) / sizeof(attributes[0]))]
				: input_number(in);
		if (is_nested(tmpl[i].type) && depth < 8)
			nested_fill(in, &tmpl[i], is_output, depth);
		else if (!is_nested(tmpl[i].type))
			value_fill(in, &tmpl[i], is_output);
	}
	if (!is_output && input_byte(in) > 250)
		*count = ~0UL;
	return tmpl;
}
