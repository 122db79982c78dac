/* SPDX-License-Identifier: BSD-2-Clause */
/* PIN source: a member's own PIN, read when it is needed and kept nowhere here.
 *
 * There is no state and no lock. What is read goes through one buffer, which is wiped, into a
 * struct secret. A PIN that others could have read is no secret any more, so the file that holds it
 * must be closed to them; symbolic links are followed, as secrets are often mounted behind them,
 * and the open file is judged, not its name. A reason names the source and never what was read. */
#include "core/pin_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "core/base/utf8.h"

/* The longest PIN, the newline behind it, and a byte to see that there is more. */
#define READ_MAX (SECRET_MAX_LEN + 2)

/* Where a reason goes. */
struct reason {
	const struct config_member *conf;
	char *text;
	size_t len;
};

static const char *const kind_names[] = {
	[CONFIG_PIN_SAME] = "same",
	[CONFIG_PIN_FILE] = "file",
	[CONFIG_PIN_ENV] = "env",
	[CONFIG_PIN_CREDENTIAL] = "credential",
};

static void say(const struct reason *why, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "pin KIND:WHERE " and the rest. */
static void say(const struct reason *why, const char *fmt, ...)
{
	const char *where = why->conf->pin_where != NULL ? why->conf->pin_where : "";
	char shown[200];
	char text[200];
	va_list args;

	utf8_show(where, shown, sizeof(shown));
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* a long reason may be cut */
	va_end(args);
	(void)snprintf(why->text, why->len, "pin %s:%s %s", kind_names[why->conf->pin], shown,
		       text);
}

/* A secret of what was read, less one newline at its end. */
static struct secret *secret_of(const struct reason *why, const char *bytes, size_t len)
{
	struct secret *pin;

	if (len > 0 && bytes[len - 1] == '\n')
		len--;
	if (len == 0) {
		say(why, "is empty");
		return NULL;
	}
	if (len > SECRET_MAX_LEN) {
		say(why, "is longer than %d bytes", SECRET_MAX_LEN);
		return NULL;
	}
	pin = secret_new(bytes, len);
	if (pin == NULL)
		say(why, "cannot be kept: out of memory");
	return pin;
}

/* Group and others. systemd gives a service's user access to a credential of root with an access
 * control list, whose mask shows as the group's permission to read; the group is then root's. */
static mode_t refused_bits(const struct config_member *conf, const struct stat *st)
{
	if (conf->pin == CONFIG_PIN_CREDENTIAL && st->st_uid == 0 && st->st_gid == 0)
		return S_IWGRP | S_IXGRP | S_IRWXO;
	return S_IRWXG | S_IRWXO;
}

/* Whether nobody but the owner of the open file, who is root or the caller, and root can reach it.
 */
static bool is_private(const struct reason *why, const struct stat *st)
{
	if (!S_ISREG(st->st_mode)) {
		say(why, "is not a regular file");
		return false;
	}
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		say(why, "belongs to user %u: expected root or the calling user (%u)",
		    (unsigned)st->st_uid, (unsigned)geteuid());
		return false;
	}
	if ((st->st_mode & refused_bits(why->conf, st)) != 0) {
		say(why,
		    "is open to others (mode %04o): expected a file for its owner alone "
		    "(chmod 600)",
		    (unsigned)(st->st_mode & 07777));
		return false;
	}
	return true;
}

/* Reads up to READ_MAX bytes; false with errno when that fails. */
static bool read_up(int fd, char *bytes, size_t *len)
{
	ssize_t got = 1;

	*len = 0;
	while (got > 0 && *len < READ_MAX) {
		got = read(fd, bytes + *len, READ_MAX - *len);
		*len += got > 0 ? (size_t)got : 0;
		if (got < 0 && errno == EINTR)
			got = 1;
	}
	return got >= 0;
}

/* The PIN in an open file. */
static struct secret *read_open(const struct reason *why, int fd)
{
	char *bytes;
	struct secret *pin = NULL;
	struct stat st;
	size_t len;

	if (fstat(fd, &st) != 0) {
		say(why, "cannot be examined: %s", strerror(errno));
		return NULL;
	}
	if (!is_private(why, &st))
		return NULL;
	bytes = malloc(READ_MAX);
	if (bytes == NULL)
		say(why, "cannot be read: out of memory");
	else if (!read_up(fd, bytes, &len))
		say(why, "cannot be read: %s", strerror(errno));
	else
		pin = secret_of(why, bytes, len);
	if (bytes != NULL)
		OPENSSL_cleanse(bytes, READ_MAX);
	free(bytes);
	return pin;
}

/* O_NONBLOCK, so that a FIFO is refused instead of waited for. */
static struct secret *read_file(const struct reason *why, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct secret *pin;

	if (fd < 0) {
		say(why, "cannot be opened: %s", strerror(errno));
		return NULL;
	}
	pin = read_open(why, fd);
	(void)close(fd); /* was only read */
	return pin;
}

/* The environment of a setuid program is the attacker's, and secure_getenv() does not see it. */
static struct secret *read_variable(const struct reason *why, const char *name)
{
	const char *value = secure_getenv(name);

	if (value != NULL)
		return secret_of(why, value, strlen(value));
	say(why, "is not set in the environment");
	return NULL;
}

static struct secret *read_credential(const struct reason *why, const char *name)
{
	const char *directory = secure_getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX / 4];
	int len;

	if (directory == NULL || directory[0] != '/') {
		say(why, "cannot be found: CREDENTIALS_DIRECTORY is not set by the service");
		return NULL;
	}
	len = snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (len > 0 && (size_t)len < sizeof(path))
		return read_file(why, path);
	say(why, "cannot be found: its path is too long");
	return NULL;
}

struct secret *pin_source_read(const struct config_member *conf, char *why, size_t why_len)
{
	struct reason reason = {.conf = conf, .text = why, .len = why_len};

	switch (conf->pin) {
	case CONFIG_PIN_FILE:
		return read_file(&reason, conf->pin_where);
	case CONFIG_PIN_ENV:
		return read_variable(&reason, conf->pin_where);
	case CONFIG_PIN_CREDENTIAL:
		return read_credential(&reason, conf->pin_where);
	case CONFIG_PIN_SAME:
		break;
	}
	say(&reason, "is what the application gives: there is nothing to read");
	return NULL;
}
