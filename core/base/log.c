/* SPDX-License-Identifier: BSD-2-Clause */
/* The log for operators.
 *
 * One line is built on the stack and written with one call, so lines of several threads do not mix
 * and no lock is needed; what other processes have open as stderr is theirs. hsmux is a guest in
 * the application: errno stays as it was, openlog() is never called, and a closed pipe behind
 * stderr does not kill the application. Callers must never pass a PIN or a key value. */
#include "core/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/utf8.h"

/* Bytes of one line with its newline; longer text is cut. */
#define LOG_LINE_MAX 1000
/* A repeated message is written at most this often. */
#define LOG_LIMIT_MS 60000

/* Warnings are shown until the configuration says otherwise. */
_Atomic int log_threshold = LOG_LEVEL_WARN;
static _Atomic bool to_syslog;

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", LOG_ERR},
	[LOG_LEVEL_WARN] = {"warn", LOG_WARNING},
	[LOG_LEVEL_INFO] = {"info", LOG_INFO},
	[LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

bool log_level_parse(const char *text, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(text, levels[i].name) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_setup(enum log_level level, bool use_syslog)
{
	const char *wanted = secure_getenv("HSMUX_LOG");

	if (wanted)
		(void)log_level_parse(wanted, &level); /* a wrong word changes nothing */
	atomic_store(&log_threshold, (int)level);
	atomic_store(&to_syslog, use_syslog);
}

/* Writes to stderr without letting a SIGPIPE of ours reach the application. */
static void log_stderr(const char *line, size_t len)
{
	static const struct timespec no_time;
	sigset_t pipe_set;
	sigset_t old;
	sigset_t pending;
	ssize_t written;

	(void)sigemptyset(&pipe_set);
	(void)sigaddset(&pipe_set, SIGPIPE);
	(void)sigpending(&pending);
	if (pthread_sigmask(SIG_BLOCK, &pipe_set, &old) != 0)
		return;
	written = write(STDERR_FILENO, line, len);
	if (written < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE))
		(void)sigtimedwait(&pipe_set, NULL, &no_time); /* take back what write raised */
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void __attribute__((format(printf, 3, 0)))
log_write(enum log_level level, unsigned held, const char *fmt, va_list args)
{
	char line[LOG_LINE_MAX + 1];
	int saved = errno;
	int start = snprintf(line, sizeof(line), "hsmux: %s: ", levels[level].name);
	size_t used = start > 0 ? (size_t)start : 0;

	if (vsnprintf(line + used, sizeof(line) - 1 - used, fmt, args) < 0)
		goto out;
	used += strlen(line + used);
	if (held)
		(void)snprintf(line + used, sizeof(line) - 1 - used, " (%u more held back)", held);
	utf8_show(line, line, sizeof(line)); /* one event, one line, and no escape sequences */
	used = strlen(line);
	if (atomic_load(&to_syslog))
		syslog(LOG_USER | levels[level].priority, "%s", line);
	line[used] = '\n';
	log_stderr(line, used + 1);
out:
	errno = saved;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	va_list args;

	if (!log_on(level))
		return;
	va_start(args, fmt);
	log_write(level, 0, fmt, args);
	va_end(args);
}

void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...)
{
	long long now;
	long long next;
	va_list args;

	if (!log_on(level))
		return;
	now = clock_ms();
	next = atomic_load(&limit->next_ms);
	if (now < next ||
	    !atomic_compare_exchange_strong(&limit->next_ms, &next, now + LOG_LIMIT_MS)) {
		atomic_fetch_add(&limit->held, 1);
		return;
	}
	va_start(args, fmt);
	log_write(level, atomic_exchange(&limit->held, 0), fmt, args);
	va_end(args);
}
