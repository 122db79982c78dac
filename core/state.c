/* SPDX-License-Identifier: BSD-2-Clause */
/* What the processes of one user tell each other.
 *
 * Every function looks first whether the file is still the one in the directory; when it was
 * removed or replaced it is opened again and a new record taken. Whatever fails, the others go
 * without: one log line a minute says so, and the next call tries again.
 *
 * A process holds its record with a lock (state_file.c). A forked child inherits the descriptor and
 * with it the lock, so a lock alone does not show that the process lives: where its pid means
 * something here (same pid namespace), /proc has to know it, too.
 *
 * `lock` guards what is in struct state. In a forked child it may be held by a thread that does not
 * exist there: state_close() with `is_forked` does not take it. */
#include "core/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/state_file.h"

/* How long the lock of the health records is waited for. */
#define HEALTH_WAIT_MS 20

/* A health record as in the file. */
struct health_body {
	struct state_id id;
	int64_t written_ms; /* clock_ms: the oldest makes room for another */
	uint8_t is_down;
	int64_t since_ms;
	int64_t until_ms;
	int64_t by;
	char reason[STATE_TEXT];
};

/* A process record as in the file, as long as it has members. */
struct process_body {
	uint64_t pid_space; /* inode of the pid namespace; 0 when unknown */
	struct state_process process;
};

_Static_assert(sizeof(struct health_body) <= 496, "a health record has 512 bytes with its head");
_Static_assert(sizeof(struct process_body) <= sizeof(struct state_process) + 16,
	       "a process record has room for 16 bytes more");

struct state {
	char *directory; /* owned */
	pid_t pid;       /* whose it is */
	pthread_mutex_t lock;
	struct state_file file;    /* guarded by lock */
	int record;                /* of this process, -1 when it has none; guarded by lock */
	struct process_body *body; /* what is written; owned; guarded by lock */
	struct log_limit log;
};

bool state_directory(const char *configured, char *path, size_t path_len)
{
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
	struct stat st;
	int n;

	/* su and sudo may keep the variable of another user. */
	if (runtime && (runtime[0] != '/' || stat(runtime, &st) != 0 || st.st_uid != geteuid()))
		runtime = NULL;
	if (configured)
		n = snprintf(path, path_len, "%s", configured);
	else if (runtime)
		n = snprintf(path, path_len, "%s/hsmux", runtime);
	else if (faccessat(AT_FDCWD, "/run/hsmux", W_OK | X_OK, AT_EACCESS) == 0)
		n = snprintf(path, path_len, "/run/hsmux");
	else
		n = snprintf(path, path_len, "/tmp/hsmux-%lu", (unsigned long)geteuid());
	return n >= 0 && (size_t)n < path_len;
}

static bool add_text(struct buf *b, const char *text)
{
	uint64_t len = text ? strlen(text) : UINT64_MAX;

	return buf_add(b, &len, sizeof len) && (!text || buf_add(b, text, strlen(text)));
}

/* Everything that decides which real token it is, each with its length. */
static bool add_identity(struct buf *b, const struct config_module *module,
			 const struct config_member *member)
{
	uint64_t slot = member->has_slot ? member->slot : UINT64_MAX;
	bool ok = add_text(b, module->library) && add_text(b, module->init_args) &&
		  add_text(b, member->token) && add_text(b, member->serial) &&
		  buf_add(b, &slot, sizeof slot);

	for (size_t i = 0; ok && i < module->env_count; i++)
		ok = add_text(b, module->env[i].name) && add_text(b, module->env[i].value);
	return ok;
}

struct state_id state_id_of(const struct config_module *module, const struct config_member *member)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct state_id id = {{0}};
	struct buf b = {0};

	/* Without memory it stays zero, which is nobody's id. */
	if (add_identity(&b, module, member) &&
	    EVP_Digest(b.data, b.len, hash, NULL, EVP_sha256(), NULL) == 1)
		memcpy(id.bytes, hash, sizeof id.bytes);
	buf_free(&b);
	return id;
}

static bool is_nobody(const struct state_id *id)
{
	static const struct state_id nobody;

	return memcmp(id, &nobody, sizeof nobody) == 0;
}

static void copy_text(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size - 1);

	memset(to + len, 0, size - len);
	memcpy(to, from, len);
}

static void complain(struct state *s, const char *why)
{
	log_limited(&s->log, LOG_LEVEL_WARN,
		    "state %s: hsmux goes on without; processes do not learn from each other", why);
}

static void complain_errno(struct state *s, const char *what)
{
	char why[STATE_PATH + 200];

	(void)snprintf(why, sizeof why, "%s: %s: %s", s->file.path, what, strerror(errno));
	complain(s, why);
}

/* Makes the file usable: the one that is in the directory now. Under the lock. */
static bool prepare(struct state *s)
{
	char why[STATE_PATH + 200];
	bool is_other;

	if (state_file_check(&s->file, &is_other))
		return true;
	if (is_other) {
		(void)snprintf(why, sizeof why, "%s: another version of hsmux uses it now",
			       s->file.path);
		complain(s, why);
		return false;
	}
	state_file_close(&s->file);
	s->record = -1;
	if (state_file_open(&s->file, s->directory, why, sizeof why))
		return true;
	complain(s, why);
	return false;
}

/* Enters; false when there is nothing to work with. */
static bool enter(struct state *s)
{
	if (!s || s->pid != getpid())
		return false;
	pthread_mutex_lock(&s->lock);
	if (prepare(s))
		return true;
	pthread_mutex_unlock(&s->lock);
	return false;
}

struct state *state_open(const char *directory, char *why, size_t why_len)
{
	struct state *s = calloc(1, sizeof *s);

	(void)snprintf(why, why_len, "%s: not enough memory", directory);
	if (!s)
		return NULL;
	s->file.fd = -1;
	s->record = -1;
	s->pid = getpid();
	pthread_mutex_init(&s->lock, NULL);
	s->directory = strdup(directory);
	s->body = calloc(1, sizeof *s->body);
	if (s->directory && s->body && state_file_open(&s->file, directory, why, why_len))
		return s;
	state_close(s, false);
	return NULL;
}

void state_close(struct state *s, bool is_forked)
{
	if (!s)
		return;
	if (!is_forked && s->pid == getpid()) {
		bool is_other;

		if (s->record >= 0 && state_file_check(&s->file, &is_other)) {
			state_file_erase(&s->file, STATE_PROCESS, (unsigned)s->record);
			state_file_unlock(&s->file, STATE_PROCESS, (unsigned)s->record);
		}
		pthread_mutex_destroy(&s->lock);
	}
	state_file_close(&s->file);
	free(s->body);
	free(s->directory);
	free(s);
}

/* The record of an id, or one for it: an empty one, else the oldest. */
static int find_health(const struct state_file *f, const struct state_id *id,
		       struct health_body *found, bool for_writing)
{
	int64_t oldest_ms = INT64_MAX;
	int oldest = -1;

	for (int i = 0; i < STATE_FILE_HEALTH; i++) {
		int64_t written_ms = INT64_MIN;

		if (state_file_read(f, STATE_HEALTH, (unsigned)i, found, sizeof *found)) {
			if (memcmp(&found->id, id, sizeof *id) == 0)
				return i;
			written_ms = found->written_ms;
		}
		if (written_ms < oldest_ms) {
			oldest_ms = written_ms;
			oldest = i;
		}
	}
	return for_writing ? oldest : -1;
}

bool state_health_get(struct state *s, const struct state_id *id, struct state_health *health)
{
	struct health_body body;
	bool found;

	if (is_nobody(id) || !enter(s))
		return false;
	found = find_health(&s->file, id, &body, false) >= 0;
	pthread_mutex_unlock(&s->lock);
	if (!found)
		return false;
	*health = (struct state_health){.is_down = body.is_down != 0,
					.since_ms = body.since_ms,
					.until_ms = body.until_ms,
					.by = (pid_t)body.by};
	copy_text(health->reason, body.reason, sizeof health->reason);
	return true;
}

static void put_locked(struct state *s, const struct health_body *body)
{
	struct health_body found;
	int i = find_health(&s->file, &body->id, &found, true);

	if (i >= 0 && !state_file_write(&s->file, STATE_HEALTH, (unsigned)i, body, sizeof *body))
		complain_errno(s, "cannot be written");
}

void state_health_put(struct state *s, const struct state_id *id, const struct state_health *health)
{
	struct health_body body;

	if (is_nobody(id) || !enter(s))
		return;
	memset(&body, 0, sizeof body);
	body.id = *id;
	body.written_ms = clock_ms();
	body.is_down = health->is_down;
	body.since_ms = health->since_ms;
	body.until_ms = health->until_ms;
	body.by = health->by;
	copy_text(body.reason, health->reason, sizeof body.reason);
	if (state_file_lock(&s->file, STATE_HEALTH, 0, HEALTH_WAIT_MS)) {
		put_locked(s, &body);
		state_file_unlock(&s->file, STATE_HEALTH, 0);
	}
	pthread_mutex_unlock(&s->lock);
}

static uint64_t pid_space(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

/* Field 22 of /proc/PID/stat; 0 when there is no such process, or no /proc. */
static uint64_t started(pid_t pid)
{
	char path[40], line[1024];
	unsigned long long value = 0;
	char *p;
	FILE *file;

	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	p = fgets(line, sizeof line, file);
	fclose(file);
	/* The name, field 2, may hold anything but ends with the last parenthesis. */
	p = p ? strrchr(line, ')') : NULL;
	for (unsigned field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p)
		value = strtoull(p, NULL, 10);
	return value;
}

/* Copies without what lies behind the texts and between the fields. */
static void copy_usage(struct state_usage *to, const struct state_usage *from)
{
	memset(to, 0, sizeof *to);
	copy_text(to->token, from->token, sizeof to->token);
	copy_text(to->member, from->member, sizeof to->member);
	to->id = from->id;
	copy_text(to->state, from->state, sizeof to->state);
	copy_text(to->breaker, from->breaker, sizeof to->breaker);
	copy_text(to->reason, from->reason, sizeof to->reason);
	to->since_ms = from->since_ms;
	to->is_drained = from->is_drained;
	to->sessions = from->sessions;
	to->busy = from->busy;
	to->calls = from->calls;
	to->errors = from->errors;
	memcpy(to->bucket, from->bucket, sizeof to->bucket);
}

/* Fills s->body; how many bytes of it are used. */
static size_t fill(struct state *s, const struct state_process *from)
{
	unsigned count = from->usage_count < STATE_MEMBERS ? from->usage_count : STATE_MEMBERS;
	struct state_process *to = &s->body->process;

	memset(s->body, 0, sizeof *s->body);
	s->body->pid_space = pid_space();
	to->pid = s->pid;
	to->started = from->started ? from->started : started(s->pid);
	copy_text(to->program, from->program, sizeof to->program);
	to->usage_count = count;
	for (unsigned i = 0; i < count; i++)
		copy_usage(&to->usage[i], &from->usage[i]);
	return offsetof(struct process_body, process.usage) + count * sizeof to->usage[0];
}

/* Starts at a place of its own, so that processes do not all try the same ones. */
static bool take_record(struct state *s)
{
	const unsigned first = (unsigned)s->pid % STATE_FILE_PROCESSES;

	for (unsigned i = 0; s->record < 0 && i < STATE_FILE_PROCESSES; i++) {
		unsigned k = (first + i) % STATE_FILE_PROCESSES;

		if (state_file_lock(&s->file, STATE_PROCESS, k, 0))
			s->record = (int)k;
		else if (errno != EAGAIN && errno != EACCES)
			break;
	}
	if (s->record < 0 && (errno == EAGAIN || errno == EACCES))
		errno = EUSERS; /* all are held */
	return s->record >= 0;
}

void state_publish(struct state *s, const struct state_process *process)
{
	size_t len;

	if (!enter(s))
		return;
	len = fill(s, process);
	if (!take_record(s))
		complain_errno(s, "this process gets no record");
	else if (!state_file_write(&s->file, STATE_PROCESS, (unsigned)s->record, s->body, len))
		complain_errno(s, "cannot be written");
	pthread_mutex_unlock(&s->lock);
}

/* What a file says may be anything: texts without an end, truth values that are none. */
static void distrust(struct process_body *body)
{
	struct state_process *p = &body->process;

	p->program[STATE_TEXT - 1] = '\0';
	if (p->usage_count > STATE_MEMBERS)
		p->usage_count = STATE_MEMBERS;
	for (unsigned i = 0; i < STATE_MEMBERS; i++) {
		struct state_usage *u = &p->usage[i];
		unsigned char truth;

		u->token[STATE_TEXT - 1] = '\0';
		u->member[STATE_TEXT - 1] = '\0';
		u->state[sizeof u->state - 1] = '\0';
		u->breaker[sizeof u->breaker - 1] = '\0';
		u->reason[STATE_TEXT - 1] = '\0';
		memcpy(&truth, &u->is_drained, 1);
		u->is_drained = truth != 0;
	}
}

/* Whether a locked record's process is there: not when only a child holds the lock. */
static bool is_alive(const struct process_body *body)
{
	uint64_t space = pid_space();

	return space == 0 || body->pid_space != space || body->process.started == 0 ||
	       started(body->process.pid) == body->process.started;
}

static bool add_file(const struct state_file *f, struct process_body *body, struct buf *found)
{
	for (unsigned i = 0; i < STATE_FILE_PROCESSES; i++) {
		if (!state_file_is_locked(f, STATE_PROCESS, i) ||
		    !state_file_read(f, STATE_PROCESS, i, body, sizeof *body))
			continue;
		distrust(body);
		if (is_alive(body) && !buf_add(found, &body->process, sizeof body->process))
			return false;
	}
	return true;
}

/* What is not a state file, or not to be trusted, is passed over. */
static bool add_directory(DIR *dir, struct process_body *body, struct buf *found)
{
	const struct dirent *entry;
	bool ok = true;

	while (ok && (entry = readdir(dir)) != NULL) {
		const char *end = strchr(entry->d_name, '.');
		struct state_file f;

		if (!end || strcmp(end, ".state") != 0 || end == entry->d_name ||
		    !state_file_view(&f, dirfd(dir), entry->d_name))
			continue;
		ok = add_file(&f, body, found);
		state_file_close(&f);
	}
	return ok;
}

struct state_process *state_processes(const char *directory, size_t *count)
{
	struct process_body *body = calloc(1, sizeof *body);
	struct buf found = {0};
	DIR *dir = opendir(directory);

	/* Without memory the rest is missing; what was read is still true. */
	if (dir && body)
		(void)add_directory(dir, body, &found);
	if (dir)
		closedir(dir);
	free(body);
	*count = found.len / sizeof(struct state_process);
	return (struct state_process *)(void *)found.data;
}
