/* SPDX-License-Identifier: BSD-2-Clause */
/* The log for operators: one line per event, to stderr and, if wanted, syslog. Never a secret. */
#ifndef HSMUX_CORE_BASE_LOG_H
#define HSMUX_CORE_BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>

/* error: someone must act; warn: degraded; info: state changed; debug: every call. */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Highest level that is written; read through log_on(). */
extern _Atomic int log_threshold;

/* Remembers when a repeated message was last written; static and zeroed at its place of use. */
struct log_limit {
	_Atomic long long next_ms; /* monotonic time before which the message is held back */
	_Atomic unsigned held;     /* how many were held back since */
};

/* Sets level and syslog use. HSMUX_LOG in the environment (error|warn|info|debug; not in setuid
 * processes) wins over `level`. May be called again at any time. */
void log_setup(enum log_level level, bool use_syslog);

/* Parses a level's name; false when `text` is none of the four. */
bool log_level_parse(const char *text, enum log_level *level);

/* True when messages of this level are written: one relaxed load, for the hot path. */
static inline bool log_on(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_threshold, memory_order_relaxed);
}

/* Writes one line "hsmux: LEVEL: text". Control characters in the text are replaced. Starts with
 * the noun and its name: `member a: ...`. Lines are cut at 1000 bytes. */
void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same, at most once a minute for one `limit`; the next line says how many were held back. */
void log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
