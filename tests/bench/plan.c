/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans: written beside the old one and renamed over it. */
#include "tests/bench/plan.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

bool plan_write(const char *file, const char *text)
{
	char next[512];
	int len = snprintf(next, sizeof(next), "%s.new", file);
	FILE *out = len > 0 && (size_t)len < sizeof(next) ? fopen(next, "w") : NULL;
	bool is_written = out && fputs(text, out) >= 0;

	if (out && fclose(out) != 0)
		is_written = false;
	if (is_written && rename(next, file) == 0)
		return true;
	fprintf(stderr, "%s: the plan cannot be written\n", file);
	return false;
}

void plan_pause(unsigned long ms)
{
	struct timespec left = {.tv_sec = (time_t)(ms / 1000),
				.tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}
