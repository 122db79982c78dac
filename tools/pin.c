/* SPDX-License-Identifier: BSD-2-Clause */
/* Pin: secrets that somebody types, or that a source holds. Never from the command line, which
 * every user of the machine can read.
 *
 * The terminal is /dev/tty, not standard input, so that a script cannot feed a secret by mistake.
 * Echo is off while it is typed; a signal that ends or stops the program finds it on again, because
 * they are held back until the line is read. */
#include "tools/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/base/locked.h"
#include "core/config.h"
#include "core/pin_source.h"
#include "tools/tool.h"

#define LINE_MAX_LEN (SECRET_MAX_LEN + 1)
/* Control-C: ends the line without a secret. */
#define INTERRUPT 3

static const struct {
	const char *prefix;
	enum config_pin pin;
} kinds[] = {
	{"file:", CONFIG_PIN_FILE},
	{"env:", CONFIG_PIN_ENV},
	{"credential:", CONFIG_PIN_CREDENTIAL},
};

static struct secret *from_source(const char *source)
{
	struct config_member m = {.pin = CONFIG_PIN_SAME};
	char where[TOOL_PATH_LEN], why[600];
	struct secret *pin = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(source, kinds[i].prefix, len) != 0 || source[len] == '\0' ||
		    strlen(source + len) >= sizeof(where))
			continue;
		(void)snprintf(where, sizeof(where), "%s", source + len); /* it fits */
		m.pin = kinds[i].pin;
		m.pin_where = where;
	}
	if (m.pin == CONFIG_PIN_SAME) {
		/* It may be a PIN that was given by mistake: it is not repeated. */
		fputs("hsmux: a source is none: expected file:PATH, env:NAME or credential:NAME\n",
		      stderr);
		return NULL;
	}
	pin = pin_source_read(&m, why, sizeof(why));
	if (pin == NULL) {
		fputs("hsmux: ", stderr);
		tool_put(stderr, why);
		fputc('\n', stderr);
	}
	return pin;
}

/* One line, byte by byte: nothing behind it is taken. False when there is no whole one. */
static bool read_line(int tty, unsigned char *line, size_t *len)
{
	for (*len = 0; *len < LINE_MAX_LEN;) {
		ssize_t got = read(tty, line + *len, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got != 1 || line[*len] == INTERRUPT)
			return false;
		if (line[*len] == '\n')
			return true;
		++*len;
	}
	return false;
}

/* Signals that would leave the terminal without echo. */
static void hold_signals(sigset_t *before)
{
	static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		sigaddset(&set, held[i]);
	(void)sigprocmask(SIG_BLOCK, &set, before); /* fails for wrong arguments only */
}

static bool ask(int tty, const char *prompt, unsigned char *line, size_t *len)
{
	struct termios shown, hidden;
	bool ok;

	if (tcgetattr(tty, &shown) != 0)
		return false;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG);
	hidden.c_cc[VEOL] = INTERRUPT; /* is read at once, without Enter */
	if (tcsetattr(tty, TCSAFLUSH, &hidden) != 0)
		return false;
	ok = dprintf(tty, "%s: ", prompt) > 0 && read_line(tty, line, len);
	(void)tcsetattr(tty, TCSAFLUSH, &shown); /* nothing else could be done */
	(void)dprintf(tty, "\n");
	return ok;
}

static struct secret *from_terminal(const char *prompt)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	unsigned char *line = locked_new(LINE_MAX_LEN);
	struct secret *secret = NULL;
	sigset_t before;
	size_t len = 0;

	hold_signals(&before);
	if (tty < 0)
		fprintf(stderr, "hsmux: %s: no terminal to ask on, and no source was given\n",
			prompt);
	else if (line == NULL || !ask(tty, prompt, line, &len))
		fprintf(stderr, "hsmux: %s: could not be read from the terminal\n", prompt);
	else if (len == 0)
		fprintf(stderr, "hsmux: %s: nothing was typed\n", prompt);
	else if ((secret = secret_new(line, len)) == NULL)
		fputs("hsmux: out of memory\n", stderr);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	locked_free(line, LINE_MAX_LEN);
	if (tty >= 0)
		(void)close(tty); /* was only read */
	return secret;
}

struct secret *pin_read(const char *source, const char *prompt)
{
	return source != NULL ? from_source(source) : from_terminal(prompt);
}
