/* SPDX-License-Identifier: BSD-2-Clause */
/* Random sequences of what applications do to a virtual token that replicates, while members fail,
 * go away and come back and processes are killed, against a model of what they were told:
 *
 *   replicate_random MODULE TOKEN LIBRARY RULE SEED ROUNDS MEMBER MEMBER MEMBER
 *
 * LIBRARY is the members' own, SoftHSM2; RULE that of the configuration; a MEMBER the folder of a
 * fault token, named as its token. In the folder TMPDIR are `pin` and `journal`. BALANCED in the
 * environment: the same configuration in mode "balanced".
 *
 * A round is a few lives of applications, one or two at a time, each of some steps
 * (replicate_random_step.c), with `hsmux key sync` now and then in between; one of the applications
 * changes what is wrong with the members (replicate_random_harm.c). What is acknowledged has to be
 * seen, and be usable, at any time that the rule promises: under `all` while one member is there,
 * under `majority` while two are, under `first` while nothing is wrong. At the end of a round
 * nothing is wrong any more: a process logs in, and when all members serve, everything is as the
 * last application was told, what failed was done or was not, on all members, and nothing is left
 * to do: each member is read by its own library, hsmux key compare has nothing to say, and the
 * journal is empty.
 *
 * The same seed is the same sequence, as far as processes at once allow. */
#include "tests/scenario/replicate_random.h"

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/scenario/faulty.h"

/* No process takes so long, unless it hangs. */
#define PATIENCE_S 120U

struct run {
	const char *module, *token, *library;
	char name[MEMBERS][32];
	char conf[MEMBERS][256]; /* of SoftHSM2 */
	unsigned rounds;
	struct world *world;
	struct lane fate; /* chooses what is nobody's in particular */
};

unsigned any(struct lane *lane, unsigned n)
{
	lane->random ^= lane->random << 13;
	lane->random ^= lane->random >> 7;
	lane->random ^= lane->random << 17;
	return (unsigned)(lane->random >> 11) % n;
}

void wrong(struct world *w, const char *fmt, ...)
{
	va_list args;

	if (atomic_exchange(&w->is_wrong, true))
		return;
	printf("seed %lu, step %u: ", w->seed, atomic_load(&w->step));
	va_start(args, fmt);
	(void)vprintf(fmt, args);
	va_end(args);
	printf("\n");
	(void)fflush(stdout);
}

/* Runs a part in a process of its own, and does not wait. */
static pid_t begin(struct run *r, void (*part)(struct run *r, unsigned n), unsigned n)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid != 0) {
		CHECK(pid > 0);
		return pid;
	}
	(void)alarm(PATIENCE_S);
	part(r, n);
	(void)fflush(stdout);
	_exit(0);
}

static void end(struct run *r, pid_t pid, const char *what)
{
	int status = 0;

	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
	    atomic_load(&r->world->may_be_killed))
		fprintf(stderr, "= step %u: %s was killed\n", atomic_load(&r->world->step), what);
	else if (WIFSIGNALED(status))
		wrong(r->world, "%s ended by signal %d%s", what, WTERMSIG(status),
		      WTERMSIG(status) == SIGALRM ? ": it hung" : "");
	else if (WEXITSTATUS(status) != 0)
		wrong(r->world, "%s failed, see below", what);
}

static bool enter(struct run *r, struct actor *a)
{
	CK_BYTE pin[] = APP_PIN;
	CK_RV rv;

	*a = (struct actor){.world = r->world};
	app_load(&a->app, r->module);
	app_init(&a->app);
	if (!app_sees(&a->app, r->token, true)) { /* no member could be had */
		if (atomic_load(&r->world->was_calm))
			wrong(r->world, "the token is not there");
		return false;
	}
	a->session = app_open(&a->app, r->token);
	rv = a->app.f->C_Login(a->session, CKU_USER, pin, sizeof(pin) - 1);
	if (rv != CKR_OK && atomic_load(&r->world->was_calm))
		wrong(r->world, "C_Login gave 0x%lx", rv);
	return rv == CKR_OK;
}

/* An application's life. One that may be killed does nothing else to the members: while one comes
 * back SoftHSM2 may be writing, and what it is writing then is lost. */
static void live(struct run *r, unsigned lane)
{
	struct actor a;
	unsigned steps;
	bool may_be_killed;

	if (!enter(r, &a))
		return;
	a.lane = &r->world->lane[lane];
	steps = 5 + any(a.lane, 10);
	may_be_killed = any(a.lane, 3) == 0;
	if (lane == 0 && may_be_killed)
		harm_callers(r->world, a.lane);
	for (unsigned i = 0; i < steps && !atomic_load(&r->world->is_wrong); i++) {
		if (lane == 0 && !may_be_killed && any(a.lane, 4) == 0)
			harm_any(r->world, a.lane);
		step_take(&a);
	}
	/* Who ends without it is killed, as far as members are concerned. */
	if (any(a.lane, 4) > 0 || !atomic_load(&r->world->was_calm))
		(void)a.app.f->C_Finalize(NULL); /* a member may be away */
}

/* hsmux key compare, or sync. */
static void tool(struct run *r, unsigned is_compare)
{
	const char *command = getenv("HSMUX_TEST_COMMAND");
	char pin[300];

	(void)snprintf(pin, sizeof(pin), "file:%s/pin", getenv("TMPDIR"));
	CHECK(dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO);
	(void)execl(command, command, "key", is_compare ? "compare" : "sync", r->token,
		    "--pin-source", pin, (char *)NULL);
	_exit(126);
}

static void sync_now(struct run *r)
{
	const bool was_calm = atomic_load(&r->world->was_calm);
	int status = 0;
	pid_t pid;

	fprintf(stderr, "= step %u: hsmux key sync\n", atomic_load(&r->world->step));
	pid = begin(r, tool, 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		wrong(r->world, "hsmux key sync ended by signal %d", WTERMSIG(status));
	else if (was_calm && status != 0)
		wrong(r->world, "hsmux key sync failed, and nothing is wrong with any member");
}

/* Whether a member that was down serves this process again: hsmux itself never digests there. What
 * other processes found down is not tried for a moment. In mode "balanced" each has its turn. */
static bool digests(const struct actor *a, unsigned member, unsigned long before)
{
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
	CK_BYTE in[] = "digested", out[32];
	CK_ULONG len = sizeof(out);
	CK_RV rv = a->app.f->C_DigestInit(a->session, &sha256);

	if (rv == CKR_OK)
		(void)a->app.f->C_Digest(a->session, in, sizeof(in), out, &len);
	return tally_read(a->world->stats[member], "C_Digest").good > before;
}

/* Until all serve; PATIENCE_S ends it. */
static void await_members(const struct actor *a)
{
	for (unsigned i = 0; i < MEMBERS; i++) {
		const unsigned long before = tally_read(a->world->stats[i], "C_Digest").good;

		while (!digests(a, i, before))
			(void)usleep(500);
	}
}

/* The application after which nothing is in doubt any more. */
static void agree(struct run *r, unsigned n)
{
	struct actor a;

	(void)n;
	CHECK(setenv("HSMUX_CONF", getenv("BALANCED"), 1) == 0);
	while (!enter(r, &a)) {
		(void)a.app.f->C_Finalize(NULL);
		(void)usleep(10000);
	}
	await_members(&a);
	for (unsigned k = 0; k < LANES; k++)
		for (unsigned i = 0; i < r->world->lane[k].count; i++)
			thing_settle(&a, &r->world->lane[k], &r->world->lane[k].things[i]);
	OK(a.app.f->C_Finalize(NULL));
}

/* What hsmux has on every member. */
static bool stays(const char *label)
{
	return strncmp(label, "hsmux-kek", 9) == 0 || strcmp(label, "hsmux-canary") == 0;
}

static void enter_member(struct run *r, unsigned n, struct actor *a)
{
	*a = (struct actor){.world = r->world};
	CHECK(setenv("SOFTHSM2_CONF", r->conf[n], 1) == 0);
	app_load(&a->app, r->library);
	app_init(&a->app);
	a->session = app_enter(&a->app, r->name[n]);
}

/* Reads the label of every object, and calls `each`. */
static void each_object(const struct actor *a, void *data,
			void (*each)(const struct actor *a, CK_OBJECT_HANDLE object,
				     const char *label, void *data))
{
	static CK_OBJECT_HANDLE found[4096];
	CK_ULONG count = 0;

	OK(a->app.f->C_FindObjectsInit(a->session, NULL, 0));
	OK(a->app.f->C_FindObjects(a->session, found, 4096, &count));
	OK(a->app.f->C_FindObjectsFinal(a->session));
	for (CK_ULONG i = 0; i < count; i++) {
		char label[64] = "";
		CK_ATTRIBUTE name = {CKA_LABEL, label, sizeof(label) - 1};

		(void)a->app.f->C_GetAttributeValue(a->session, found[i], &name, 1);
		each(a, found[i], label, data);
	}
}

static void destroy_one(const struct actor *a, CK_OBJECT_HANDLE object, const char *label, void *p)
{
	(void)p;
	if (!stays(label))
		OK(a->app.f->C_DestroyObject(a->session, object));
}

static void clean(struct run *r, unsigned n)
{
	struct actor a;

	enter_member(r, n, &a);
	each_object(&a, NULL, destroy_one);
	OK(a.app.f->C_Finalize(NULL));
}

/* Of one member. */
struct counted {
	const char *member;
	unsigned objects; /* of applications */
};

static void count_one(const struct actor *a, CK_OBJECT_HANDLE object, const char *label, void *data)
{
	static char text[4096];
	struct counted *c = data;
	CK_ATTRIBUTE value = {CKA_VALUE, text, sizeof(text) - 1};

	if (stays(label))
		return;
	if (sight_is_stillborn(a, object, label)) {
		OK(a->app.f->C_DestroyObject(a->session, object));
		return;
	}
	if (strncmp(label, "hsmux-", 6) != 0) {
		fprintf(stderr, "= member %s has \"%s\"\n", c->member, label);
		c->objects++;
		return;
	}
	memset(text, 0, sizeof(text));
	(void)a->app.f->C_GetAttributeValue(a->session, object, &value, 1);
	if (strncmp(label, "hsmux-k-", 8) != 0)
		wrong(a->world, "member %s: \"%s\" was left", c->member, label);
	else if (strstr(text, "\nstate destroyed\n") || strstr(text, "\nowed "))
		wrong(a->world, "member %s: something is to be done yet:\n%s", c->member, text);
}

/* As the member has it: nobody can read it, or wrap it away who is not allowed to. */
static const char *guard_fault(const struct actor *a, const struct thing *t)
{
	CK_BBOOL sensitive = CK_FALSE, extractable = CK_TRUE, trusted = CK_FALSE;
	CK_ATTRIBUTE guards[] = {{CKA_SENSITIVE, &sensitive, sizeof(sensitive)},
				 {CKA_EXTRACTABLE, &extractable, sizeof(extractable)},
				 {CKA_WRAP_WITH_TRUSTED, &trusted, sizeof(trusted)}};
	CK_OBJECT_HANDLE object;
	unsigned count;

	if (t->kind != KIND_AES && t->kind != KIND_SECRET && t->kind != KIND_PRIVATE)
		return NULL;
	OK(thing_find(a, t->kind, t->now.label, &count, &object));
	OK(a->app.f->C_GetAttributeValue(a->session, object, guards, 3));
	if (!sensitive)
		return "can be read";
	return !t->now.extractable && extractable && !trusted ? "can be wrapped by anybody" : NULL;
}

static const char *member_fault(const struct actor *a, const struct lane *lane,
				const struct thing *t)
{
	const char *words;
	struct sight s;

	sight_take(a, t->kind, t->now.label, thing_point(lane, t), &s);
	if (t->being != BEING_THERE)
		return s.count > 0 ? "was destroyed, and is there" : NULL;
	words = sight_fault(&s, t, &t->now, false);
	return words ? words : guard_fault(a, t);
}

/* A member has what the application sees, and nothing else. */
static void look_at(struct run *r, unsigned n)
{
	struct counted c = {.member = r->name[n]};
	unsigned expected = 0;
	struct actor a;

	enter_member(r, n, &a);
	for (unsigned k = 0; k < LANES; k++) {
		const struct lane *lane = &r->world->lane[k];

		for (unsigned i = 0; i < lane->count; i++) {
			const struct thing *t = &lane->things[i];
			const char *words = member_fault(&a, lane, t);

			if (words)
				wrong(r->world, "member %s: %s \"%s\" %s", r->name[n],
				      kind_name(t->kind), t->now.label, words);
			expected += t->being == BEING_THERE;
		}
	}
	each_object(&a, &c, count_one);
	if (c.objects != expected)
		wrong(r->world, "member %s has %u objects, and should have %u", r->name[n],
		      c.objects, expected);
	OK(a.app.f->C_Finalize(NULL));
}

/* Files of the journal: looked at, or taken away. */
static void journal(struct run *r, bool removes)
{
	char folder[300], path[600];
	struct dirent *e;
	DIR *d;

	(void)snprintf(folder, sizeof(folder), "%s/journal", getenv("TMPDIR"));
	d = opendir(folder);
	CHECK(d != NULL);
	while ((e = readdir(d)) != NULL) {
		FILE *f;

		if (!strstr(e->d_name, ".journal"))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (removes) {
			CHECK(unlink(path) == 0);
			continue;
		}
		f = fopen(path, "re");
		CHECK(f && fseek(f, 0, SEEK_END) == 0);
		if (ftell(f) != 0 || strstr(e->d_name, ".damaged"))
			wrong(r->world, "the journal is not empty: %s", e->d_name);
		(void)fclose(f);
	}
	(void)closedir(d);
}

static void round_begins(struct run *r)
{
	const unsigned lives = 1 + any(&r->fate, 3);

	r->world->victim = any(&r->fate, MEMBERS);
	for (unsigned i = 0; i < lives && !atomic_load(&r->world->is_wrong); i++) {
		const bool are_two = any(&r->fate, 3) == 0;
		pid_t pid[LANES];

		pid[0] = begin(r, live, 0);
		if (are_two)
			pid[1] = begin(r, live, 1);
		end(r, pid[0], "the first application");
		if (are_two)
			end(r, pid[1], "the second application");
		if (any(&r->fate, 4) == 0)
			sync_now(r);
	}
}

static void round_ends(struct run *r)
{
	harm_none(r->world);
	fprintf(stderr, "= step %u: all members are back\n", atomic_load(&r->world->step));
	end(r, begin(r, agree, 0), "the application that logs in at last");
	for (unsigned i = 0; i < MEMBERS && !atomic_load(&r->world->is_wrong); i++)
		end(r, begin(r, look_at, i), "who looks at a member");
	if (!atomic_load(&r->world->is_wrong))
		end(r, begin(r, tool, 1), "hsmux key compare");
	if (!atomic_load(&r->world->is_wrong))
		journal(r, false);
	atomic_store(&r->world->was_calm, true);
}

static void read_arguments(struct run *r, char **argv)
{
	static const char *const rules[] = {"all", "majority", "first"};

	r->module = argv[1];
	r->token = argv[2];
	r->library = argv[3];
	r->rounds = (unsigned)strtoul(argv[6], NULL, 10);
	r->world = mmap(NULL, sizeof(*r->world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	CHECK(r->world != MAP_FAILED);
	while (strcmp(rules[r->world->rule], argv[4]) != 0)
		CHECK(++r->world->rule <= RULE_FIRST);
	r->world->seed = strtoul(argv[5], NULL, 10);
	r->fate.random = r->world->seed * 0x9e3779b97f4a7c15U + 1;
	for (unsigned i = 0; i < LANES; i++)
		r->world->lane[i].random = r->fate.random ^ (0xabcdefU << (8 * i));
	for (unsigned i = 0; i < MEMBERS; i++) {
		const char *folder = argv[7 + i], *name = strrchr(folder, '/');

		CHECK(name != NULL);
		(void)snprintf(r->name[i], sizeof(r->name[i]), "%s", name + 1);
		(void)snprintf(r->world->plan[i], sizeof(r->world->plan[i]), "%s/plan", folder);
		(void)snprintf(r->world->stats[i], sizeof(r->world->stats[i]), "%s/stats", folder);
		(void)snprintf(r->world->faulty[i], sizeof(r->world->faulty[i]),
			       "?"); /* of the run before this one */
		(void)snprintf(r->conf[i], sizeof(r->conf[i]), "%s/real/softhsm2.conf", folder);
	}
}

/* What hsmux logs, and the steps, go to a file: all processes write at its end, line by line. */
static void log_to_file(void)
{
	char said[300];
	FILE *f;

	(void)snprintf(said, sizeof(said), "%s/said", getenv("TMPDIR"));
	f = fopen(said, "we");
	CHECK(f && fclose(f) == 0 && freopen(said, "a", stderr) != NULL);
	(void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
}

int main(int argc, char **argv)
{
	static struct run r;

	if (argc != 7 + (int)MEMBERS) {
		fprintf(stderr,
			"usage: %s MODULE TOKEN LIBRARY RULE SEED ROUNDS MEMBER MEMBER MEMBER\n",
			argv[0]);
		return 2;
	}
	read_arguments(&r, argv);
	log_to_file();
	harm_none(r.world);
	for (unsigned i = 0; i < MEMBERS; i++)
		end(&r, begin(&r, clean, i), "who cleans a member");
	journal(&r, true);
	atomic_store(&r.world->was_calm, true);
	for (unsigned i = 0; i < r.rounds && !atomic_load(&r.world->is_wrong); i++) {
		round_begins(&r);
		if (!atomic_load(&r.world->is_wrong))
			round_ends(&r);
	}
	printf("seed %lu: %u steps, %lu of %lu changes done%s\n", r.world->seed,
	       atomic_load(&r.world->step), atomic_load(&r.world->done),
	       atomic_load(&r.world->acted), atomic_load(&r.world->is_wrong) ? ", wrong" : "");
	return atomic_load(&r.world->is_wrong) ? 1 : 0;
}
