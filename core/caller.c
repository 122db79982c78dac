/* SPDX-License-Identifier: BSD-2-Clause */
/* The caller: user and group from the process, the executable from /proc/self/exe, the systemd unit
 * from the control group. What hsmux reads about the process that it is loaded into tells honest
 * software apart and stops nothing that the process itself wants to hide.
 *
 * One block for each identity that was seen; they are never freed, as decisions may hold the
 * strings. A process has one, few that change their user have two. */
#include "core/caller.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/describe.h"

/* A name from the system's databases. */
#define NAME_BYTES  256
#define ENTRY_BYTES 16384
/* A path of a control group. */
#define CGROUP_BYTES 1024

struct identity_block {
	struct caller caller;
	unsigned life;                 /* of the process, in which it was read */
	struct identity_block *before; /* read before it */
	char user[NAME_BYTES], group[NAME_BYTES], label[NAME_BYTES], unit[NAME_BYTES];
	char exe[PATH_MAX], cgroup[CGROUP_BYTES];
};

static _Atomic(struct identity_block *) current; /* the one that was found last */
static _Atomic(struct identity_block *) all;     /* every one that was read */
static _Atomic unsigned life;                    /* grows in forked children */

static void read_names(struct identity_block *b)
{
	char *entry = malloc(ENTRY_BYTES);
	struct passwd pw, *user = NULL;
	struct group gr, *group = NULL;

	if (!entry)
		return;
	if (getpwuid_r(b->caller.uid, &pw, entry, ENTRY_BYTES, &user) == 0 && user)
		(void)snprintf(b->user, sizeof b->user, "%s", user->pw_name);
	if (getgrgid_r(b->caller.gid, &gr, entry, ENTRY_BYTES, &group) == 0 && group)
		(void)snprintf(b->group, sizeof b->group, "%s", group->gr_name);
	free(entry);
}

/* The line "0::/path" of cgroup v2, or the named hierarchy of systemd in v1. */
static void read_cgroup(struct identity_block *b)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[CGROUP_BYTES];

	while (f && fgets(line, sizeof line, f)) {
		const char *path = strrchr(line, ':');

		line[strcspn(line, "\n")] = '\0';
		if (!path || (strncmp(line, "0::", 3) != 0 && !strstr(line, ":name=systemd:")))
			continue;
		(void)snprintf(b->cgroup, sizeof b->cgroup, "%s", path + 1);
	}
	if (f)
		(void)fclose(f); /* was only read */
}

/* The innermost part of the path that is a service, a scope or the like. */
static void read_unit(struct identity_block *b)
{
	static const char *const kinds[] = {".service", ".scope", ".socket", ".slice"};
	const char *part = b->cgroup;

	while (*part != '\0') {
		size_t len;

		part += strspn(part, "/");
		len = strcspn(part, "/");
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
			size_t k = strlen(kinds[i]);

			if (len > k && len < sizeof b->unit &&
			    strncmp(part + len - k, kinds[i], k) == 0)
				(void)snprintf(b->unit, sizeof b->unit, "%.*s", (int)len, part);
		}
		part += len;
	}
}

static struct identity_block *read_identity(void)
{
	struct identity_block *b = calloc(1, sizeof *b);
	const char *label = secure_getenv("HSMUX_LABEL");
	ssize_t len;

	if (!b)
		return NULL;
	b->life = atomic_load(&life);
	b->caller = (struct caller){
		.uid = geteuid(),
		.gid = getegid(),
		.user = b->user,
		.group = b->group,
		.exe = b->exe,
		.unit = b->unit,
		.cgroup = b->cgroup,
		.label = b->label,
		.trust = TRUST_PROCESS,
	};
	read_names(b);
	len = readlink("/proc/self/exe", b->exe, sizeof b->exe - 1);
	b->exe[len > 0 ? len : 0] = '\0';
	read_cgroup(b);
	read_unit(b);
	(void)snprintf(b->label, sizeof b->label, "%s", label ? label : "");
	return b;
}

static bool is_it(const struct identity_block *b)
{
	return b->life == atomic_load_explicit(&life, memory_order_relaxed) &&
	       b->caller.uid == geteuid() && b->caller.gid == getegid();
}

/* The block of the present identity: one that is known, or a new one. NULL when memory is out. */
static struct identity_block *find_identity(void)
{
	struct identity_block *first = atomic_load(&all), *b;

	for (b = first; b; b = b->before)
		if (is_it(b))
			return b;
	b = read_identity();
	if (!b)
		return NULL;
	b->before = first;
	while (!atomic_compare_exchange_weak(&all, &b->before, b)) {
	}
	return b;
}

const struct caller *caller_get(bool is_checked)
{
	struct identity_block *b = atomic_load_explicit(&current, memory_order_acquire);

	if (b && b->life == atomic_load_explicit(&life, memory_order_relaxed) &&
	    (!is_checked || is_it(b)))
		return &b->caller;
	b = find_identity();
	if (!b)
		return describe_nobody(); /* memory is out */
	atomic_store_explicit(&current, b, memory_order_release);
	return &b->caller;
}

void caller_forked(void)
{
	atomic_fetch_add(&life, 1);
}
