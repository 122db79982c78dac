/* SPDX-License-Identifier: BSD-2-Clause */
/* The file below core/state.h.
 *
 * A record is a head and a body:
 *   0   8  sum: FNV-1a, 64 bits, over kind, index, length and body
 *   8   4  length of the body
 *   12  4  zero
 *   16  -  body
 * It is valid if and only if the length fits and the sum is right. A reader that meets a writer
 * sees a wrong sum and reads again.
 *
 *   0                  the header: struct header; its place and head are the same in every version
 *   4096               STATE_FILE_HEALTH records of HEALTH_ROOM bytes
 *   + 64 * HEALTH_ROOM STATE_FILE_PROCESSES records of PROCESS_ROOM bytes
 * The file grows as records are written; what is beyond its end is an empty record. So a file that
 * is cut off while it is open only loses records, which their owners write again.
 *
 * Locks are open-file-description locks on the bytes of a record: they end with the process
 * whatever ends it, hold beyond the end of the file, and do not end when another descriptor of the
 * same file is closed. Nobody waits for one without a limit: a holder may have been stopped.
 *
 * Nothing here is allowed to end the application: no mapping (SIGBUS), no write beyond the limit of
 * the file size (SIGXFSZ), no use of a descriptor that the application closed and opened for
 * something else. */
#include "core/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/state.h"

#define VERSION     1
#define HEALTH_AT   4096
#define HEALTH_ROOM 512
/* A record of a process, rounded up to whole pages. */
#define PROCESS_ROOM ((sizeof(struct state_process) + 2 * sizeof(struct head) + 4095) / 4096 * 4096)
#define PROCESS_AT   (HEALTH_AT + STATE_FILE_HEALTH * HEALTH_ROOM)
/* How often a record that is being written is read again. */
#define READS 8
/* How long the header's lock is waited for. */
#define HEADER_WAIT_MS 100

struct head {
	uint64_t sum;
	uint32_t len;
	uint32_t zero;
};

/* What a file must say to be used as it is. */
struct header {
	char magic[12];
	uint32_t version;
	uint32_t health_size;
	uint32_t process_size;
	uint32_t usage_size;
	char boot[40]; /* boot_id of the kernel */
};

/* What is said of a file or directory that others could have made or can change. */
static const char *untrusted(const struct stat *st)
{
	bool is_shared = (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;

	if (st->st_uid != geteuid() && st->st_uid != 0)
		return "belongs to another user";
	if (!S_ISDIR(st->st_mode))
		return is_shared ? "others can write it" : NULL;
	if (is_shared && !(st->st_uid == 0 && (st->st_mode & S_ISVTX) != 0))
		return "others can write in it";
	return NULL;
}

int state_dir_open(const char *directory, bool create, char *why, size_t why_len)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	const char *reason;
	struct stat st;
	int dir;

	dir = open(directory, flags);
	if (dir < 0 && errno == ENOENT && create &&
	    (mkdir(directory, 0700) == 0 || errno == EEXIST))
		dir = open(directory, flags);
	if (dir < 0 || fstat(dir, &st) != 0)
		reason = errno == ENOTDIR || errno == ELOOP
				 ? "is no directory, or a symbolic link to one"
				 : strerror(errno);
	else
		reason = untrusted(&st);
	if (!reason)
		return dir;
	(void)snprintf(why, why_len, "%s: %s", directory, reason);
	if (dir >= 0)
		close(dir);
	return -1;
}

static bool is_beyond_limit(off_t end)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	       (rlim_t)end > limit.rlim_cur;
}

bool state_write_all(int fd, const void *data, size_t len, off_t offset)
{
	const unsigned char *p = data;

	if (is_beyond_limit((offset < 0 ? 0 : offset) + (off_t)len)) {
		errno = EFBIG;
		return false;
	}
	while (len > 0) {
		ssize_t n = offset < 0 ? write(fd, p, len) : pwrite(fd, p, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? ENOSPC : errno;
			return false;
		}
		p += n;
		len -= (size_t)n;
		offset += offset < 0 ? 0 : n;
	}
	return true;
}

ssize_t state_read_all(int fd, void *data, size_t len, off_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)data + done, len - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static off_t place(enum state_kind kind, unsigned index)
{
	switch (kind) {
	case STATE_HEADER:
		return 0;
	case STATE_HEALTH:
		return HEALTH_AT + (off_t)index * HEALTH_ROOM;
	case STATE_PROCESS:
		return PROCESS_AT + (off_t)index * (off_t)PROCESS_ROOM;
	}
	return 0;
}

static size_t room(enum state_kind kind)
{
	switch (kind) {
	case STATE_HEADER:
		return HEALTH_AT - sizeof(struct head);
	case STATE_HEALTH:
		return HEALTH_ROOM - sizeof(struct head);
	case STATE_PROCESS:
		return PROCESS_ROOM - sizeof(struct head);
	}
	return 0;
}

static uint64_t add_sum(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * 0x100000001b3u; /* FNV's prime for 64 bits */
	return sum;
}

static uint64_t sum_of(enum state_kind kind, unsigned index, const void *body, size_t len)
{
	const uint32_t where[3] = {(uint32_t)kind, index, (uint32_t)len};

	/* FNV's offset basis for 64 bits. */
	return add_sum(add_sum(0xcbf29ce484222325u, where, sizeof where), body, len);
}

static bool read_once(const struct state_file *f, enum state_kind kind, unsigned index, void *body,
		      size_t size, bool *is_empty)
{
	struct head head = {0};
	off_t at = place(kind, index);

	*is_empty = state_read_all(f->fd, &head, sizeof head, at) != (ssize_t)sizeof head ||
		    (head.sum == 0 && head.len == 0);
	if (*is_empty || head.len > size || head.zero != 0)
		return false;
	memset(body, 0, size);
	return state_read_all(f->fd, body, head.len, at + (off_t)sizeof head) ==
		       (ssize_t)head.len &&
	       sum_of(kind, index, body, head.len) == head.sum;
}

bool state_file_read(const struct state_file *f, enum state_kind kind, unsigned index, void *body,
		     size_t size)
{
	bool is_empty = false;

	for (unsigned i = 0; i < READS && !is_empty; i++)
		if (read_once(f, kind, index, body, size, &is_empty))
			return true;
	memset(body, 0, size);
	return false;
}

/* The head is written last: until then the old sum does not fit the new body. */
bool state_file_write(const struct state_file *f, enum state_kind kind, unsigned index,
		      const void *body, size_t len)
{
	struct head head = {.sum = sum_of(kind, index, body, len), .len = (uint32_t)len};
	off_t at = place(kind, index);

	if (len > room(kind)) {
		errno = EMSGSIZE;
		return false;
	}
	return state_write_all(f->fd, body, len, at + (off_t)sizeof head) &&
	       state_write_all(f->fd, &head, sizeof head, at);
}

void state_file_erase(const struct state_file *f, enum state_kind kind, unsigned index)
{
	struct head head = {0};

	/* A record that cannot be erased is given up with its lock. */
	(void)state_write_all(f->fd, &head, sizeof head, place(kind, index));
}

static struct flock range(short type, enum state_kind kind, unsigned index)
{
	return (struct flock){.l_type = type,
			      .l_whence = SEEK_SET,
			      .l_start = place(kind, index),
			      .l_len = (off_t)(room(kind) + sizeof(struct head))};
}

bool state_file_lock(const struct state_file *f, enum state_kind kind, unsigned index,
		     unsigned wait_ms)
{
	struct flock lock = range(F_WRLCK, kind, index);
	const struct timespec ms = {.tv_nsec = 1000000};

	for (unsigned i = 0;; i++) {
		if (fcntl(f->fd, F_OFD_SETLK, &lock) == 0)
			return true;
		if (i >= wait_ms || (errno != EAGAIN && errno != EACCES && errno != EINTR))
			return false;
		(void)nanosleep(&ms, NULL); /* a signal only shortens it */
	}
}

void state_file_unlock(const struct state_file *f, enum state_kind kind, unsigned index)
{
	struct flock lock = range(F_UNLCK, kind, index);

	(void)fcntl(f->fd, F_OFD_SETLK, &lock); /* else it ends with the descriptor */
}

bool state_file_is_locked(const struct state_file *f, enum state_kind kind, unsigned index)
{
	struct flock lock = range(F_RDLCK, kind, index);

	return fcntl(f->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* What the header of a file of this version and boot is; read once, since an application may leave
 * /proc behind with chroot(). */
static struct header expected;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_expected(void)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	struct header *h = &expected;
	ssize_t n;

	(void)snprintf(h->magic, sizeof h->magic, "hsmux state");
	h->version = VERSION;
	h->health_size = sizeof(struct state_health);
	h->process_size = sizeof(struct state_process);
	h->usage_size = sizeof(struct state_usage);
	if (fd < 0)
		return; /* without /proc an earlier boot is not recognised */
	n = state_read_all(fd, h->boot, 36, 0);
	if (n != 36)
		memset(h->boot, 0, sizeof h->boot);
	close(fd);
}

enum header_state { HEADER_RIGHT, HEADER_OTHER, HEADER_DAMAGED };

static enum header_state look(const struct state_file *f)
{
	struct header found;

	pthread_once(&once, make_expected);
	if (!state_file_read(f, STATE_HEADER, 0, &found, sizeof found) ||
	    memcmp(found.magic, expected.magic, sizeof found.magic) != 0)
		return HEADER_DAMAGED;
	return memcmp(&found, &expected, sizeof found) == 0 ? HEADER_RIGHT : HEADER_OTHER;
}

/* Under the header's lock. What others hold stays locked; they write their records again. */
static bool renew_locked(const struct state_file *f, bool and_other)
{
	enum header_state state = look(f);

	if (state == HEADER_RIGHT || (state == HEADER_OTHER && !and_other))
		return state == HEADER_RIGHT;
	return ftruncate(f->fd, 0) == 0 &&
	       state_file_write(f, STATE_HEADER, 0, &expected, sizeof expected);
}

/* Makes the file anew unless somebody else just did. False with `errno`. */
static bool renew(const struct state_file *f, bool and_other)
{
	bool ok;
	int error;

	errno = 0;
	if (!state_file_lock(f, STATE_HEADER, 0, HEADER_WAIT_MS))
		return false;
	ok = renew_locked(f, and_other);
	error = errno;
	state_file_unlock(f, STATE_HEADER, 0);
	errno = error;
	return ok;
}

int state_fd_above(int fd)
{
	int higher;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return higher;
}

static bool open_in(struct state_file *f, int dir, const char *name, int flags, struct stat *st)
{
	f->fd = state_fd_above(
		openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
	if (f->fd < 0 || fstat(f->fd, st) != 0)
		return false;
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	return true;
}

/* What is wrong with the caller's file, or NULL. */
static const char *open_own(struct state_file *f, int dir, const char *name)
{
	struct stat st;

	if (!open_in(f, dir, name, O_RDWR | O_CREAT, &st))
		return errno == ELOOP ? "is a symbolic link" : strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "is no regular file";
	if (st.st_uid != geteuid())
		return "belongs to another user";
	if (st.st_nlink != 1)
		return "has more than one name";
	if (untrusted(&st))
		return untrusted(&st);
	if (look(f) == HEADER_RIGHT || renew(f, true))
		return NULL;
	return errno == 0 || errno == EAGAIN || errno == EACCES ? "another process keeps it locked"
								: strerror(errno);
}

bool state_file_open(struct state_file *f, const char *directory, char *why, size_t why_len)
{
	int dir = state_dir_open(directory, true, why, why_len);
	const char *reason;
	char name[32];

	f->fd = -1;
	if (dir < 0)
		return false;
	(void)snprintf(name, sizeof name, "%lu.state", (unsigned long)geteuid());
	if (snprintf(f->path, sizeof f->path, "%s/%s", directory, name) >= (int)sizeof f->path)
		reason = "the path is too long";
	else
		reason = open_own(f, dir, name);
	close(dir);
	if (!reason)
		return true;
	(void)snprintf(why, why_len, "%s: %s", f->path, reason);
	state_file_close(f);
	return false;
}

bool state_file_view(struct state_file *f, int dir, const char *name)
{
	struct stat st;
	char owner[32];

	f->fd = -1;
	if (open_in(f, dir, name, O_RDONLY, &st)) {
		(void)snprintf(owner, sizeof owner, "%lu.state", (unsigned long)st.st_uid);
		if (S_ISREG(st.st_mode) && strcmp(owner, name) == 0 &&
		    !(st.st_mode & (S_IWGRP | S_IWOTH)) && look(f) == HEADER_RIGHT)
			return true;
	}
	state_file_close(f);
	return false;
}

/* Whether the descriptor is still what it was when it was opened. */
static bool is_ours(const struct state_file *f)
{
	struct stat st;

	return f->fd >= 0 && fstat(f->fd, &st) == 0 && st.st_dev == f->dev && st.st_ino == f->ino;
}

void state_file_close(struct state_file *f)
{
	if (is_ours(f))
		close(f->fd);
	f->fd = -1;
}

bool state_file_check(const struct state_file *f, bool *is_other)
{
	struct stat st;

	*is_other = false;
	if (!is_ours(f) || lstat(f->path, &st) != 0 || st.st_dev != f->dev || st.st_ino != f->ino)
		return false;
	switch (look(f)) {
	case HEADER_RIGHT:
		return true;
	case HEADER_OTHER:
		*is_other = true;
		return false;
	case HEADER_DAMAGED:
		break;
	}
	return renew(f, false);
}
