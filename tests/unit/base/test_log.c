/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/log.c: stderr is a pipe while something is logged. */
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

static int saved_stderr;
static int pipe_read;

static void capture_start(void)
{
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	CU_ASSERT_EQUAL_FATAL(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	saved_stderr = dup(STDERR_FILENO);
	CU_ASSERT_TRUE_FATAL(saved_stderr >= 0);
	CU_ASSERT_EQUAL_FATAL(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(ends[1]);
	pipe_read = ends[0];
}

/* What was written since capture_start, as a string. */
static const char *capture_end(void)
{
	static char text[8192];
	ssize_t len = read(pipe_read, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = 0;
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(pipe_read);
	return text;
}

static void line_has_level_and_text(void)
{
	log_setup(LOG_LEVEL_INFO, false);
	capture_start();
	log_msg(LOG_LEVEL_WARN, "member %s: breaker open for %d ms", "lunaA", 1000);
	CU_ASSERT_STRING_EQUAL(capture_end(),
			       "hsmux: warn: member lunaA: breaker open for 1000 ms\n");
}

static void lower_levels_are_not_written(void)
{
	log_setup(LOG_LEVEL_WARN, false);
	CU_ASSERT_TRUE(log_on(LOG_LEVEL_ERROR));
	CU_ASSERT_TRUE(log_on(LOG_LEVEL_WARN));
	CU_ASSERT_FALSE(log_on(LOG_LEVEL_INFO));
	capture_start();
	log_msg(LOG_LEVEL_INFO, "quiet");
	log_msg(LOG_LEVEL_DEBUG, "quiet");
	CU_ASSERT_STRING_EQUAL(capture_end(), "");
}

static void control_characters_are_replaced(void)
{
	log_setup(LOG_LEVEL_WARN, false);
	capture_start();
	log_msg(LOG_LEVEL_ERROR, "label %s", "a\nb\x1b[31m\x7f\xc3\xa4");
	CU_ASSERT_STRING_EQUAL(capture_end(), "hsmux: error: label a?b?[31m?\xc3\xa4\n");
}

static void sequences_for_terminals_are_replaced(void)
{
	log_setup(LOG_LEVEL_WARN, false);
	capture_start();
	log_msg(LOG_LEVEL_ERROR, "label %s", "x\xc2\x9b;31m \xe2\x80\xaez \x9b \xe2\x82\xac");
	CU_ASSERT_STRING_EQUAL(capture_end(), "hsmux: error: label x?;31m ?z ? \xe2\x82\xac\n");
}

static void long_line_is_cut_and_ends_in_newline(void)
{
	const char *line;

	log_setup(LOG_LEVEL_WARN, false);
	capture_start();
	log_msg(LOG_LEVEL_ERROR, "%05000d", 1);
	line = capture_end();
	CU_ASSERT_EQUAL(strlen(line), 1000);
	CU_ASSERT_EQUAL(line[999], '\n');
}

static void errno_is_kept(void)
{
	log_setup(LOG_LEVEL_WARN, false);
	capture_start();
	errno = ENOTTY;
	log_msg(LOG_LEVEL_ERROR, "text");
	CU_ASSERT_EQUAL(errno, ENOTTY);
	(void)capture_end();
}

static void closed_pipe_does_not_kill(void)
{
	log_setup(LOG_LEVEL_WARN, false);
	capture_start();
	(void)close(pipe_read);
	log_msg(LOG_LEVEL_ERROR, "nobody reads this");
	pipe_read = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CU_ASSERT_STRING_EQUAL(capture_end(), "");
}

static void environment_wins_over_configuration(void)
{
	CU_ASSERT_EQUAL_FATAL(setenv("HSMUX_LOG", "debug", 1), 0);
	log_setup(LOG_LEVEL_ERROR, false);
	CU_ASSERT_TRUE(log_on(LOG_LEVEL_DEBUG));
	CU_ASSERT_EQUAL_FATAL(setenv("HSMUX_LOG", "nonsense", 1), 0);
	log_setup(LOG_LEVEL_ERROR, false);
	CU_ASSERT_FALSE(log_on(LOG_LEVEL_WARN));
	CU_ASSERT_EQUAL_FATAL(unsetenv("HSMUX_LOG"), 0);
}

static void levels_have_names(void)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	enum log_level level = LOG_LEVEL_DEBUG;

	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_TRUE(log_level_parse(names[i], &level));
		CU_ASSERT_EQUAL((size_t)level, i);
	}
	CU_ASSERT_FALSE(log_level_parse("ERROR", &level));
	CU_ASSERT_FALSE(log_level_parse("", &level));
	CU_ASSERT_EQUAL(level, LOG_LEVEL_DEBUG);
}

static void repeated_message_is_held_back_for_a_minute(void)
{
	struct log_limit limit = {0};

	log_setup(LOG_LEVEL_WARN, false);
	clock_set_ms(1000);
	capture_start();
	for (unsigned i = 0; i < 5; i++)
		log_limited(&limit, LOG_LEVEL_WARN, "again %u", i);
	clock_set_ms(60999);
	log_limited(&limit, LOG_LEVEL_WARN, "again %u", 5U);
	clock_set_ms(61000);
	log_limited(&limit, LOG_LEVEL_WARN, "again %u", 6U);
	clock_set_ms(-1);
	CU_ASSERT_STRING_EQUAL(capture_end(),
			       "hsmux: warn: again 0\nhsmux: warn: again 6 (5 more held back)\n");
}

static void logging_needs_no_memory(void)
{
	log_setup(LOG_LEVEL_WARN, false);
	capture_start();
	alloc_fail_at(1);
	log_msg(LOG_LEVEL_ERROR, "out of %s", "memory");
	CU_ASSERT_EQUAL(alloc_seen, 0);
	alloc_fail_at(0);
	CU_ASSERT_STRING_EQUAL(capture_end(), "hsmux: error: out of memory\n");
}

static const struct unit_test tests[] = {
	UNIT(line_has_level_and_text),
	UNIT(lower_levels_are_not_written),
	UNIT(control_characters_are_replaced),
	UNIT(sequences_for_terminals_are_replaced),
	UNIT(long_line_is_cut_and_ends_in_newline),
	UNIT(errno_is_kept),
	UNIT(closed_pipe_does_not_kill),
	UNIT(environment_wins_over_configuration),
	UNIT(levels_have_names),
	UNIT(repeated_message_is_held_back_for_a_minute),
	UNIT(logging_needs_no_memory),
};

UNIT_MAIN("base/log", tests)
