/* SPDX-License-Identifier: BSD-2-Clause */
/* The file below a journal of intents: locked while it is open, written at its end, synced. */
#ifndef HSMUX_CORE_INTENT_FILE_H
#define HSMUX_CORE_INTENT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/group.h"
#include "core/state_file.h"

#define INTENT_NAME 48

/* One file. Its lock does not hold between the threads of a process, and is lost when the process
 * opens and closes the file once more: only one of them may have it open. */
struct intent_file {
	int dir; /* -1: closed */
	int fd;  /* -1: closed */
	dev_t dev;
	ino_t ino;
	off_t size;   /* of what counts */
	bool is_torn; /* something that does not count may be behind it */
	char name[INTENT_NAME];
	char directory[STATE_PATH];
};

/* Names the file of a virtual token; it is closed. False when the path is too long. */
bool intent_file_name(struct intent_file *f, const struct group *g);

/* Whether it has something in it, without opening it. */
bool intent_file_any(const struct intent_file *f);

/* Opens it, made where it is missing, and locks it, waiting until `until_us` (clock_us). False with
 * `why`; what is open then is closed by intent_file_close(), as after success. */
bool intent_file_open(struct intent_file *f, long long until_us, char *why, size_t why_len);

/* Appends all that is in it to `text`. False with `why`. */
bool intent_file_read(const struct intent_file *f, struct buf *text, char *why, size_t why_len);

/* Only its first `size` bytes count, and it goes on behind them. False with `why`. */
bool intent_file_keep(struct intent_file *f, size_t size, char *why, size_t why_len);

/* Writes these bytes to a file beside it, whose name ends in ".damaged". False with `why`. */
bool intent_file_put_aside(const struct intent_file *f, const struct buf *text, char *why,
			   size_t why_len);

/* Writes at its end, and syncs where that is asked. False with `why`: what was written then does
 * not count. */
bool intent_file_append(struct intent_file *f, const struct buf *text, bool syncs, char *why,
			size_t why_len);

/* Leaves nothing in it. A failure leaves what is there. */
void intent_file_empty(struct intent_file *f);

/* Puts a file with this text in its place. It can only be closed afterwards. A failure leaves what
 * is there. */
void intent_file_replace(struct intent_file *f, const struct buf *text);

/* Closes it, and with it the lock. */
void intent_file_close(struct intent_file *f);

/* In `why`: its path and the reason. */
void intent_file_say(const struct intent_file *f, const char *reason, char *why, size_t why_len);

/* Sleeps for a moment, unless it is `until_us` by now: then true. */
bool intent_file_is_over(long long until_us);

#endif
