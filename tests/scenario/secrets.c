/* SPDX-License-Identifier: BSD-2-Clause */
/* Where secrets are in the memory of the process: MODULE CASE LABEL.
 *
 * The secrets of this program are nowhere in its own image: they stand in a table in disguise, are revealed in
 * one page for a call and wiped before memory is searched. The search goes through all that the process
 * can read and knows the secrets by their disguise, so it makes no copies either. It looks for pieces of 12
 * bytes, because the allocator writes over the beginning of what is freed. What is found in pages that are
 * locked, left out of core dumps and wiped on fork counts as `kept`, all else as `stray`.
 *
 * syslog() is this program's own: what hsmux would write there is searched, too. Not for sanitizers, whose
 * allocators keep what is freed; the token of most cases must keep nothing itself (the hostile token with
 * HOSTILE_BAD=0). */
#include "tests/scenario/app.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#define LEN   48
#define PIECE 12
#define PAGE  4096
#define MASK  0x5A

enum secret_id { PIN, NEW_PIN, VALUE };

/* Disguised when the program is compiled; the text after the comma is what secrets.sh knows. */
#define HIDE4(a, b, c, d) (a) ^ MASK, (b) ^ MASK, (c) ^ MASK, (d) ^ MASK
#define HIDE12(a, b, c) HIDE4 a, HIDE4 b, HIDE4 c
static const volatile unsigned char hidden[][LEN] = {
	[PIN] = {HIDE12(('p', 'I', 'n', '0'), ('q', '9', 'K', 'd'), ('w', 'U', '2', 'x')),
		 HIDE12(('p', 'I', 'n', '1'), ('Z', 'r', '5', 'b'), ('e', 'T', '8', 'h')),
		 HIDE12(('p', 'I', 'n', '2'), ('j', 'L', '4', 'v'), ('C', 'm', '7', 's')),
		 HIDE12(('p', 'I', 'n', '3'), ('F', 'y', '6', 'n'), ('o', 'X', '3', 'g'))},
	[NEW_PIN] = {HIDE12(('n', 'E', 'w', '0'), ('h', '7', 'J', 'c'), ('u', 'Y', '1', 'z')),
		     HIDE12(('n', 'E', 'w', '1'), ('V', 't', '4', 'k'), ('a', 'R', '9', 'f')),
		     HIDE12(('n', 'E', 'w', '2'), ('x', 'N', '6', 'b'), ('G', 'i', '2', 'd')),
		     HIDE12(('n', 'E', 'w', '3'), ('S', 'p', '8', 'l'), ('q', 'H', '5', 'm'))},
	[VALUE] = {HIDE12(('v', 'A', 'l', '0'), ('t', '3', 'B', 'g'), ('r', 'W', '7', 'j')),
		   HIDE12(('v', 'A', 'l', '1'), ('M', 'c', '9', 'z'), ('k', 'P', '2', 'u')),
		   HIDE12(('v', 'A', 'l', '2'), ('d', 'Q', '5', 'x'), ('Y', 'o', '4', 'e')),
		   HIDE12(('v', 'A', 'l', '3'), ('L', 'a', '1', 's'), ('i', 'D', '6', 'w'))},
};

static unsigned char *page; /* where secrets are revealed */
static unsigned syslog_lines;

/* Pieces found in the memory of this process. */
struct found {
	unsigned kept;
	unsigned stray;
};

static unsigned char *reveal(enum secret_id id)
{
	for (unsigned i = 0; i < LEN; i++)
		page[i] = hidden[id][i] ^ MASK;
	return page;
}

static void wipe(void)
{
	explicit_bzero(page, PAGE);
}

/* One piece of this secret at `p`. */
static bool is_piece(const unsigned char *p, enum secret_id id)
{
	for (unsigned start = 0; start < LEN; start += PIECE) {
		unsigned i = 0;

		while (i < PIECE && (p[i] ^ MASK) == hidden[id][start + i])
			i++;
		if (i == PIECE)
			return true;
	}
	return false;
}

static unsigned count_pieces(const unsigned char *p, size_t len, enum secret_id id)
{
	unsigned count = 0;

	for (size_t i = 0; i + PIECE <= len; i++)
		count += is_piece(p + i, id) ? 1 : 0;
	return count;
}

/* Searches one mapping, whose flags the kernel lists behind it. */
static void search_mapping(uintptr_t start, uintptr_t end, const char *flags, enum secret_id id,
			   struct found *found)
{
	bool is_safe = strstr(flags, " dd") && strstr(flags, " wf") && strstr(flags, " lo");
	unsigned n = count_pieces((const unsigned char *)start, end - start, id);

	if (is_safe)
		found->kept += n;
	else
		found->stray += n;
	if (n > 0 && !is_safe)
		fprintf(stderr, "secret %u: %u pieces at 0x%lx-0x%lx,%s", (unsigned)id, n,
			(unsigned long)start, (unsigned long)end, flags);
}

static struct found search(enum secret_id id)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	struct found found = {0, 0};
	unsigned long start = 0, end = 0;
	char line[512], mode[8] = "", *rest;

	CHECK(maps != NULL);
	while (fgets(line, sizeof(line), maps)) {
		if (strncmp(line, "VmFlags:", 8) == 0 && mode[0] == 'r' && end > start)
			search_mapping(start, end, line + 8, id, &found);
		start = strncmp(line, "VmFlags:", 8) == 0 ? end : start;
		rest = NULL;
		if (strchr(line, '-') && sscanf(line, "%lx-%lx %7s", &start, &end, mode) == 3)
			rest = strstr(line, "[v"); /* the kernel's own pages */
		if (rest)
			mode[0] = '-';
	}
	CHECK(fclose(maps) == 0);
	return found;
}

static void expect(enum secret_id id, bool is_kept, const char *file, int line)
{
	struct found found;

	wipe();
	found = search(id);
	app_check(found.stray == 0, "no piece of a secret is in ordinary memory", file, line);
	app_check((found.kept > 0) == is_kept, is_kept ? "it is in locked memory" : "it is nowhere", file,
		  line);
}

#define NOWHERE(id) expect(id, false, __FILE__, __LINE__)
#define KEPT(id) expect(id, true, __FILE__, __LINE__)

/* What hsmux writes to the system's log comes here, in the two forms in which the C library is called. */
#undef syslog /* a macro in some headers, which the definition below is not to be */
static __attribute__((format(printf, 1, 0))) void write_log(const char *format, va_list args)
{
	char text[1600];

	CHECK(vsnprintf(text, sizeof(text), format, args) >= 0);
	syslog_lines++;
	for (unsigned id = PIN; id <= VALUE; id++)
		CHECK(count_pieces((unsigned char *)text, strlen(text), (enum secret_id)id) == 0);
}

__attribute__((visibility("default"), format(printf, 2, 3))) void syslog(int priority, const char *format, ...)
{
	va_list args;

	(void)priority;
	va_start(args, format);
	write_log(format, args);
	va_end(args);
}

__attribute__((visibility("default"), format(printf, 3, 4))) void __syslog_chk(int priority, int flag,
									     const char *format, ...);

__attribute__((visibility("default"), format(printf, 3, 4))) void __syslog_chk(int priority, int flag,
									     const char *format, ...)
{
	va_list args;

	(void)priority;
	(void)flag;
	va_start(args, format);
	write_log(format, args);
	va_end(args);
}

static CK_SESSION_HANDLE begin(struct app *app, const char *label)
{
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	app_init(app);
	return app_open(app, label);
}

static CK_RV login(struct app *app, CK_SESSION_HANDLE session, enum secret_id id)
{
	CK_RV rv = app->f->C_Login(session, CKU_USER, reveal(id), LEN);

	wipe();
	return rv;
}

/* Kept while logged in, and not a moment longer. */
static void pin_is_kept(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = begin(app, label);

	OK(login(app, session, PIN));
	KEPT(PIN);
	EXPECT(CKR_USER_ALREADY_LOGGED_IN, login(app, session, PIN));
	KEPT(PIN);
	OK(app->f->C_Logout(session));
	NOWHERE(PIN);
	OK(login(app, session, PIN));
	OK(app->f->C_CloseSession(session));
	NOWHERE(PIN);
	OK(login(app, session = app_open(app, label), PIN));
	KEPT(PIN);
	OK(app->f->C_Finalize(NULL));
	NOWHERE(PIN);
}

/* With `relogin = false`. */
static void pin_is_not_kept(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = begin(app, label);

	OK(login(app, session, PIN));
	NOWHERE(PIN);
	OK(app->f->C_Finalize(NULL));
	NOWHERE(PIN);
}

/* The token's answer is not looked at: what counts is what is left of the PINs. */
static void pins_change(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = begin(app, label);
	unsigned char name[32];

	memset(name, ' ', sizeof(name));
	(void)app->f->C_InitToken(app_slot(app, label), reveal(PIN), LEN, name);
	NOWHERE(PIN);
	OK(app->f->C_Login(session, CKU_SO, reveal(PIN), LEN));
	NOWHERE(PIN);
	(void)app->f->C_InitPIN(session, reveal(NEW_PIN), LEN);
	NOWHERE(NEW_PIN);
	OK(app->f->C_Logout(session));
	OK(login(app, session, PIN));
	memcpy(page + LEN, reveal(PIN), LEN);
	(void)reveal(NEW_PIN);
	OK(app->f->C_SetPIN(session, page + LEN, LEN, page, LEN));
	NOWHERE(PIN);
	KEPT(NEW_PIN);
	OK(app->f->C_Finalize(NULL));
	NOWHERE(NEW_PIN);
}

/* Templates with a value, and one inside of another. */
static void templates(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = begin(app, label);
	CK_OBJECT_HANDLE object = 0, key = 0;
	CK_ATTRIBUTE value = {CKA_VALUE, page, LEN};
	CK_ATTRIBUTE nested = {CKA_UNWRAP_TEMPLATE, &value, sizeof(value)};
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};
	unsigned char wrapped[40] = {0};

	(void)reveal(VALUE);
	OK(app->f->C_CreateObject(session, &value, 1, &object));
	NOWHERE(VALUE);
	(void)reveal(VALUE);
	OK(app->f->C_SetAttributeValue(session, object, &value, 1));
	NOWHERE(VALUE);
	(void)reveal(VALUE);
	(void)app->f->C_FindObjectsInit(session, &value, 1);
	NOWHERE(VALUE);
	(void)reveal(VALUE);
	(void)app->f->C_CopyObject(session, object, &value, 1, &key);
	NOWHERE(VALUE);
	(void)reveal(VALUE);
	OK(app->f->C_CreateObject(session, &nested, 1, &key));
	NOWHERE(VALUE);
	(void)reveal(VALUE);
	OK(app->f->C_UnwrapKey(session, &mechanism, object, wrapped, sizeof(wrapped), &value, 1, &key));
	NOWHERE(VALUE);
	OK(app->f->C_Finalize(NULL));
	NOWHERE(VALUE);
}

/* Parameters that hold a secret: a short one, and one that needs a block of its own. */
static void parameters(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = begin(app, label);
	CK_OBJECT_HANDLE key = 0;
	CK_ATTRIBUTE plain = {CKA_LABEL, session ? page + PAGE / 2 : NULL, 1};
	CK_PKCS5_PBKD2_PARAMS2 pbkd2 = {.saltSource = CKZ_SALT_SPECIFIED,
					.pSaltSourceData = page + PAGE / 2,
					.ulSaltSourceDataLen = 8,
					.iterations = 1,
					.prf = CKP_PKCS5_PBKD2_HMAC_SHA256,
					.pPassword = page,
					.ulPasswordLen = LEN};
	CK_MECHANISM derive = {CKM_PKCS5_PBKD2, &pbkd2, sizeof(pbkd2)};
	CK_MECHANISM flat = {CKM_AES_CBC, page, LEN};

	OK(app->f->C_CreateObject(session, &plain, 1, &key));
	for (CK_ULONG len = LEN; len <= PAGE / 4; len += PAGE / 4 - LEN) {
		(void)reveal(VALUE);
		pbkd2.ulPasswordLen = len;
		OK(app->f->C_GenerateKey(session, &derive, &plain, 1, &key));
		NOWHERE(VALUE);
	}
	(void)reveal(VALUE);
	OK(app->f->C_EncryptInit(session, &flat, key));
	wipe();
	OK(app->f->C_EncryptInit(session, NULL, 0));
	NOWHERE(VALUE);
	OK(app->f->C_Finalize(NULL));
	NOWHERE(VALUE);
}

/* The child sees neither the PIN nor anything but zeros where it was. */
static void forked(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = begin(app, label);
	pid_t child;
	int status = 1;

	OK(login(app, session, PIN));
	KEPT(PIN);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		NOWHERE(PIN);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	KEPT(PIN);
	OK(app->f->C_Finalize(NULL));
}

/* Prints how many pieces are in ordinary memory after login, and after the end; for hsmux and for the library
 * itself. */
static void count(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = begin(app, label);
	unsigned in_use, after;

	OK(login(app, session, PIN));
	in_use = search(PIN).stray;
	OK(app->f->C_Logout(session));
	OK(app->f->C_Finalize(NULL));
	after = search(PIN).stray;
	printf("%u %u\n", in_use, after);
}

/* A key for one session; nothing secret. */
static CK_OBJECT_HANDLE session_key(struct app *app, CK_SESSION_HANDLE session)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_BBOOL yes = CK_TRUE;
	CK_ULONG len = 16;
	CK_ATTRIBUTE tmpl[] = {
		{CKA_ENCRYPT, &yes, sizeof(yes)},
		{CKA_DECRYPT, &yes, sizeof(yes)},
		{CKA_VALUE_LEN, &len, sizeof(len)},
	};
	CK_OBJECT_HANDLE key = 0;

	OK(app->f->C_GenerateKey(session, &mechanism, tmpl, 3, &key));
	return key;
}

/* The same for a plaintext that came out in a buffer that was too short at first. */
static void count_plaintext(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = begin(app, label);
	unsigned char iv[16] = {0}, text[2 * LEN];
	CK_MECHANISM mechanism = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	CK_ULONG len = sizeof(text), room = LEN - 1;
	CK_OBJECT_HANDLE key;
	unsigned in_use;

	OK(login(app, session, PIN));
	key = session_key(app, session);
	OK(app->f->C_EncryptInit(session, &mechanism, key));
	OK(app->f->C_Encrypt(session, reveal(VALUE), LEN, text, &len));
	wipe();
	OK(app->f->C_DecryptInit(session, &mechanism, key));
	EXPECT(CKR_BUFFER_TOO_SMALL, app->f->C_Decrypt(session, text, len, page, &room));
	room = PAGE;
	OK(app->f->C_Decrypt(session, text, len, page, &room));
	CHECK(room == LEN && is_piece(page, VALUE));
	wipe();
	in_use = search(VALUE).stray;
	OK(app->f->C_Finalize(NULL));
	printf("%u %u\n", in_use, search(VALUE).stray);
}

/* A wrong PIN, which a real token refuses. */
static void wrong_pin(struct app *app, const char *label)
{
	CK_SESSION_HANDLE session = begin(app, label);

	EXPECT(CKR_PIN_INCORRECT, login(app, session, NEW_PIN));
	NOWHERE(NEW_PIN);
	OK(app->f->C_Finalize(NULL));
}

/* Something was written to the system's log, and none of it was a secret (see write_log). */
static void logged(struct app *app, const char *label)
{
	pin_is_kept(app, label);
	CHECK(syslog_lines > 0);
}

int main(int argc, char **argv)
{
	static const struct app_case cases[] = {
		{"pin_is_kept", pin_is_kept}, {"pin_is_not_kept", pin_is_not_kept},
		{"pins_change", pins_change}, {"templates", templates},
		{"parameters", parameters},   {"forked", forked},
		{"count", count},	      {"wrong_pin", wrong_pin},
		{"logged", logged},	      {"count_plaintext", count_plaintext},
	};

	return app_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
