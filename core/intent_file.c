/* SPDX-License-Identifier: BSD-2-Clause */
/* The file below a journal of intents: DIRECTORY/SERIAL.journal.
 *
 * The lock is a POSIX record lock: it ends with the process, whatever ends it, and a forked child
 * does not inherit it (one of the open file would stay with a child that never heard of it).
 *
 * Whoever has the lock looks whether the file is still the one in the directory: a long journal is
 * replaced by a short one, and the old file may be waited for.
 *
 * What could not be written whole, or not synced, is cut off again; while that cannot be done
 * nothing is written behind it. No lock of its own. */
#include "core/intent_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/state.h"

/* Pause between two attempts to get the lock: short beside what is done under it. */
#define STEP_MS 2
/* No journal comes near this: a longer file is somebody else's. */
#define LONGEST (16 << 20)

bool intent_file_name(struct intent_file *f, const struct group *g)
{
	const struct config *c = g->config;

	f->dir = f->fd = -1;
	(void)snprintf(f->name, sizeof f->name, "%.*s.journal", (int)sizeof g->serial,
		       (const char *)g->serial);
	return state_directory(c->state_journal ? c->state_journal : c->state_directory,
			       f->directory, sizeof f->directory);
}

bool intent_file_any(const struct intent_file *f)
{
	char path[STATE_PATH + INTENT_NAME];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/%s", f->directory, f->name);
	return lstat(path, &st) == 0 && st.st_size > 0;
}

void intent_file_say(const struct intent_file *f, const char *reason, char *why, size_t why_len)
{
	(void)snprintf(why, why_len, "%s/%s: %s", f->directory, f->name, reason);
}

bool intent_file_is_over(long long until_us)
{
	const struct timespec step = {.tv_nsec = STEP_MS * 1000000};

	if (clock_us() >= until_us)
		return true;
	(void)nanosleep(&step, NULL); /* a signal only shortens it */
	return false;
}

/* Whether the descriptor is still that of the journal: applications close what is not theirs. */
static bool is_ours(const struct intent_file *f, struct stat *st)
{
	return f->fd >= 0 && fstat(f->fd, st) == 0 && st->st_dev == f->dev && st->st_ino == f->ino;
}

static void close_file(struct intent_file *f)
{
	struct stat st;

	if (is_ours(f, &st))
		close(f->fd);
	f->fd = -1;
}

/* A directory may be on a file system that cannot sync it. */
static bool sync_dir(int dir)
{
	return fsync(dir) == 0 || errno == EINVAL;
}

static const char *untrusted(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is no regular file";
	if (st->st_uid != geteuid())
		return "belongs to another user";
	if (st->st_nlink > 1)
		return "has more than one name";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others can write it";
	return st->st_size > LONGEST ? "is too long for a journal" : NULL;
}

static int open_at(const struct intent_file *f, const char *name, int more)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	return state_fd_above(openat(f->dir, name, flags | more, 0600));
}

/* Opens the file, or makes it. What is wrong, or NULL. */
static const char *open_file(struct intent_file *f)
{
	bool is_new = false;
	struct stat st;

	f->fd = open_at(f, f->name, 0);
	if (f->fd < 0 && errno == ENOENT) {
		f->fd = open_at(f, f->name, O_CREAT);
		is_new = true;
	}
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		return errno == ELOOP ? "is a symbolic link" : strerror(errno);
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	if (is_new && !sync_dir(f->dir))
		return strerror(errno);
	return untrusted(&st);
}

static struct flock whole(void)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

/* Waits for the file's lock; false with `errno`, EAGAIN when others kept it. */
static bool wait_for_lock(const struct intent_file *f, long long until_us)
{
	struct flock lock = whole();

	while (fcntl(f->fd, F_SETLK, &lock) != 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return false;
		if (!intent_file_is_over(until_us))
			continue;
		errno = EAGAIN;
		return false;
	}
	return true;
}

static bool is_in_place(const struct intent_file *f)
{
	struct stat st;

	return fstatat(f->dir, f->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == f->dev &&
	       st.st_ino == f->ino;
}

static void say_holder(const struct intent_file *f, char *why, size_t why_len)
{
	struct flock lock = whole();
	char text[80] = "another process keeps it locked";

	/* The number is not known of a process in another pid namespace. */
	if (fcntl(f->fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
		(void)snprintf(text, sizeof text, "process %ld keeps it locked", (long)lock.l_pid);
	intent_file_say(f, text, why, why_len);
}

bool intent_file_open(struct intent_file *f, long long until_us, char *why, size_t why_len)
{
	const char *reason = NULL;
	int error;

	f->dir = state_fd_above(state_dir_open(f->directory, true, why, why_len));
	if (f->dir < 0)
		return false;
	while (!(reason = open_file(f))) {
		if (!wait_for_lock(f, until_us))
			break;
		if (is_in_place(f))
			return true;
		close_file(f);
	}
	error = errno;
	if (!reason && error == EAGAIN)
		say_holder(f, why, why_len);
	else
		intent_file_say(f, reason ? reason : strerror(error), why, why_len);
	return false;
}

bool intent_file_read(const struct intent_file *f, struct buf *text, char *why, size_t why_len)
{
	const char *reason = NULL;
	struct stat st;
	ssize_t n;

	if (fstat(f->fd, &st) != 0) {
		reason = strerror(errno);
	} else if (st.st_size > LONGEST) {
		reason = "is too long for a journal";
	} else if (!buf_reserve(text, (size_t)st.st_size + 1)) {
		reason = "not enough memory";
	} else {
		n = state_read_all(f->fd, text->data, (size_t)st.st_size, 0);
		text->len = n > 0 ? (size_t)n : 0;
		reason = n < 0 ? strerror(errno) : NULL;
	}
	if (reason)
		intent_file_say(f, reason, why, why_len);
	return !reason;
}

/* Cuts off what does not count. False with `errno`. */
static bool cut_off(struct intent_file *f)
{
	if (f->is_torn && ftruncate(f->fd, f->size) != 0)
		return false;
	f->is_torn = false;
	return true;
}

bool intent_file_keep(struct intent_file *f, size_t size, char *why, size_t why_len)
{
	struct stat st;

	f->size = (off_t)size;
	f->is_torn = fstat(f->fd, &st) != 0 || st.st_size != f->size;
	if (cut_off(f))
		return true;
	intent_file_say(f, strerror(errno), why, why_len);
	return false;
}

/* Writes a file of that name anew, synced; -1 with `errno`, else its descriptor. */
static int write_beside(const struct intent_file *f, const char *name, const struct buf *text)
{
	int fd, error;

	(void)unlinkat(f->dir, name, 0); /* left by one that was killed, or nothing */
	fd = open_at(f, name, O_CREAT | O_EXCL);
	if (fd < 0)
		return -1;
	if (state_write_all(fd, text->data, text->len, 0) && fdatasync(fd) == 0)
		return fd;
	error = errno;
	close(fd);
	(void)unlinkat(f->dir, name, 0); /* the failure that is reported came before */
	errno = error;
	return -1;
}

bool intent_file_put_aside(const struct intent_file *f, const struct buf *text, char *why,
			   size_t why_len)
{
	char name[INTENT_NAME + 16];
	int fd;

	(void)snprintf(name, sizeof name, "%s.damaged", f->name);
	fd = write_beside(f, name, text);
	if (fd < 0)
		(void)snprintf(why, why_len, "%s/%s: %s", f->directory, name, strerror(errno));
	else
		close(fd);
	return fd >= 0;
}

/* What keeps it from being written to, or NULL. */
static const char *unfit(struct intent_file *f)
{
	struct stat st;

	if (!is_ours(f, &st))
		return "the application has closed its descriptor";
	if (st.st_nlink == 0)
		return "was removed";
	return cut_off(f) ? NULL : strerror(errno);
}

bool intent_file_append(struct intent_file *f, const struct buf *text, bool syncs, char *why,
			size_t why_len)
{
	const char *reason = unfit(f);

	if (!reason) {
		f->is_torn = true; /* until it is known to be whole */
		if (!state_write_all(f->fd, text->data, text->len, f->size) ||
		    (syncs && fdatasync(f->fd) != 0)) {
			reason = strerror(errno);
			(void)cut_off(f); /* else before the next line is written */
		}
	}
	if (reason) {
		intent_file_say(f, reason, why, why_len);
		return false;
	}
	f->size += (off_t)text->len;
	f->is_torn = false;
	return true;
}

void intent_file_empty(struct intent_file *f)
{
	struct stat st;

	if (is_ours(f, &st) && st.st_size > 0 && ftruncate(f->fd, 0) == 0)
		f->size = 0; /* else whoever reads it sees that all is over */
}

void intent_file_replace(struct intent_file *f, const struct buf *text)
{
	struct flock lock = whole();
	char name[INTENT_NAME + 16];
	struct stat st;
	int fd;

	if (!is_ours(f, &st) || st.st_nlink == 0)
		return;
	(void)snprintf(name, sizeof name, ".%s.new", f->name);
	fd = write_beside(f, name, text);
	if (fd < 0)
		return;
	/* Locked before it can be found: nobody else writes to it before it is synced. */
	if (fcntl(fd, F_SETLK, &lock) == 0 && renameat(f->dir, name, f->dir, f->name) == 0)
		(void)sync_dir(f->dir); /* else the long one is there again: it says the same */
	else
		(void)unlinkat(f->dir, name, 0); /* or it is written anew the next time */
	close(fd);
}

void intent_file_close(struct intent_file *f)
{
	close_file(f);
	if (f->dir >= 0)
		close(f->dir);
	f->dir = -1;
}
