/* SPDX-License-Identifier: BSD-2-Clause */
/* One application over a virtual token that loses members, as a list of steps:
 *
 *   failover MODULE LABEL KEYS STEP ARGUMENT...
 *
 * KEYS is the folder of the set of keys that the members hold (keys.c).
 *
 *   start PIN          C_Initialize, a session, login ("-": none), all things of the set are found
 *   stop X             C_Finalize
 *   op NAME            the operation succeeds and its result is right; `all`: each of them
 *   fails NAME=CODE    it fails with that code; CODE "any": with any
 *   again NAME         it succeeds within LIMIT_MS
 *   served STATS       digests until that reaches the member with these counters: it serves
 *   within MS          the next step takes no longer
 *   found X            all things are found, with the handles that they had
 *   forget X           handles are found anew
 *   run COMMAND        a shell command that has to succeed
 *   plan FILE=TEXT     a plan for a fault token; "|" in it begins a new line
 *   login PIN=CODE     C_Login answers this; logout CODE
 *   open N             N more sessions;  use NAME: the operation on each of them
 *   fork NAME          a child initialises and does the operation; then so does the parent
 *   verdict NAME=CODE  wrong-signature wrong-padding wrong-tag wrong-length: the answer is this
 *   generate CODE      what C_GenerateKey for a token key answers
 *   make WAY=CODE      what making a token object answers; see failover_make.c
 *   matrix PLAN,STATS,OTHER_STATS,CODE   see failover_matrix.c
 *   load THREADS,ROUNDS COMMAND...       see failover_load.c; always the last step */
#include "tests/scenario/failover.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/names.h"

#define LIMIT_MS     20000
#define SESSIONS_MAX 10000

static struct world world;
static struct seat seat;
static char pin[64];
static CK_SESSION_HANDLE more[SESSIONS_MAX];
static unsigned more_count;

/* One kind of step. */
struct step {
	const char *name;
	void (*run)(char *argument);
};

static CK_RV code_of(const char *name)
{
	CK_ULONG code = 0;

	if (name_value(NAME_RV, name, &code))
		return code;
	fprintf(stderr, "no code %s\n", name);
	exit(2);
}

/* Splits NAME=REST at the first "="; the rest. */
static char *split(char *argument)
{
	char *at = strchr(argument, '=');

	CHECK(at != NULL);
	*at = '\0';
	return at + 1;
}

static void expect_code(const char *what, CK_RV rv, const char *wanted)
{
	char spare[NAME_MAX_LEN];

	if (strcmp(wanted, "any") == 0 ? rv != CKR_OK : rv == code_of(wanted))
		return;
	fprintf(stderr, "%s: %s, expected %s\n", what, name_of(NAME_RV, rv, spare), wanted);
	exit(1);
}

static CK_RV log_in(const char *with)
{
	unsigned char copy[64];
	size_t len = strlen(with);

	memcpy(copy, with, len);
	return world.app.f->C_Login(seat.session, CKU_USER, copy, len);
}

static void open_and_find(const char *with)
{
	app_init(&world.app);
	world.slot = app_slot(&world.app, world.label);
	seat = (struct seat){.world = &world, .session = app_open(&world.app, world.label)};
	more_count = 0;
	(void)snprintf(pin, sizeof(pin), "%s", with);
	if (strcmp(with, "-") != 0) {
		OK(log_in(with));
		OK(world_find(&world, seat.session, world.things));
	}
}

static void step_start(char *with)
{
	open_and_find(with);
}

static void step_stop(char *unused)
{
	(void)unused;
	OK(world.app.f->C_Finalize(NULL));
}

static void must(struct seat *on, const struct op *op)
{
	CK_RV rv = op_run(on, op);

	if (rv == CKR_OK)
		return;
	fprintf(stderr, "%s: 0x%lx\n", op->name, rv);
	exit(1);
}

/* NAME, or all of them. */
static void do_ops(struct seat *on, const char *name)
{
	unsigned count = 0;

	if (strcmp(name, "all") != 0) {
		must(on, op_named(name));
		return;
	}
	for (const struct op *op = op_next(&world, NULL); op; op = op_next(&world, op), count++)
		must(on, op);
	CHECK(count > 0);
}

static void step_op(char *name)
{
	do_ops(&seat, name);
}

static void step_fails(char *name)
{
	const char *wanted = split(name);

	expect_code(name, op_run(&seat, op_named(name)), wanted);
}

static void step_again(char *name)
{
	const struct op *op = op_named(name);
	long long end = now_ms() + LIMIT_MS;

	while (op_run(&seat, op) != CKR_OK) {
		CHECK(now_ms() < end);
		(void)usleep(20000);
	}
}

static void step_served(char *stats_file)
{
	wait_until_served(&seat, stats_file);
}

static void step_found(char *unused)
{
	(void)unused;
	must(&seat, op_named("find"));
}

static void step_forget(char *unused)
{
	(void)unused;
	OK(world_find(&world, seat.session, world.things));
}

static void step_run(char *command)
{
	CHECK(system(command) == 0);
}

static void step_plan(char *file)
{
	char *text = split(file);

	for (char *at = text; *at; at++)
		if (*at == '|')
			*at = '\n';
	plan_write(file, text);
}

static void step_login(char *with)
{
	const char *wanted = split(with);

	expect_code("C_Login", log_in(with), wanted);
}

static void step_logout(char *wanted)
{
	expect_code("C_Logout", world.app.f->C_Logout(seat.session), wanted);
}

static void step_open(char *number)
{
	unsigned long n = strtoul(number, NULL, 10);

	CHECK(n > 0 && more_count + n <= SESSIONS_MAX);
	for (unsigned long i = 0; i < n; i++)
		OK(world.app.f->C_OpenSession(world.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
					      NULL, &more[more_count++]));
}

static void step_use(char *name)
{
	const struct op *op = op_named(name);

	CHECK(more_count > 0);
	for (unsigned i = 0; i < more_count; i++) {
		struct seat other = {.world = &world, .session = more[i]};

		must(&other, op);
	}
}

/* The child is an application of its own; what it inherited is the parent's. */
static void step_fork(char *name)
{
	int status = 1;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		alarm(60); /* rather dead than hanging */
		open_and_find(APP_PIN);
		do_ops(&seat, name);
		OK(world.app.f->C_Finalize(NULL));
		_exit(0);
	}
	do_ops(&seat, name);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void step_verdict(char *name)
{
	static const struct {
		const char *name;
		CK_RV (*run)(struct seat *seat);
	} list[] = {{"wrong-signature", wrong_signature},
		    {"wrong-padding", wrong_padding},
		    {"wrong-tag", wrong_tag},
		    {"wrong-length", wrong_length}};
	const char *wanted = split(name);

	for (unsigned i = 0; i < 4; i++)
		if (strcmp(list[i].name, name) == 0) {
			expect_code(name, list[i].run(&seat), wanted);
			return;
		}
	fprintf(stderr, "no verdict %s\n", name);
	exit(2);
}

static void step_generate(char *wanted)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_BBOOL yes = CK_TRUE;
	CK_ULONG len = 32;
	char label[] = "generated";
	CK_ATTRIBUTE tmpl[] = {{CKA_TOKEN, &yes, sizeof(yes)},
			       {CKA_ENCRYPT, &yes, sizeof(yes)},
			       {CKA_LABEL, label, sizeof(label) - 1},
			       {CKA_VALUE_LEN, &len, sizeof(len)}};
	CK_OBJECT_HANDLE made;

	expect_code("C_GenerateKey",
		    world.app.f->C_GenerateKey(seat.session, &mechanism, tmpl, 4, &made), wanted);
}

static void step_make(char *way)
{
	const char *wanted = split(way);

	expect_code(way, make_run(&seat, way), wanted);
}

static void step_matrix(char *argument)
{
	const char *part[4];

	for (unsigned i = 0; i < 4; i++) {
		part[i] = strsep(&argument, ",");
		CHECK(part[i] != NULL);
	}
	matrix_run(&seat, part[0], part[1], part[2], part[3]);
}

static const struct step steps[] = {
	{"start", step_start},     {"stop", step_stop},         {"op", step_op},
	{"fails", step_fails},     {"again", step_again},       {"found", step_found},
	{"served", step_served},   {"forget", step_forget},     {"run", step_run},
	{"plan", step_plan},       {"login", step_login},       {"logout", step_logout},
	{"open", step_open},       {"use", step_use},           {"fork", step_fork},
	{"verdict", step_verdict}, {"generate", step_generate}, {"matrix", step_matrix},
	{"make", step_make},
};

static const struct step *step_named(const char *name)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(steps[i].name, name) == 0)
			return &steps[i];
	fprintf(stderr, "no step %s\n", name);
	exit(2);
}

/* Runs a step; `limit_ms` from a `within` before it, or 0. */
static void run_step(const char *name, char *argument, long long limit_ms)
{
	long long begun = now_ms();
	long long took;

	step_named(name)->run(argument);
	took = now_ms() - begun;
	if (limit_ms == 0)
		return;
	printf("%s took %lld ms\n", name, took);
	CHECK(took <= limit_ms);
}

static void run_load(int argc, char **argv)
{
	char *rounds = argv[0];
	const char *threads = strsep(&rounds, ",");

	CHECK(rounds != NULL);
	load_run(&world, (unsigned)strtoul(threads, NULL, 10), (unsigned)strtoul(rounds, NULL, 10),
		 argv + 1, argc - 1);
}

int main(int argc, char **argv)
{
	CK_C_GetInterface get_interface;
	CK_VERSION version = {3, 0};
	CK_INTERFACE *interface = NULL;
	long long limit_ms = 0;

	if (argc < 6) {
		fprintf(stderr, "usage: failover MODULE LABEL KEYS STEP ARGUMENT...\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	app_load(&world.app, argv[1]);
	world.label = argv[2];
	material_read(&world.keys, argv[3]);
	*(void **)&get_interface = dlsym(world.app.library, "C_GetInterface");
	if (get_interface && get_interface(NULL, &version, &interface, 0) == CKR_OK)
		world.f3 = interface->pFunctionList;
	for (int i = 4; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "load") == 0) {
			run_load(argc - i - 1, argv + i + 1);
			return 0;
		}
		if (strcmp(argv[i], "within") == 0) {
			limit_ms = strtoll(argv[i + 1], NULL, 10);
			continue;
		}
		run_step(argv[i], argv[i + 1], limit_ms);
		limit_ms = 0;
	}
	return 0;
}
