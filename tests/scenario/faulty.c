/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans and counters of fault tokens, for drivers. A plan is seen whole or not at all. */
#include "tests/scenario/faulty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/app.h"

void plan_write(const char *file, const char *text)
{
	char next[512];
	FILE *out;

	CHECK(snprintf(next, sizeof(next), "%s.new", file) < (int)sizeof(next));
	out = fopen(next, "we");
	CHECK(out != NULL && fputs(text, out) >= 0 && fputc('\n', out) == '\n');
	CHECK(fclose(out) == 0 && rename(next, file) == 0);
}

struct tally tally_read(const char *stats_file, const char *function)
{
	struct tally sum = {0};
	char line[128];
	FILE *in = fopen(stats_file, "re");

	while (in && fgets(line, sizeof(line), in)) {
		char *calls = strstr(line, " calls=");
		char *good = strstr(line, " ok=");

		if (!calls || !good)
			continue;
		*calls = '\0';
		if (function && strcmp(function, line) != 0)
			continue;
		sum.calls += strtoul(calls + 7, NULL, 10);
		sum.good += strtoul(good + 4, NULL, 10);
	}
	if (in)
		CHECK(fclose(in) == 0);
	return sum;
}
