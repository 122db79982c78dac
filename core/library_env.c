/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays that stand in for `environ` are kept for the life of the process, as readers may still be
 * in them, and used again for the same contents: in practice there is one per module. */
#include "core/library_env.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* One environment with a module's variables in it. */
struct stand_in {
	struct stand_in *next;
	size_t size;   /* entries with the NULL at the end */
	char **built;  /* as it was built: shows what others changed */
	char *entry[]; /* what `environ` points to */
};

/* A string "NAME=value" that was in an environment. */
struct variable {
	struct variable *next;
	char text[];
};

/* All guarded by `lock`, which is held from enter to leave. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct stand_in *stand_ins;
static struct variable *variables;
static struct stand_in *current; /* NULL when the environment is the application's */
static char **before;
static char **replaced; /* for each of the module's variables the entry that it hides, or NULL */

static bool is_named(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static char *entry_of(char **env, const char *name)
{
	for (; env && *env; env++)
		if (is_named(*env, name))
			return *env;
	return NULL;
}

/* The kept string "name=value"; NULL when memory is out. */
static char *variable(const char *name, const char *value)
{
	size_t name_len = strlen(name), len = name_len + strlen(value) + 2;
	struct variable *v;

	for (v = variables; v; v = v->next)
		if (is_named(v->text, name) && strcmp(v->text + name_len + 1, value) == 0)
			return v->text;
	v = malloc(sizeof *v + len);
	if (!v)
		return NULL;
	memcpy(v->text, name, name_len);
	v->text[name_len] = '=';
	memcpy(v->text + name_len + 1, value, len - name_len - 1);
	v->next = variables;
	variables = v;
	return v->text;
}

static bool is_set_by(const struct config_module *conf, const char *entry)
{
	for (size_t i = 0; i < conf->env_count; i++)
		if (is_named(entry, conf->env[i].name))
			return true;
	return false;
}

/* The environment now with the module's variables, not in the list yet; NULL when memory is out. */
static struct stand_in *build(const struct config_module *conf)
{
	struct stand_in *s;
	size_t room = conf->env_count + 1, n = 0;

	for (char **e = environ; e && *e; e++)
		room++;
	s = calloc(1, sizeof *s + 2 * room * sizeof *s->entry);
	if (!s)
		return NULL;
	for (size_t i = 0; i < conf->env_count; i++) {
		s->entry[n] = variable(conf->env[i].name, conf->env[i].value);
		if (!s->entry[n++]) {
			free(s);
			return NULL;
		}
	}
	for (char **e = environ; e && *e && n + 1 < room; e++)
		if (!is_set_by(conf, *e))
			s->entry[n++] = *e;
	s->size = n + 1;
	s->built = s->entry + room;
	memcpy(s->built, s->entry, s->size * sizeof *s->entry);
	return s;
}

static bool is_untouched(const struct stand_in *s)
{
	return memcmp(s->entry, s->built, s->size * sizeof *s->entry) == 0;
}

/* The kept one with these contents, or this one, kept from now on. */
static struct stand_in *keep(struct stand_in *s)
{
	for (struct stand_in *old = stand_ins; old; old = old->next) {
		if (old->size == s->size && is_untouched(old) &&
		    memcmp(old->built, s->built, s->size * sizeof *s->entry) == 0) {
			free(s);
			return old;
		}
	}
	s->next = stand_ins;
	stand_ins = s;
	return s;
}

static void point_to(char **env)
{
	__atomic_store_n(&environ, env, __ATOMIC_RELEASE);
}

bool library_env_enter(const struct config_module *conf)
{
	struct stand_in *s;

	if (conf->env_count == 0)
		return true;
	pthread_mutex_lock(&lock);
	replaced = calloc(conf->env_count, sizeof *replaced);
	s = replaced ? build(conf) : NULL;
	if (!s) {
		free(replaced);
		pthread_mutex_unlock(&lock);
		return false;
	}
	for (size_t i = 0; i < conf->env_count; i++)
		replaced[i] = entry_of(environ, conf->env[i].name);
	before = environ;
	current = keep(s);
	point_to(current->entry);
	return true;
}

/* Others changed the environment meanwhile: what they did stays, what is the module's goes. The
 * array from before may be gone by then (setenv(3) extends the one that it made last); strings
 * never go. */
static void take_out(const struct config_module *conf)
{
	for (size_t i = 0; i < conf->env_count; i++) {
		const char *name = conf->env[i].name;

		if (entry_of(environ, name) != variable(name, conf->env[i].value))
			continue; /* changed or removed by others */
		if (replaced[i])
			(void)setenv(name, replaced[i] + strlen(name) + 1,
				     1); /* had this value a moment ago */
		else
			(void)unsetenv(name);
	}
}

void library_env_leave(const struct config_module *conf)
{
	if (conf->env_count == 0)
		return;
	if (environ == current->entry && is_untouched(current))
		point_to(before);
	else
		take_out(conf);
	current = NULL;
	free(replaced);
	pthread_mutex_unlock(&lock);
}

void library_env_forget_parent(void)
{
	pthread_mutex_init(&lock, NULL);
	if (current && environ == current->entry)
		point_to(before);
	current = NULL;
}
