/* SPDX-License-Identifier: BSD-2-Clause */
/* Files for tests: one flat directory below TMPDIR. A test that cannot write is of no use: it
 * aborts. */
#include "tests/unit/core/files.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[200];
static char path[500];

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

const char *files_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(dir, sizeof dir, "%s/hsmux-unit-XXXXXX", tmp ? tmp : "/tmp");
	need(mkdtemp(dir) != NULL, "mkdtemp");
	return dir;
}

const char *files_write(const char *name, const char *text, mode_t mode)
{
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	(void)unlink(path); /* may not be there */
	file = fopen(path, "w");
	need(file != NULL, path);
	need(fputs(text, file) >= 0, path);
	need(fclose(file) == 0, path);
	need(chmod(path, mode) == 0, path);
	return path;
}

void files_end(void)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	need(d != NULL, dir);
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		need(unlinkat(dirfd(d), entry->d_name, 0) == 0, entry->d_name);
	}
	need(closedir(d) == 0, dir);
	need(rmdir(dir) == 0, dir);
}
