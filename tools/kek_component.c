/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux kek component, and the components that `hsmux kek install` takes.
 *
 * A component is 32 random bytes and a check value, the first three bytes of its SHA-256: 64 and 6
 * hexadecimal digits, with blanks wherever people like. The key is the exclusive or of two of them:
 * one alone says nothing about it. The check value finds what was typed wrong before a key is made
 * of it. Everything is in locked memory, and wiped; the text that is printed goes to a terminal
 * only. */
#include "tools/kek_component.h"

#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "core/base/locked.h"
#include "core/identity_soft.h"
#include "core/kek_create.h"
#include "tools/pin.h"

#define CHECK_LEN 3U
#define WHOLE_LEN (KEK_LEN + CHECK_LEN)

/* What is read and worked on; in locked pages. */
struct work {
	unsigned char component[WHOLE_LEN];
	unsigned char sum[KEK_LEN];
	unsigned char digest[32];
};

static int digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits to bytes, blanks left out. False for anything else, and for another length. */
static bool take_apart(const struct secret *text, unsigned char out[static WHOLE_LEN])
{
	const unsigned char *p = secret_bytes(text);
	size_t n = 0;

	for (size_t i = 0; i < secret_len(text); i++) {
		int value = digit(p[i]);

		if (p[i] == ' ' || p[i] == '\t')
			continue;
		if (value < 0 || n >= (size_t)2 * WHOLE_LEN)
			return false;
		out[n / 2] = (unsigned char)(n % 2 == 0 ? value << 4 : out[n / 2] | value);
		n++;
	}
	return n == (size_t)2 * WHOLE_LEN;
}

/* Reads one and adds it to the sum. */
static bool add_one(struct work *w, const char *source, unsigned which)
{
	char prompt[100];
	struct secret *text;
	bool is_whole;

	(void)snprintf(prompt, sizeof(prompt), "Component %u of 2, and its check value", which);
	text = pin_read(source, prompt);
	if (text == NULL)
		return false;
	is_whole = take_apart(text, w->component);
	secret_free(&text);
	if (!is_whole) {
		fprintf(stderr,
			"hsmux: component %u is none: expected 64 hexadecimal digits and the 6 of "
			"its check value\n",
			which);
		return false;
	}
	if (!identity_sha256(w->component, KEK_LEN, w->digest)) {
		fputs("hsmux: out of memory\n", stderr);
		return false;
	}
	if (CRYPTO_memcmp(w->digest, w->component + KEK_LEN, CHECK_LEN) != 0) {
		fprintf(stderr, "hsmux: component %u does not have that check value\n", which);
		return false;
	}
	for (size_t i = 0; i < KEK_LEN; i++)
		w->sum[i] ^= w->component[i];
	return true;
}

static struct secret *add_both(struct work *w, const struct tool_texts *sources)
{
	unsigned char first[KEK_LEN] = {0};
	struct secret *key;

	for (unsigned i = 0; i < 2; i++)
		if (!add_one(w, sources->count > i ? sources->text[i] : NULL, i + 1))
			return NULL;
	if (CRYPTO_memcmp(w->sum, first, sizeof(first)) == 0) {
		fputs("hsmux: both components are the same\n", stderr);
		return NULL;
	}
	key = secret_new(w->sum, KEK_LEN);
	if (key == NULL)
		fputs("hsmux: out of memory\n", stderr);
	return key;
}

struct secret *kek_component_read(const struct tool_texts *sources)
{
	struct work *w;
	struct secret *key;

	if (sources->count != 0 && sources->count != 2) {
		fputs("hsmux: expected --component-source twice, or not at all\n", stderr);
		return NULL;
	}
	w = locked_new(sizeof(*w));
	if (w == NULL) {
		fputs("hsmux: out of memory\n", stderr);
		return NULL;
	}
	key = add_both(w, sources);
	locked_free(w, sizeof(*w));
	return key;
}

/* In groups of eight digits, which people can keep in mind. No buffer of stdio holds it. */
static bool print(const unsigned char whole[static WHOLE_LEN])
{
	static const char digits[] = "0123456789abcdef";
	char *text = locked_new(2 * WHOLE_LEN + 20);
	size_t len = 0;
	bool ok;

	if (text == NULL)
		return false;
	for (size_t i = 0; i < WHOLE_LEN; i++) {
		if (i > 0 && i % 4 == 0)
			text[len++] = ' ';
		text[len++] = digits[whole[i] >> 4];
		text[len++] = digits[whole[i] & 15];
	}
	text[len++] = '\n';
	ok = write(STDOUT_FILENO, text, len) == (ssize_t)len;
	locked_free(text, 2 * WHOLE_LEN + 20);
	return ok;
}

enum tool_exit tool_kek_component(const struct tool_options *options)
{
	struct work *w;
	bool ok;

	(void)options; /* there are none */
	if (!isatty(STDOUT_FILENO)) {
		fputs("hsmux: a component is shown on a terminal only\n", stderr);
		return TOOL_NO;
	}
	w = locked_new(sizeof(*w));
	ok = w != NULL && identity_random(w->component, KEK_LEN) &&
	     identity_sha256(w->component, KEK_LEN, w->digest);
	if (ok)
		memcpy(w->component + KEK_LEN, w->digest, CHECK_LEN);
	ok = ok && print(w->component);
	locked_free(w, sizeof(*w));
	if (!ok)
		fputs("hsmux: no component could be made\n", stderr);
	return ok ? TOOL_YES : TOOL_NO;
}
