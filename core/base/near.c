/* SPDX-License-Identifier: BSD-2-Clause */
/* Near words: the distance is the number of letters to insert, delete, replace or exchange. No
 * state. */
#include "core/base/near.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* No known word is longer; longer ones are never near. */
#define NEAR_MAX_LEN 48
/* Edits between a mistyped word and the suggestion. */
#define NEAR_MAX_EDITS 2

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edits (insert, delete, replace, exchange two neighbours) that turn `a` into `b`, both shorter
 * than NEAR_MAX_LEN. */
static size_t edits(const char *a, const char *b)
{
	size_t rows[3][NEAR_MAX_LEN + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	size_t b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = above[j - 1] + (is_same(a[i - 1], b[j - 1]) ? 0 : 1);

			row[j] = least(above[j] + 1, row[j - 1] + 1, change);
			if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) &&
			    is_same(a[i - 2], b[j - 1]) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return row[b_len];
}

const char *near_word(const char *word, near_list *list, const void *context)
{
	const char *best = NULL, *known;
	size_t best_edits = NEAR_MAX_EDITS + 1;

	if (strlen(word) >= NEAR_MAX_LEN)
		return NULL;
	for (size_t i = 0; (known = list(i, context)) != NULL; i++) {
		size_t n;

		if (strlen(known) >= NEAR_MAX_LEN)
			continue;
		n = edits(word, known);
		/* "log" is no misspelling of "tag": fewer edits than half of the letters. */
		if (n < best_edits && 2 * n < strlen(known)) {
			best = known;
			best_edits = n;
		}
	}
	return best;
}
