/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes sequences of calls on hsmux over the null token.
 *
 * Bytes choose the function, the handles (live, dead, nonsense), mechanisms, templates, data and
 * lengths. The null token ends the process when a handle reaches it that it never issued, so any
 * leak of a virtual handle is a finding too; so is a handle of 2^31 or more given to the
 * application.
 *
 * Long runs by hand, from a build made with
 *     CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
 *     tests/fuzz/seeds.sh corpus-calls calls
 *     build-fuzz/tests/fuzz/fuzz_calls -max_len=4096 -jobs=2 corpus-calls
 * and likewise fuzz_conf and fuzz_mech. A finding is a file crash-*: give it to the program as its
 * argument. FUZZ_CONF in the environment names another hsmux.conf (FUZZ_LABEL, FUZZ_PIN: its
 * token), for example one over SoftHSM2, with -detect_leaks=0 when the token's library leaks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/input.h"
#include "tests/token/invoke.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CALLS_MAX 64
#define SESSIONS  4
#define OBJECTS   12
#define BUFFERS   24
#define ROOM      512

static struct loaded module;
static char conf[1024];
static const char *label = "null";
static char pin[64];
static CK_SLOT_ID slot;
static bool is_up;
static bool is_changed; /* the token has another PIN or label than an input expects */

/* What the calls of one input left behind. */
static CK_SESSION_HANDLE sessions[SESSIONS];
static CK_OBJECT_HANDLE objects[OBJECTS];
static unsigned session_next;
static unsigned object_next;
static void *buffers[BUFFERS];
static unsigned buffer_count;

static void clean_up(void)
{
	unlink(conf);
}

static bool write_conf(void)
{
	size_t len;
	FILE *file;
	int fd;

	if (!getcwd(conf, sizeof(conf) - 32)) /* hsmux wants an absolute path */
		return false;
	len = strlen(conf);
	snprintf(conf + len, sizeof(conf) - len, "/hsmux-fuzz.XXXXXX");
	fd = mkstemp(conf);
	file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!file)
		return false;
	atexit(clean_up);
	fprintf(file,
		"version = 1;\nmodules = ( { name = \"null\"; library = \"%s\"; } );\n"
		"tokens = ( { label = \"null\"; mode = \"passthrough\"; members =\n"
		"  ( { name = \"null\"; module = \"null\"; token = \"null\"; } ); } );\n"
		"log = { level = \"error\"; };\n",
		FUZZ_NULL);
	return fclose(file) == 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	CK_INTERFACE *interface;
	CK_VERSION version = {3, 0};

	(void)argc;
	(void)argv;
	snprintf(pin, sizeof(pin), "%s", getenv("FUZZ_PIN") ? getenv("FUZZ_PIN") : "1234");
	if (getenv("FUZZ_LABEL"))
		label = getenv("FUZZ_LABEL");
	if (!getenv("FUZZ_CONF") && !write_conf())
		return 1;
	setenv("HSMUX_CONF", getenv("FUZZ_CONF") ? getenv("FUZZ_CONF") : conf, 1);
	if (C_GetFunctionList(&module.f) != CKR_OK ||
	    C_GetInterface(NULL, &version, &interface, 0) != CKR_OK)
		return 1;
	module.f3 = interface->pFunctionList;
	return input_setup() ? 0 : 1;
}

static void *keep(void *buffer)
{
	if (buffer_count == BUFFERS) {
		free(buffer);
		return NULL;
	}
	buffers[buffer_count++] = buffer;
	return buffer;
}

static void *room(size_t size)
{
	return keep(calloc(1, size));
}

static CK_ULONG pick(struct input *in, const CK_ULONG *known, unsigned count, CK_ULONG other)
{
	uint8_t how = input_byte(in);

	if (how < 220)
		return known[how % count];
	if (how < 230)
		return 0;
	if (how < 236)
		return ~0UL;
	return how < 246 ? other : input_number(in);
}

static CK_ULONG object_pick(struct input *in)
{
	return pick(in, objects, OBJECTS, sessions[0]);
}

static CK_ULONG number_make(struct input *in, enum token_call call, char kind)
{
	switch (kind) {
	case 's':
		return pick(in, sessions, SESSIONS, objects[0]);
	case 'S':
		return input_byte(in) < 240 ? slot : input_number(in);
	case 'o':
	case 'k':
	case 'w':
	case 'u':
	case 'z':
		return object_pick(in);
	case 'f':
		if (call == CALL_WaitForSlotEvent)
			return CKF_DONT_BLOCK; /* else it waits for ever, as it should */
		return call == CALL_OpenSession ? CKF_SERIAL_SESSION | (input_byte(in) & 2)
						: input_number(in);
	case 'U':
		return input_byte(in) % 4;
	case 'N':
		return input_byte(in) % 17;
	default:
		return input_number(in);
	}
}

/* Input and its length: exact copies, or the arena with any length. */
static void data_make(struct input *in, union argument *a, unsigned i)
{
	CK_ULONG len = 0;
	uint8_t how = input_byte(in);

	if (how < 200) {
		a[i].p = keep(input_bytes(in, 255, &len));
		a[i + 1].n = a[i].p ? len : 0;
	} else {
		a[i].p = how < 210 ? NULL : input_arena();
		a[i + 1].n = input_length(in);
	}
}

/* A right PIN keeps the door open for what comes after. */
static void pin_make(struct input *in, union argument *a, unsigned i)
{
	if (input_byte(in) < 200) {
		a[i].p = pin;
		a[i + 1].n = strlen(pin);
	} else {
		data_make(in, a, i);
	}
}

/* Output and its length, which never lies about the room: the token writes as much as it is told.
 */
static void output_make(struct input *in, union argument *a, const char *kinds, unsigned i)
{
	CK_ULONG size = input_byte(in) * 2U;

	a[i].p = input_byte(in) < 30 ? NULL : room(size ? size : 1);
	if (kinds[i + 1] == 'L') {
		CK_ULONG *len = input_byte(in) < 20 ? NULL : room(sizeof(*len));

		if (len)
			*len = a[i].p ? size : input_number(in);
		a[i + 1].p = len;
	} else {
		a[i + 1].n = a[i].p ? size : 0; /* C_GenerateRandom */
	}
}

/* Parameters of messages: CK_GCM_MESSAGE_PARAMS with truthful lengths, or too little of it. */
static void message_make(struct input *in, union argument *a, unsigned i)
{
	union argument *words = input_take(in, 8 * sizeof(*words));

	if (!words)
		return;
	words[0].p = input_arena();
	words[1].n = input_byte(in);
	words[3].n = input_byte(in) % 5;
	words[4].p = input_arena() + 4096;
	words[5].n = input_byte(in);
	a[i].p = input_byte(in) < 20 ? NULL : words;
	a[i + 1].n = input_byte(in) < 200 ? 6 * sizeof(*words) : input_byte(in) % 48;
}

/* Arguments of one call; returns through `a`. */
static void arguments_make(struct input *in, enum token_call call, union argument *a)
{
	const char *kinds = invoke_arguments[call];
	bool is_reading = call == CALL_GetAttributeValue;

	for (unsigned i = 0; kinds[i]; i++) {
		switch (kinds[i]) {
		case 'm':
			a[i].p = input_mechanism(in, 0);
			break;
		case 't':
			a[i].p = input_template(in, &a[i + 1].n, is_reading, 0);
			i++;
			break;
		case 'i':
		case 'g':
			data_make(in, a, i++);
			break;
		case 'P':
			pin_make(in, a, i++);
			break;
		case 'b':
		case 'R':
			output_make(in, a, kinds, i++);
			break;
		case 'x':
			message_make(in, a, i++);
			break;
		case 'c':
			a[i].p = input_byte(in) & 1 ? room(ROOM * sizeof(CK_INTERFACE)) : NULL;
			a[i + 1].p = room(sizeof(CK_ULONG));
			if (a[i + 1].p)
				*(CK_ULONG *)a[i + 1].p = input_byte(in) * 2U;
			i++;
			break;
		case 'r':
		case 'd':
			a[i].p = input_byte(in) < 12 ? NULL : room(ROOM);
			break;
		case 'q':
		case 'e':
			a[i].p = input_byte(in) < 128 ? NULL : room(32);
			break;
		case 'a':
			a[i].p = NULL;
			break;
		default:
			a[i].n = number_make(in, call, kinds[i]);
			break;
		}
	}
}

static void remember(CK_ULONG *list, unsigned *next, unsigned count, CK_ULONG handle)
{
	if (handle == 0 || handle >= 0x80000000UL)
		abort(); /* hsmux promises handles below 2^31 */
	list[(*next)++ % count] = handle;
}

static void results_keep(enum token_call call, const union argument *a)
{
	const char *kinds = invoke_arguments[call];
	unsigned last = (unsigned)strlen(kinds);
	const CK_ULONG *found;

	if (call == CALL_OpenSession)
		remember(sessions, &session_next, SESSIONS, *(CK_ULONG *)a[last - 1].p);
	if (call == CALL_CreateObject || call == CALL_CopyObject || call == CALL_GenerateKey ||
	    call == CALL_GenerateKeyPair || call == CALL_UnwrapKey ||
	    (call == CALL_DeriveKey && a[last - 1].p))
		remember(objects, &object_next, OBJECTS, *(CK_ULONG *)a[last - 1].p);
	found = call == CALL_FindObjects ? a[1].p : NULL;
	for (CK_ULONG i = 0; found && i < *(CK_ULONG *)a[3].p; i++)
		remember(objects, &object_next, OBJECTS, found[i]);
}

static void begin(void)
{
	CK_ULONG count = 0;

	memset(sessions, 0, sizeof(sessions));
	memset(objects, 0, sizeof(objects));
	session_next = object_next = 0;
	if (!is_up) {
		CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

		if (module.f->C_Initialize(&args) != CKR_OK ||
		    !load_find_slot(module.f, label, &slot))
			abort();
		is_up = true;
	}
	if (module.f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				    &sessions[0]) != CKR_OK)
		abort();
	(void)module.f->C_Login(sessions[0], CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin));
	if (module.f->C_FindObjectsInit(sessions[0], NULL, 0) == CKR_OK) {
		(void)module.f->C_FindObjects(sessions[0], objects, OBJECTS / 2, &count);
		(void)module.f->C_FindObjectsFinal(sessions[0]);
	}
	session_next = 1;
	object_next = (unsigned)count;
}

/* Every so often everything goes, so that what is kept too long shows as a leak. */
static void end(void)
{
	static unsigned inputs;

	for (unsigned i = 0; i < buffer_count; i++)
		free(buffers[i]);
	buffer_count = 0;
	input_clean();
	if ((++inputs % 64 == 0 || is_changed) && is_up) {
		(void)module.f->C_Finalize(NULL);
		is_up = is_changed = false;
	} else if (is_up) {
		(void)module.f->C_CloseAllSessions(slot);
	}
}

/* PINs and labels that changed are back after C_Initialize; until then no input could begin. */
static bool is_changing(enum token_call call)
{
	return call == CALL_InitToken || call == CALL_InitPIN || call == CALL_SetPIN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct input in;

	in.data = data;
	in.size = size;
	in.handle = object_pick;
	begin();
	for (unsigned n = 0; n < CALLS_MAX && in.size && is_up; n++) {
		enum token_call call = (enum token_call)(input_byte(&in) % CALL_COUNT);
		union argument a[INVOKE_MAX + 1];
		CK_RV rv;

		in.used = 0;
		memset(a, 0, sizeof(a));
		arguments_make(&in, call, a);
		rv = invoke(&module, call, a);
		if (rv == CKR_OK)
			results_keep(call, a);
		if (rv == CKR_OK && is_changing(call))
			is_changed = true;
		if (call == CALL_Finalize && rv == CKR_OK)
			is_up = false;
	}
	end();
	return 0;
}
