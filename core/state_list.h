/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of lines in the state directory. */
#ifndef HSMUX_CORE_STATE_LIST_H
#define HSMUX_CORE_STATE_LIST_H

#include <stdbool.h>

#include "core/base/buf.h"

/* Appends list `file` of directory `dir` to `list`, nothing when there is none. What is wrong with
 * it, or NULL. */
const char *state_list_read(int dir, const char *file, struct buf *list);

/* Puts `list` in its place; on the disk when this returns. False with `errno`. */
bool state_list_replace(int dir, const char *file, const struct buf *list);

/* Locks the directory until it is closed. False with `errno`; EWOULDBLOCK: somebody keeps it. */
bool state_list_lock(int dir);

#endif
