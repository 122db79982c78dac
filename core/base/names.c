/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of Cryptoki's numbers, from the one table in names.def.
 *
 * The table is sorted by kind and number, so showing a name is a binary search; finding a number by
 * its name happens when configuration is read and walks the table. Constant data, no locks. */
#include "core/base/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/near.h"

struct name_row {
	enum name_kind kind;
	CK_ULONG value;
	const char *name;
};

#define NAME(kind, constant)       {kind, constant, #constant},
#define NAME_AS(kind, value, name) {kind, value, name},
static const struct name_row rows[] = {
#include "core/base/names.def"
};
#undef NAME
#undef NAME_AS

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))
/* "CKR_": all kinds have prefixes of this length. */
#define PREFIX_LEN 4

/* True when the row comes before the number looked for. */
static bool row_before(const struct name_row *row, enum name_kind kind, CK_ULONG value)
{
	return row->kind < kind || (row->kind == kind && row->value < value);
}

const char *name_of(enum name_kind kind, CK_ULONG value, char spare[static NAME_MAX_LEN])
{
	size_t low = 0;
	size_t high = ROW_COUNT;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (row_before(&rows[mid], kind, value))
			low = mid + 1;
		else
			high = mid;
	}
	if (low < ROW_COUNT && rows[low].kind == kind && rows[low].value == value)
		return rows[low].name;
	(void)snprintf(spare, NAME_MAX_LEN, "0x%08lx", value); /* 18 characters at most */
	return spare;
}

static bool name_hex(const char *name, CK_ULONG *value)
{
	char *end;
	CK_ULONG number;
	int saved = errno;
	bool is_fit;

	if (strncasecmp(name, "0x", 2) != 0 || !strchr("0123456789abcdefABCDEF", name[2]) ||
	    !name[2])
		return false;
	errno = 0;
	number = strtoul(name + 2, &end, 16);
	is_fit = errno == 0 && !*end;
	errno = saved;
	if (is_fit)
		*value = number;
	return is_fit;
}

bool name_value(enum name_kind kind, const char *name, CK_ULONG *value)
{
	/* From the end: where one name stands for two numbers, the later standard wins. */
	for (size_t i = ROW_COUNT; i-- > 0;) {
		if (rows[i].kind != kind)
			continue;
		if (strcasecmp(name, rows[i].name) == 0 ||
		    strcasecmp(name, rows[i].name + PREFIX_LEN) == 0) {
			*value = rows[i].value;
			return true;
		}
	}
	return name_hex(name, value);
}

/* A kind of names, and whether they are looked at without the prefix. */
struct kind_of_names {
	enum name_kind kind;
	size_t skip;
};

static const char *name_at(size_t i, const void *context)
{
	const struct kind_of_names *of = context;

	for (size_t row = 0; row < ROW_COUNT; row++) {
		if (rows[row].kind == of->kind && i-- == 0)
			return rows[row].name + of->skip;
	}
	return NULL;
}

const char *name_near(enum name_kind kind, const char *name)
{
	struct kind_of_names of = {kind, 0};
	const char *near = near_word(name, name_at, &of);

	if (near)
		return near;
	of.skip = PREFIX_LEN;
	near = near_word(name, name_at, &of);
	return near ? near - PREFIX_LEN : NULL;
}
