/* SPDX-License-Identifier: BSD-2-Clause */
/* Files in a directory of the test's own. */
#ifndef HSMUX_TESTS_UNIT_CORE_FILES_H
#define HSMUX_TESTS_UNIT_CORE_FILES_H

#include <sys/types.h>

/* Makes a fresh directory; its path is static until files_end. */
const char *files_begin(void);

/* Writes `text` to the file `name` in it and sets its mode. The path holds until the next call. */
const char *files_write(const char *name, const char *text, mode_t mode);

/* Removes the directory with all that is in it. */
void files_end(void);

#endif
