/* SPDX-License-Identifier: BSD-2-Clause */
/* A member in the output of `hsmux status`, for people and for programs. Texts of other processes
 * are as little believed as those of tokens: they are shown by tool_put(). */
#include "tools/status_print.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/scope.h"
#include "tools/tool.h"

#define TIME_LEN 32
/* JSON has a number for the last class of latency, too. */
#define LATENCY_MAX_US 10000000ULL

/* A wall clock time in UTC; "an unknown time" when it is none. */
static const char *when(long long ms, char text[static TIME_LEN])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (ms <= 0 || !gmtime_r(&seconds, &tm) ||
	    strftime(text, TIME_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return "an unknown time";
	return text;
}

static void print_latency(const struct facts *f, unsigned percent)
{
	long long us = facts_latency_us(f, percent);

	printf(" p%u ", percent);
	if (us < 0)
		putchar('-');
	else if (us == LLONG_MAX)
		fputs("over 10 s", stdout);
	else
		printf("%g ms", (double)us / 1000);
}

/* "down since TIME, breaker open, drained: reason" */
static void print_saying(const struct saying *s)
{
	const struct state_usage *u = s->usage;
	char time[TIME_LEN];

	tool_put(stdout, u->state);
	printf(" since %s, breaker ", when(u->since_ms, time));
	tool_put(stdout, u->breaker);
	if (u->is_drained)
		fputs(u->busy > 0 ? ", draining" : ", drained", stdout);
	if (u->reason[0] != '\0' &&
	    (strcmp(u->state, "up") != 0 || strcmp(u->breaker, "refusing") == 0)) {
		fputs(": ", stdout);
		tool_put(stdout, u->reason);
	}
	putchar('\n');
}

static void print_processes(const struct facts *f)
{
	if (f->count == 0)
		return;
	if (f->agree) {
		printf("    %zu process%s: ", f->count, f->count == 1 ? "" : "es");
		print_saying(&f->sayings[0]);
	}
	for (size_t i = 0; !f->agree && i < f->count; i++) {
		printf("    %ld ", (long)f->sayings[i].process->pid);
		tool_put(stdout, f->sayings[i].process->program);
		fputs(": ", stdout);
		print_saying(&f->sayings[i]);
	}
	printf("    sessions %llu (%llu in use), calls %llu, errors %llu, latency",
	       (unsigned long long)f->sessions, (unsigned long long)f->busy,
	       (unsigned long long)f->calls, (unsigned long long)f->errors);
	print_latency(f, 50);
	print_latency(f, 99);
	putchar('\n');
}

void status_print_member(const struct config *c, const struct member *m, const struct facts *f)
{
	char shown[SETTING_SHOWN_LEN];

	printf("  %s: module %s", m->conf->name, c->modules[m->conf->module].name);
	if (m->conf->token != NULL)
		printf(", token \"%s\"", setting_shown(m->conf->token, shown));
	if (m->conf->serial != NULL)
		printf(", serial %s", setting_shown(m->conf->serial, shown));
	if (m->conf->has_slot)
		printf(", slot %lu", m->conf->slot);
	printf(": %s", facts_state_name(f->state));
	if (f->state == MEMBER_UP && strcmp(f->breaker, "half-open") == 0)
		fputs(", not serving yet", stdout);
	if (f->is_drained)
		fputs(", drained", stdout);
	if (f->state != MEMBER_UP) {
		fputs(": ", stdout);
		tool_put(stdout, f->reason);
	}
	putchar('\n');
	print_processes(f);
}

static void json_saying(struct json *j, const struct saying *s)
{
	char time[TIME_LEN];

	json_object(j, NULL);
	json_number(j, "pid", (unsigned long)s->process->pid);
	json_string(j, "program", s->process->program);
	json_string(j, "state", s->usage->state);
	json_string(j, "reason", s->usage->reason[0] != '\0' ? s->usage->reason : NULL);
	json_string(j, "since", s->usage->since_ms > 0 ? when(s->usage->since_ms, time) : NULL);
	json_string(j, "breaker", s->usage->breaker);
	json_bool(j, "drained", s->usage->is_drained);
	json_number(j, "sessions", s->usage->sessions);
	json_number(j, "in_use", s->usage->busy);
	json_number(j, "calls", s->usage->calls);
	json_number(j, "errors", s->usage->errors);
	json_object_end(j);
}

static void json_latency(struct json *j, const struct facts *f, const char *key, unsigned percent)
{
	long long us = facts_latency_us(f, percent);

	if (us < 0)
		json_string(j, key, NULL);
	else
		json_number(j, key, us == LLONG_MAX ? LATENCY_MAX_US : (unsigned long)us);
}

/* What all processes together did. */
static void json_sums(struct json *j, const struct facts *f)
{
	json_number(j, "sessions", f->sessions);
	json_number(j, "in_use", f->busy);
	json_number(j, "calls", f->calls);
	json_number(j, "errors", f->errors);
	json_object(j, "latency_us");
	json_latency(j, f, "p50", 50);
	json_latency(j, f, "p99", 99);
	json_object_end(j);
	json_list(j, "processes");
	for (size_t i = 0; i < f->count; i++)
		json_saying(j, &f->sayings[i]);
	json_list_end(j);
}

void status_json_member(struct json *j, const struct config *c, const struct member *m,
			const struct facts *f)
{
	char time[TIME_LEN];

	json_object(j, NULL);
	json_string(j, "name", m->conf->name);
	json_string(j, "module", c->modules[m->conf->module].name);
	json_string(j, "library", c->modules[m->conf->module].library);
	json_string(j, "vendor", m->lib->vendor->name);
	json_string(j, "token", m->conf->token);
	json_string(j, "serial", m->conf->serial);
	json_bool(j, "reachable", f->state == MEMBER_UP);
	json_bool(j, "serving", f->is_serving);
	json_string(j, "state", facts_state_name(f->state));
	json_string(j, "reason", f->state == MEMBER_UP ? NULL : f->reason);
	json_string(j, "since", f->since_ms > 0 ? when(f->since_ms, time) : NULL);
	json_string(j, "breaker", f->breaker);
	json_bool(j, "drained", f->is_drained);
	json_sums(j, f);
	json_object_end(j);
}
