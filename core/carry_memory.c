/* SPDX-License-Identifier: BSD-2-Clause */
/* Which ways were found to work between which makes: in the process, and in the journal directory,
 * file `routes`:
 *
 *   MAKE <TAB> MAKE <TAB> KIND <TAB> OUT IN
 *
 * MAKE is what a token says of itself, "manufacturer/model/firmware/library"; OUT and IN are
 * mechanisms in hexadecimal. A line counts if and only if it begins with the pair that is looked
 * for and ends with a way of carry_ways.c; of several the first one.
 *
 * Everything here only says what is tried first. Every copy is proven, so that who writes a lie
 * into the file costs time; and what is damaged is found out anew. */
#include "core/carry_memory.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/library.h"
#include "core/state.h"
#include "core/state_file.h"
#include "core/state_list.h"

#define LIST_NAME "routes"
/* Pairs of a process: two ways for each kind between some makes. One more is not remembered. */
#define PAIRS 64

struct known {
	char pair[CARRY_PAIR];
	int way;
};

static struct {
	pthread_mutex_t lock; /* guards the rest; nothing else is taken while it is held */
	struct known *known[PAIRS];
	size_t count;
} memory = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *const kinds[] = {
	[CARRY_SECRET] = "secret", [CARRY_RSA] = "rsa", [CARRY_EC] = "ec"};

/* A field of a token without its padding; what would break a line is replaced. */
static void add_field(char *out, size_t size, const CK_UTF8CHAR *field, size_t len)
{
	size_t at = strlen(out);

	while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\0'))
		len--;
	for (size_t i = 0; i < len && at + 2 < size; i++)
		out[at++] = field[i] < 0x20 || field[i] == 0x7f || field[i] == '/' ? '?'
										   : (char)field[i];
	out[at] = '\0';
}

/* Bytes of a make: two fields, two versions, three slashes. */
#define MAKE_ROOM 96

static bool make_of(struct member *m, char make[static MAKE_ROOM])
{
	CK_TOKEN_INFO token;
	CK_VERSION lib;
	size_t at;

	if (!member_token_info(m, &token))
		return false;
	pthread_mutex_lock(&m->lib->lock);
	lib = m->lib->info.libraryVersion;
	pthread_mutex_unlock(&m->lib->lock);
	make[0] = '\0';
	add_field(make, MAKE_ROOM, token.manufacturerID, sizeof token.manufacturerID);
	at = strlen(make);
	(void)snprintf(make + at, MAKE_ROOM - at, "/"); /* fits, as the rest */
	add_field(make, MAKE_ROOM, token.model, sizeof token.model);
	at = strlen(make);
	(void)snprintf(make + at, MAKE_ROOM - at, "/%u.%u/%u.%u", token.firmwareVersion.major,
		       token.firmwareVersion.minor, lib.major, lib.minor);
	return true;
}

bool carry_pair(struct member *from, struct member *to, enum carry_kind kind,
		char pair[static CARRY_PAIR])
{
	char a[MAKE_ROOM], b[MAKE_ROOM];

	if (!make_of(from, a) || !make_of(to, b))
		return false;
	(void)snprintf(pair, CARRY_PAIR, "%s\t%s\t%s", a, b, kinds[kind]); /* fits */
	return true;
}

static bool find_here(const char *pair, int *way)
{
	bool found = false;

	pthread_mutex_lock(&memory.lock);
	for (size_t i = 0; i < memory.count && !found; i++) {
		found = strcmp(memory.known[i]->pair, pair) == 0;
		if (found)
			*way = memory.known[i]->way;
	}
	pthread_mutex_unlock(&memory.lock);
	return found;
}

static void put_here(const char *pair, int way)
{
	struct known *k = NULL;

	pthread_mutex_lock(&memory.lock);
	for (size_t i = 0; i < memory.count && !k; i++)
		if (strcmp(memory.known[i]->pair, pair) == 0)
			k = memory.known[i];
	if (!k && memory.count < PAIRS) {
		k = calloc(1, sizeof *k);
		if (k)
			memory.known[memory.count++] = k;
	}
	if (k) {
		(void)snprintf(k->pair, sizeof k->pair, "%s", pair); /* fits */
		k->way = way;
	}
	pthread_mutex_unlock(&memory.lock);
}

void carry_memory_forget(bool is_forked)
{
	if (is_forked) /* what a thread of the parent was changing is left alone */
		pthread_mutex_init(&memory.lock, NULL);
	for (size_t i = 0; !is_forked && i < memory.count; i++)
		free(memory.known[i]);
	memset(memory.known, 0, sizeof memory.known);
	memory.count = 0;
}

static int open_dir(const struct config *conf, bool create)
{
	char path[STATE_PATH], why[256]; /* cut: who needs it opens the directory, too */

	if (conf->state_journal)
		(void)snprintf(path, sizeof path, "%s", conf->state_journal);
	else if (!state_directory(conf->state_directory, path, sizeof path))
		return -1;
	return state_dir_open(path, create, why, sizeof why);
}

/* The line of the pair in the list: what stands behind it. NULL when there is none. */
static const char *line_of(const struct buf *list, const char *pair, size_t *len)
{
	const char *at = (const char *)list->data, *end = at + list->len;
	const size_t n = strlen(pair);

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			return NULL; /* half a line */
		if ((size_t)(stop - at) > n && memcmp(at, pair, n) == 0 && at[n] == '\t') {
			*len = (size_t)(stop - at) - n - 1;
			return at + n + 1;
		}
		at = stop + 1;
	}
	return NULL;
}

static bool parse(const char *text, size_t len, int *way)
{
	char line[64], end;
	unsigned long out, in;

	if (len >= sizeof line)
		return false;
	memcpy(line, text, len);
	line[len] = '\0';
	if (sscanf(line, "0x%lx 0x%lx%c", &out, &in, &end) != 2)
		return false;
	*way = carry_way_find(out, in);
	return *way != CARRY_NO_WAY;
}

static bool find_there(const struct config *conf, const char *pair, int *way)
{
	int dir = open_dir(conf, false);
	struct buf list = {0};
	const char *rest = NULL;
	size_t len = 0;
	bool found;

	if (dir < 0)
		return false;
	if (!state_list_read(dir, LIST_NAME, &list) && list.len > 0)
		rest = line_of(&list, pair, &len);
	close(dir);
	found = rest && parse(rest, len, way);
	buf_free(&list);
	return found;
}

/* The list without the pair, and with its new line. */
static bool renew(const struct buf *from, const char *pair, int way, struct buf *to)
{
	const struct carry_way *w = carry_way((unsigned)way);
	const char *at = (const char *)from->data, *end = at + from->len;
	const size_t n = strlen(pair);

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			break;
		if (((size_t)(stop - at) <= n || memcmp(at, pair, n) != 0 || at[n] != '\t') &&
		    !buf_add(to, at, (size_t)(stop - at) + 1))
			return false;
		at = stop + 1;
	}
	return buf_printf(to, "%s\t0x%lx 0x%lx\n", pair, w->out, w->in);
}

static const char *put_there(int dir, const char *pair, int way)
{
	struct buf old = {0}, new = {0};
	const char *wrong = NULL;

	if (!state_list_lock(dir))
		wrong = strerror(errno);
	else if (state_list_read(dir, LIST_NAME, &old))
		old.len = 0; /* begun anew */
	if (!wrong && !renew(&old, pair, way, &new))
		wrong = "not enough memory";
	if (!wrong && !state_list_replace(dir, LIST_NAME, &new))
		wrong = strerror(errno);
	buf_free(&new);
	buf_free(&old);
	return wrong;
}

bool carry_memory_find(const struct config *conf, const char *pair, int *way)
{
	if (find_here(pair, way))
		return true;
	if (!find_there(conf, pair, way))
		return false;
	put_here(pair, *way);
	return true;
}

void carry_memory_put(const struct config *conf, const char *pair, int way)
{
	static struct log_limit limit;
	const char *wrong;
	int dir;

	put_here(pair, way);
	if (way == CARRY_NO_WAY)
		return;
	dir = open_dir(conf, true);
	wrong = dir >= 0 ? put_there(dir, pair, way) : "the directory cannot be used";
	if (dir >= 0)
		close(dir); /* and with it the lock */
	if (wrong)
		log_limited(&limit, LOG_LEVEL_WARN,
			    "list of routes between members: %s: they are tried anew each time",
			    wrong);
}
