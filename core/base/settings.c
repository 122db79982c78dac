/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings: a libconfig file whose mistakes are collected instead of stopping at the first.
 *
 * The file is opened once and judged by its descriptor, so that what was checked is what is parsed.
 * Its text may hold PINs, and our copy of it is wiped; that in libconfig's tree is not. What the
 * groups of the file mean is the business of scope.c. */
#include "core/base/settings.h"

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

#include "core/base/secret.h"

/* Far more than a thousand tokens need; a larger file is a mistake in the path. */
#define SETTINGS_MAX_BYTES (1024L * 1024)

unsigned settings_line(const config_setting_t *setting)
{
	return (unsigned)config_setting_source_line(setting);
}

void settings_error(struct settings *s, unsigned line, const char *fmt, ...)
{
	char text[800];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* a long message may be cut */
	va_end(args);
	s->failed = true;
	diag_add(s->diag, s->file, line, "%s", text);
}

/* Insertion sort: it keeps the order within a line, and there are few messages. */
void settings_sort(struct settings *s)
{
	struct diag_line *lines = s->diag->lines;

	for (size_t i = s->first + 1; i < s->diag->count; i++) {
		struct diag_line moved = lines[i];
		size_t k = i;

		for (; k > s->first && lines[k - 1].line > moved.line; k--)
			lines[k] = lines[k - 1];
		lines[k] = moved;
	}
}

/* Whether owner and mode of the open file are acceptable; says why not. */
static bool is_trusted(struct settings *s, const struct stat *st, uid_t owner)
{
	mode_t refused = s->kind == SETTINGS_DATA ? S_IWOTH : S_IWGRP | S_IWOTH;

	if (!S_ISREG(st->st_mode)) {
		settings_error(s, 0, "is not a regular file: expected a file");
		return false;
	}
	if (st->st_uid != 0 && st->st_uid != geteuid() && st->st_uid != owner) {
		settings_error(s, 0, "belongs to user %u: expected root or the calling user (%u)",
			       (unsigned)st->st_uid, (unsigned)geteuid());
		return false;
	}
	if ((st->st_mode & refused) != 0) {
		settings_error(
			s, 0,
			"others can write it (mode %04o): expected a file that only its owner can "
			"write (chmod go-w)",
			(unsigned)(st->st_mode & 07777));
		return false;
	}
	return true;
}

/* Reads the descriptor to its end; NULL when that fails. The caller owns the text. */
static char *read_all(struct settings *s, int fd)
{
	char *text = malloc(SETTINGS_MAX_BYTES + 1);
	size_t len = 0;
	ssize_t got = 1;

	if (text == NULL) {
		settings_error(s, 0, "out of memory");
		return NULL;
	}
	while (got > 0 && len <= SETTINGS_MAX_BYTES) {
		got = read(fd, text + len, SETTINGS_MAX_BYTES + 1 - len);
		len += got > 0 ? (size_t)got : 0;
		if (got < 0 && errno == EINTR)
			got = 1;
	}
	if (got == 0 && memchr(text, '\0', len) == NULL) {
		text[len] = '\0';
		return text;
	}
	if (got < 0)
		settings_error(s, 0, "cannot be read: %s", strerror(errno));
	else if (got > 0)
		settings_error(s, 0, "is too long: expected at most %ld bytes", SETTINGS_MAX_BYTES);
	else
		settings_error(s, 0, "contains a NUL byte: expected text");
	OPENSSL_cleanse(text, len);
	free(text);
	return NULL;
}

/* Opens, checks and reads the file. O_NONBLOCK, so that a FIFO is refused instead of waited for. */
static char *read_file(struct settings *s, uid_t owner)
{
	struct stat st;
	char *text = NULL;
	int fd = open(s->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		settings_error(s, 0, "cannot be opened: %s", strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) != 0)
		settings_error(s, 0, "cannot be examined: %s", strerror(errno));
	else if (is_trusted(s, &st, owner))
		text = read_all(s, fd);
	(void)close(fd); /* was only read */
	return text;
}

/* Behind the comment or string that starts at `p`, or `p` when none does. */
static const char *skip_quiet(const char *p)
{
	const char *end;

	if (*p == '#' || strncmp(p, "//", 2) == 0)
		return p + strcspn(p, "\n");
	if (strncmp(p, "/*", 2) == 0) {
		end = strstr(p + 2, "*/");
		return end != NULL ? end + 2 : p + strlen(p);
	}
	if (*p != '"')
		return p;
	for (p++; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
	}
	return *p == '"' ? p + 1 : p;
}

/* Length of the number or name at `p`. */
static size_t word_len(const char *p)
{
	return strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.*@+-");
}

/* Whether libconfig would take the word for a number that it then silently cuts to its type. */
static bool is_cut(const char *word, size_t len)
{
	char *end = NULL;
	long long n;

	/* Decimal unless 0x: libconfig knows no octal numbers. */
	errno = 0;
	n = strtoll(word, &end, word[0] == '0' && (word[1] == 'x' || word[1] == 'X') ? 16 : 10);
	if (end == word || (size_t)(end - word) > len || *end == '.' || *end == 'e' || *end == 'E')
		return false;
	return errno == ERANGE || (*end != 'L' && (n > INT_MAX || n < INT_MIN));
}

/* Reports what libconfig must not see: it would open included files by itself, unchecked, and it
 * would take 4294967297 for 1. False when the text must not be parsed. */
static bool is_safe(struct settings *s, const char *text)
{
	unsigned line = 1;
	bool safe = true;

	while (*text != '\0') {
		const char *next = skip_quiet(text);

		if (next == text && strncmp(text, "@include", strlen("@include")) == 0) {
			settings_error(
				s, line,
				"@include is not supported: expected all settings in one file");
			safe = false;
		}
		if (next == text)
			next = text + word_len(text);
		if (next > text && is_cut(text, (size_t)(next - text)))
			settings_error(
				s, line,
				"number is too large: expected at most %d, or an L behind it",
				INT_MAX);
		if (next == text)
			next++;
		for (; text < next; text++)
			line += *text == '\n' ? 1 : 0;
	}
	return safe;
}

/* The scan above should have found every @include. Should libconfig see one in what the scan took
 * for something else, it must not open a file either. */
#if LIBCONFIG_VER_MAJOR > 1 || LIBCONFIG_VER_MINOR >= 7
static const char **no_files(config_t *tree, const char *dir, const char *path, const char **why)
{
	(void)tree;
	(void)dir;
	(void)path;
	*why = "@include is not supported";
	return NULL;
}

static void forbid_include(config_t *tree)
{
	config_set_include_func(tree, no_files);
}
#else
static void forbid_include(config_t *tree)
{
	config_set_include_dir(tree, "/dev/null"); /* nothing is below it */
}
#endif

/* Hands the text to libconfig; its one syntax error is the only message then. */
static bool parse(struct settings *s, const char *text)
{
	const char *why;

	if (config_read_string(&s->tree, text) == CONFIG_TRUE)
		return true;
	why = config_error_text(&s->tree);
	settings_error(s, (unsigned)config_error_line(&s->tree),
		       "%s: expected libconfig syntax (key = value;)",
		       why != NULL ? why : "syntax error");
	return false;
}

static void begin(struct settings *s, const char *file, enum settings_kind kind, struct diag *diag)
{
	config_init(&s->tree);
	forbid_include(&s->tree);
	s->file = file;
	s->diag = diag;
	s->first = diag->count;
	s->failed = false;
	s->kind = kind;
}

bool settings_open(struct settings *s, const char *file, enum settings_kind kind, uid_t owner,
		   struct diag *diag)
{
	char *text;
	bool ok;

	begin(s, file, kind, diag);
	text = read_file(s, owner);
	ok = text != NULL && is_safe(s, text) && parse(s, text);
	secret_free_text(text);
	return ok;
}

bool settings_open_text(struct settings *s, const char *text, const char *name, struct diag *diag)
{
	begin(s, name, SETTINGS_DATA, diag);
	return is_safe(s, text) && parse(s, text);
}

void settings_close(struct settings *s)
{
	if (s->file != NULL)
		config_destroy(&s->tree);
	s->file = NULL;
}
