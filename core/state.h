/* SPDX-License-Identifier: BSD-2-Clause */
/* What the processes of one user tell each other: which members are down, what each process does
 * with them; and which members the operator drained.
 *
 * One file per user, DIRECTORY/UID.state: a header, a record for each real token, a record for each
 * process. Records are read and written whole, with a checksum, by pread and pwrite: a mapping
 * would be faster, but a mapped file that somebody truncates kills the application with SIGBUS, and
 * nothing of this is on the way of a call. Everything in the file is a hint: it is believed only as
 * far as it can be checked, and without it each process knows what it found out itself.
 *
 * DIRECTORY/drained is a text file, a line for each drained member; root's or the user's own is
 * believed. */
#ifndef HSMUX_CORE_STATE_H
#define HSMUX_CORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/config.h"

#define STATE_TEXT    120 /* bytes of a reason or a name, with the closing NUL */
#define STATE_MEMBERS 32  /* members that one process can publish */
/* Upper bounds of the latency classes in microseconds; the last class has none. */
#define STATE_BUCKETS 20

struct state;

/* A real token as it is reached: the same for every process with the same module, environment and
 * selection. */
struct state_id {
	uint8_t bytes[16];
};

/* What somebody found out about a real token. */
struct state_health {
	bool is_down;
	long long since_ms; /* wall clock, milliseconds since 1970 */
	long long until_ms; /* clock_ms: nobody needs to try before then */
	pid_t by;
	char reason[STATE_TEXT];
};

/* What a process does with one member. */
struct state_usage {
	char token[STATE_TEXT]; /* label of the virtual token */
	char member[STATE_TEXT];
	struct state_id id;
	char state[16];   /* "up", "down", "absent" */
	char breaker[16]; /* "closed", "open", "half-open", "refusing" (the PIN), "none" */
	char reason[STATE_TEXT];
	long long since_ms;             /* wall clock: in this state since */
	bool is_drained;                /* this process knows that it is */
	uint32_t sessions;              /* open on the member */
	uint32_t busy;                  /* of them in use by an operation */
	uint64_t calls;                 /* to the member, since the process began */
	uint64_t errors;                /* of them answered with a failure of the member */
	uint32_t bucket[STATE_BUCKETS]; /* of the calls that were timed */
};

struct state_process {
	pid_t pid;
	uint64_t started;         /* of the process: field 22 of /proc/PID/stat */
	char program[STATE_TEXT]; /* base name of the executable */
	unsigned usage_count;
	struct state_usage usage[STATE_MEMBERS];
};

/* Where the state is: `configured`, else $XDG_RUNTIME_DIR/hsmux (not in setuid processes), else
 * /run/hsmux when it exists and the caller may write there, else /tmp/hsmux-UID. False when the
 * path does not fit. */
bool state_directory(const char *configured, char *path, size_t path_len);

/* Opens the caller's state file, and makes directory (0700; a configured one must exist or be
 * creatable) and file (0600) where they are missing. NULL when that cannot be done safely (foreign
 * owner, writable by others, a symbolic link, no space, ...): `why` says why in words; the caller
 * goes on without. A file that is corrupted, truncated, of another version or of an earlier boot is
 * made anew. */
struct state *state_open(const char *directory, char *why, size_t why_len);

/* Gives the process's record back and closes. NULL is allowed. `is_forked`: the record is the
 * parent's. */
void state_close(struct state *state, bool is_forked);

/* The id of a member's real token. */
struct state_id state_id_of(const struct config_module *module, const struct config_member *member);

/* What is known about a real token; false when nothing is, or it cannot be read. */
bool state_health_get(struct state *state, const struct state_id *id, struct state_health *health);

/* Tells the others. Failure is not reported: the others go without. */
void state_health_put(struct state *state, const struct state_id *id,
		      const struct state_health *health);

/* Publishes what this process does; takes a record for it when it has none. */
void state_publish(struct state *state, const struct state_process *process);

/* The records of all live processes of all users whose files in `directory` the caller can read;
 * *count of them, freed by the caller. NULL with *count 0 when there are none. */
struct state_process *state_processes(const char *directory, size_t *count);

/* A number that changes when the list of drained members changed since it was asked last; costs a
 * stat(). */
uint64_t state_drain_version(const char *directory);

/* Whether the operator drained this member. */
bool state_is_drained(const char *directory, const char *token, const char *member);

/* Drains a member, or ends that. Creates the directory as state_open() does; the list is replaced
 * atomically (fsync, rename) under a lock. False with `why` in words when it cannot be written. */
bool state_drain(const char *directory, const char *token, const char *member, bool drain,
		 char *why, size_t why_len);

#endif
