/* SPDX-License-Identifier: BSD-2-Clause */
/* The members that the operator drained: DIRECTORY/drained, text, one line for each:
 *   TOKEN <TAB> MEMBER <TAB> since TIME
 * A control character or backslash in a name is written \xNN, so that a name is one field. A line
 * counts if and only if it begins with both names and a tab, or is both names and nothing else.
 *
 * The list takes members out of service: it is believed only when it is root's or the user's own
 * and nobody else can write it. It is replaced as a whole, under a lock on the directory, and is on
 * the disk before that is reported. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/state.h"
#include "core/state_file.h"

#define LIST_NAME "drained"
/* A longer list is not believed; a line has less than 1 KiB. */
#define LIST_MAX (1 << 20)
/* How long the command waits for another one, in steps of 10 ms. */
#define LOCK_TRIES 200

static bool add_name(struct buf *b, const char *name)
{
	bool ok = true;

	for (; ok && *name != '\0'; name++) {
		unsigned char c = (unsigned char)*name;

		ok = c < 0x20 || c == 0x7f || c == '\\' ? buf_printf(b, "\\x%02x", c)
							: buf_add(b, name, 1);
	}
	return ok;
}

/* Both names as a line begins, ended by NUL. */
static bool make_key(struct buf *key, const char *token, const char *member)
{
	return add_name(key, token) && buf_add(key, "\t", 1) && add_name(key, member) &&
	       buf_printf(key, "%s", "");
}

static bool is_line_of(const char *line, size_t len, const struct buf *key)
{
	return len >= key->len && memcmp(line, key->data, key->len) == 0 &&
	       (len == key->len || line[key->len] == '\t');
}

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

/* Appends the list to `list`, nothing when there is none. What is wrong with it, or NULL. */
static const char *read_list(int dir, struct buf *list)
{
	int fd = openat(dir, LIST_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *reason;

	if (fd < 0)
		return errno == ENOENT ? NULL
				       : (errno == ELOOP ? "is a symbolic link" : strerror(errno));
	reason = read_open(fd, list);
	close(fd);
	return reason;
}

/* Length of the line at `at`, and where the next one begins. */
static size_t line_at(const struct buf *list, size_t at, size_t *next)
{
	const char *begin = (const char *)list->data + at;
	const char *end = memchr(begin, '\n', list->len - at);
	size_t len = end ? (size_t)(end - begin) : list->len - at;

	*next = at + len + (end ? 1 : 0);
	return len;
}

static bool has_line(const struct buf *list, const struct buf *key)
{
	for (size_t at = 0, next; at < list->len; at = next) {
		size_t len = line_at(list, at, &next);

		if (is_line_of((const char *)list->data + at, len, key))
			return true;
	}
	return false;
}

/* The list without the lines of `key`, and with a new one when `drain` is set. */
static bool make_list(struct buf *to, const struct buf *from, const struct buf *key, bool drain)
{
	time_t now = time(NULL);
	char text[32] = "";
	struct tm tm;

	for (size_t at = 0, next; at < from->len; at = next) {
		const char *line = (const char *)from->data + at;
		size_t len = line_at(from, at, &next);

		if (len > 0 && !is_line_of(line, len, key) &&
		    !(buf_add(to, line, len) && buf_add(to, "\n", 1)))
			return false;
	}
	if (!drain)
		return true;
	if (gmtime_r(&now, &tm))
		(void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf_printf(to, "%s\tsince %s\n", (const char *)key->data, text);
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

static bool replace(int dir, const struct buf *list)
{
	char name[48];
	int error;

	(void)snprintf(name, sizeof name, ".%s.%ld", LIST_NAME, (long)getpid());
	(void)unlinkat(dir, name, 0); /* left by one that was killed, or nothing */
	if (write_file(dir, name, list) && renameat(dir, name, dir, LIST_NAME) == 0)
		return fsync(dir) == 0;
	error = errno;
	(void)unlinkat(dir, name, 0); /* the failure that is reported came before */
	errno = error;
	return false;
}

static const char *change(int dir, const struct buf *key, bool drain)
{
	struct buf old = {0}, new = {0};
	const char *reason = read_list(dir, &old);

	if (!reason && has_line(&old, key) != drain) {
		if (!make_list(&new, &old, key, drain))
			reason = "not enough memory";
		else if (!replace(dir, &new))
			reason = strerror(errno);
	}
	buf_free(&new);
	buf_free(&old);
	return reason;
}

static bool lock(int dir)
{
	const struct timespec step = {.tv_nsec = 10000000};

	for (unsigned i = 0; flock(dir, LOCK_EX | LOCK_NB) != 0; i++) {
		if (i >= LOCK_TRIES || (errno != EWOULDBLOCK && errno != EINTR))
			return false;
		(void)nanosleep(&step, NULL); /* a signal only shortens it */
	}
	return true;
}

bool state_drain(const char *directory, const char *token, const char *member, bool drain,
		 char *why, size_t why_len)
{
	int dir = state_dir_open(directory, true, why, why_len);
	struct buf key = {0};
	const char *reason = NULL;

	if (dir < 0)
		return false;
	if (!make_key(&key, token, member))
		reason = "not enough memory";
	else if (!lock(dir))
		reason = errno == EWOULDBLOCK ? "another process keeps it locked" : strerror(errno);
	else
		reason = change(dir, &key, drain);
	close(dir); /* and with it the lock */
	buf_free(&key);
	if (reason)
		(void)snprintf(why, why_len, "%s/%s: %s", directory, LIST_NAME, reason);
	return !reason;
}

bool state_is_drained(const char *directory, const char *token, const char *member)
{
	static struct log_limit limit;
	struct buf key = {0}, list = {0};
	char why[STATE_PATH]; /* that of state_open(), which the caller has reported */
	int dir = state_dir_open(directory, false, why, sizeof why);
	const char *reason = dir >= 0 ? read_list(dir, &list) : NULL;
	bool found = false;

	if (reason)
		log_limited(&limit, LOG_LEVEL_WARN,
			    "list of drained members %s/%s: %s: hsmux takes no member for drained",
			    directory, LIST_NAME, reason);
	else if (list.len > 0 && make_key(&key, token, member))
		found = has_line(&list, &key);
	if (dir >= 0)
		close(dir);
	buf_free(&list);
	buf_free(&key);
	return found;
}

uint64_t state_drain_version(const char *directory)
{
	uint64_t version = 0;
	char path[STATE_PATH];
	struct stat st;

	if (snprintf(path, sizeof path, "%s/%s", directory, LIST_NAME) >= (int)sizeof path ||
	    lstat(path, &st) != 0)
		return 0;
	const uint64_t facts[] = {st.st_ino,
				  (uint64_t)st.st_size,
				  (uint64_t)st.st_ctim.tv_sec,
				  (uint64_t)st.st_ctim.tv_nsec,
				  (uint64_t)st.st_mtim.tv_sec,
				  (uint64_t)st.st_mtim.tv_nsec};
	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
		version = (version ^ facts[i]) * 0x9e3779b97f4a7c15u; /* an odd number mixes */
	return version | 1;                                           /* never that of no list */
}
