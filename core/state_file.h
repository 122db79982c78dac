/* SPDX-License-Identifier: BSD-2-Clause */
/* The file below core/state.h: a directory that can be trusted, a header, records that are locked,
 * read and written whole. */
#ifndef HSMUX_CORE_STATE_FILE_H
#define HSMUX_CORE_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* How many records of each kind. */
#define STATE_FILE_HEALTH    64
#define STATE_FILE_PROCESSES 128

/* Room for the path of a file; longer ones are refused. */
#define STATE_PATH 1024

/* What a record is about. */
enum state_kind { STATE_HEADER, STATE_HEALTH, STATE_PROCESS };

/* An open file. Not shared between threads. */
struct state_file {
	int fd; /* -1 when closed */
	dev_t dev;
	ino_t ino;
	char path[STATE_PATH];
};

/* Opens the directory, after making it (0700) when `create` is set and it is missing. -1 with `why`
 * in words when it cannot be opened or trusted: it has to belong to the caller or root and be
 * writable by nobody else; root's may be when it is sticky. The caller closes the descriptor. */
int state_dir_open(const char *directory, bool create, char *why, size_t why_len);

/* Opens the caller's own file in it for reading and writing, and makes it anew where it is missing,
 * corrupted, of another version or another boot. False with `why`. */
bool state_file_open(struct state_file *f, const char *directory, char *why, size_t why_len);

/* Opens file `name` of any user in directory `dir` for reading. False when it is none, is not its
 * user's own, or is not of this version and boot. */
bool state_file_view(struct state_file *f, int dir, const char *name);

/* Closes it. A descriptor that the application closed and uses for something else is left alone. */
void state_file_close(struct state_file *f);

/* Whether it is still the caller's file in the directory, with a header of this version and boot. A
 * header that was damaged since is made anew. False: it has to be opened again, or, with
 * *is_other set, another version of hsmux uses the file now. */
bool state_file_check(const struct state_file *f, bool *is_other);

/* Reads the record into `body` (at most `size` bytes; the rest is zeroed). False when there is none
 * or it is damaged. */
bool state_file_read(const struct state_file *f, enum state_kind kind, unsigned index, void *body,
		     size_t size);

/* Writes the record. False when it is too long or could not be written: `errno` says why. */
bool state_file_write(const struct state_file *f, enum state_kind kind, unsigned index,
		      const void *body, size_t len);

/* Makes the record an empty one. */
void state_file_erase(const struct state_file *f, enum state_kind kind, unsigned index);

/* Locks the record for this open file; `wait_ms` is how long it is tried. False when somebody else
 * holds it or locks do not work. */
bool state_file_lock(const struct state_file *f, enum state_kind kind, unsigned index,
		     unsigned wait_ms);
void state_file_unlock(const struct state_file *f, enum state_kind kind, unsigned index);

/* Whether another open file holds the record. */
bool state_file_is_locked(const struct state_file *f, enum state_kind kind, unsigned index);

/* The same file under a number above those of standard input, output and errors: an application may
 * close these and write to them as if they were open. -1 for -1, or with `errno`. */
int state_fd_above(int fd);

/* Writes all of it, at `offset` or where the file stands when that is negative. Never beyond the
 * size that the process may write (which would end it with SIGXFSZ). False with `errno`. */
bool state_write_all(int fd, const void *data, size_t len, off_t offset);

/* Reads up to `len` bytes from `offset` on; how many, or -1 with `errno`. */
ssize_t state_read_all(int fd, void *data, size_t len, off_t offset);

#endif
