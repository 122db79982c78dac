/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares two transcripts of driver.c, one taken directly on a token and one through hsmux.
 *
 *   compare KIND DIRECT THROUGH
 *
 * Every line must be equal unless a row of `allowed` names it, with the reason. Lines are paired by
 * their order; a pair whose calls differ ends the comparison. Exit 0: equal; 1: differences,
 * listed; 2: usage or unreadable files. A row that was never needed for this KIND is listed too:
 * allowances must not outlive their reason. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/differential/allowed.h"

#define LINE 512

/* A line in its parts: "scene/step C_Function CODE[ rest]". */
struct line {
	char text[LINE];
	char call[LINE]; /* "scene/step C_Function" */
	char code[64];
	const char *rest; /* into text: len and data, or "" */
};

static bool line_read(FILE *file, struct line *l)
{
	char *first;
	char *second;
	char *third;

	if (!fgets(l->text, sizeof(l->text), file))
		return false;
	l->text[strcspn(l->text, "\n")] = '\0';
	l->call[0] = l->code[0] = '\0';
	l->rest = "";
	first = strchr(l->text, ' ');
	second = first ? strchr(first + 1, ' ') : NULL;
	if (!second)
		return true;
	memcpy(l->call, l->text, (size_t)(second - l->text));
	l->call[second - l->text] = '\0';
	third = strchr(second + 1, ' ');
	snprintf(l->code, sizeof(l->code), "%.*s", third ? (int)(third - second - 1) : 60,
		 second + 1);
	if (third)
		l->rest = third + 1;
	return true;
}

static bool row_fits(const struct allowed *row, const char *kind, const struct line *direct,
		     const struct line *through)
{
	return fnmatch(row->kind, kind, 0) == 0 && fnmatch(row->call, direct->call, 0) == 0 &&
	       fnmatch(row->direct, direct->code, 0) == 0 &&
	       fnmatch(row->through, through->code, 0) == 0;
}

static bool is_allowed(const char *kind, const struct line *direct, const struct line *through,
		       bool *used)
{
	for (size_t i = 0; i < allowed_count; i++)
		if (row_fits(&allowed[i], kind, direct, through)) {
			used[i] = true;
			return true;
		}
	return false;
}

static bool lines_equal(const struct line *a, const struct line *b)
{
	return strcmp(a->code, b->code) == 0 && strcmp(a->rest, b->rest) == 0;
}

static void say_unused(const char *kind, const bool *used)
{
	for (size_t i = 0; i < allowed_count; i++)
		if (!used[i] && strcmp(allowed[i].kind, kind) == 0)
			printf("# not needed any more: %s %s: %s\n", kind, allowed[i].call,
			       allowed[i].why);
}

static int compare(const char *kind, FILE *direct_file, FILE *through_file)
{
	static bool used[1024];
	static struct line direct;
	static struct line through;
	unsigned same = 0;
	unsigned permitted = 0;
	unsigned wrong = 0;

	for (;;) {
		bool has_direct = line_read(direct_file, &direct);
		bool has_through = line_read(through_file, &through);

		if (!has_direct && !has_through)
			break;
		if (has_direct != has_through || strcmp(direct.call, through.call) != 0) {
			printf("different calls: direct '%s', through '%s'\n",
			       has_direct ? direct.text : "(end)",
			       has_through ? through.text : "(end)");
			wrong++;
			break;
		}
		if (lines_equal(&direct, &through)) {
			same++;
		} else if (is_allowed(kind, &direct, &through, used)) {
			permitted++;
		} else {
			wrong++;
			printf("%s: direct %s %s, through %s %s\n", direct.call, direct.code,
			       direct.rest, through.code, through.rest);
		}
	}
	say_unused(kind, used);
	printf("# %s: %u equal, %u allowed to differ, %u wrong\n", kind, same, permitted, wrong);
	return wrong == 0 && same > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	FILE *direct;
	FILE *through;

	if (argc != 4) {
		fprintf(stderr, "usage: compare KIND DIRECT THROUGH\n");
		return 2;
	}
	direct = fopen(argv[2], "r");
	through = fopen(argv[3], "r");
	if (!direct || !through) {
		fprintf(stderr, "compare: %s\n", strerror(errno));
		return 2;
	}
	return compare(argv[1], direct, through);
}
