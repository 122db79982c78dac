/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the reader of hsmux.conf. Either a configuration comes back and no message, or messages
 * and no configuration; nothing leaks and nothing is read outside the file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/config.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 leaks the text of a string that a syntax error leaves open (strbuf_append). */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

static char file[] = "hsmux-fuzz.XXXXXX"; /* in the current directory */
static int fd = -1;

static void remove_file(void)
{
	unlink(file);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fd = mkstemp(file);
	atexit(remove_file);
	return fd >= 0 ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = {0};
	struct config *config;
	char line[1200];

	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;
	config = config_parse(file, CONFIG_FROM_ENV, &diag);
	if ((config == NULL) != (diag.count != 0))
		abort();
	for (size_t i = 0; i < diag.count; i++)
		diag_format(&diag, i, line, sizeof(line));
	config_free(config);
	diag_free(&diag);
	return 0;
}
