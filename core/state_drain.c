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
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/state.h"
#include "core/state_file.h"
#include "core/state_list.h"

#define LIST_NAME "drained"

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

static const char *change(int dir, const struct buf *key, bool drain)
{
	struct buf old = {0}, new = {0};
	const char *reason = state_list_read(dir, LIST_NAME, &old);

	if (!reason && has_line(&old, key) != drain) {
		if (!make_list(&new, &old, key, drain))
			reason = "not enough memory";
		else if (!state_list_replace(dir, LIST_NAME, &new))
			reason = strerror(errno);
	}
	buf_free(&new);
	buf_free(&old);
	return reason;
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
	else if (!state_list_lock(dir))
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
	const char *reason = dir >= 0 ? state_list_read(dir, LIST_NAME, &list) : NULL;
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
