/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of lines in the state directory: believed only when they are root's or the user's own and
 * nobody else can write them; replaced as a whole, under a lock on the directory, and on the disk
 * before that is reported. */
#include "core/state_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/state_file.h"

/* A longer list is not believed; a line has less than 1 KiB. */
#define LIST_MAX (1 << 20)
/* How long somebody waits for another one, in steps of 10 ms. */
#define LOCK_TRIES 200

/* What is wrong with an open list, or NULL. */
static const char *untrusted(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is no regular file";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to another user";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others can write it";
	return st->st_size > LIST_MAX ? "is too long" : NULL;
}

static const char *read_open(int fd, struct buf *list)
{
	struct stat st;
	const char *reason = fstat(fd, &st) != 0 ? strerror(errno) : untrusted(&st);
	ssize_t n;

	if (reason)
		return reason;
	if (!buf_reserve(list, (size_t)st.st_size + 1))
		return "not enough memory";
	n = state_read_all(fd, list->data, (size_t)st.st_size, 0);
	list->len = n > 0 ? (size_t)n : 0;
	return n < 0 ? strerror(errno) : NULL;
}

const char *state_list_read(int dir, const char *file, struct buf *list)
{
	int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *reason;

	if (fd < 0)
		return errno == ENOENT ? NULL
				       : (errno == ELOOP ? "is a symbolic link" : strerror(errno));
	reason = read_open(fd, list);
	close(fd);
	return reason;
}

/* Writes a new file, on the disk when this returns. */
static bool write_file(int dir, const char *name, const struct buf *list)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok;
	int error;

	if (fd < 0)
		return false;
	/* Root's list is read by every user; it holds nothing secret. */
	ok = state_write_all(fd, list->data, list->len, -1) && fchmod(fd, 0644) == 0 &&
	     fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && ok) {
		ok = false;
		error = errno;
	}
	errno = error;
	return ok;
}

bool state_list_replace(int dir, const char *file, const struct buf *list)
{
	char name[48];
	int error;

	(void)snprintf(name, sizeof name, ".%s.%ld", file, (long)getpid());
	(void)unlinkat(dir, name, 0); /* left by one that was killed, or nothing */
	if (write_file(dir, name, list) && renameat(dir, name, dir, file) == 0)
		return fsync(dir) == 0;
	error = errno;
	(void)unlinkat(dir, name, 0); /* the failure that is reported came before */
	errno = error;
	return false;
}

bool state_list_lock(int dir)
{
	const struct timespec step = {.tv_nsec = 10000000};

	for (unsigned i = 0; flock(dir, LOCK_EX | LOCK_NB) != 0; i++) {
		if (i >= LOCK_TRIES || (errno != EWOULDBLOCK && errno != EINTR))
			return false;
		(void)nanosleep(&step, NULL); /* a signal only shortens it */
	}
	return true;
}
