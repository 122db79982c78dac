/* SPDX-License-Identifier: BSD-2-Clause */
/* The null token's counters. The token maps the file once in a process, and so does this. Without
 * it a test would prove nothing: it aborts. */
#include "tests/unit/core/stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/token/null.h"

static struct null_stats *stats;

void stats_begin(const char *dir)
{
	char file[500];
	void *p;
	int fd;

	if (stats)
		return;
	(void)snprintf(file, sizeof file, "%s/stats", dir);
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof *stats) != 0)
		abort();
	p = mmap(NULL, sizeof *stats, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || setenv("NULL_TOKEN_STATS", file, 1) != 0)
		abort();
	close(fd);
	stats = p;
}

uint64_t stats_calls(const char *name)
{
#define NAME(function) "C_" #function,
	static const char *const names[] = {TOKEN_CALLS(NAME)};

	for (size_t i = 0; i < CALL_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return atomic_load(&stats->calls[i]);
	abort(); /* the test is wrong */
}

uint64_t stats_sessions(void)
{
	return atomic_load(&stats->sessions);
}

uint64_t stats_foreign(void)
{
	return atomic_load(&stats->foreign);
}

uint64_t stats_stale(void)
{
	return atomic_load(&stats->stale);
}

uint64_t stats_collisions(void)
{
	return atomic_load(&stats->collisions);
}
