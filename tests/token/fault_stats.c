/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token's counters: how often each function of one token was called by all processes.
 *
 * The file is text that can be read at any moment, a line for each function and one for the PIN,
 * each number ten digits with leading zeros:
 *
 *   C_Sign calls=0000000012 ok=0000000011
 *   pin-tries=0000000001            wrong PINs that the token was shown
 *
 * It is mapped, and digits are raised in place under a lock on the file (several processes) and
 * the instance's lock (threads). A counter never shrinks: take differences. It must never be
 * truncated while a token uses it; give each rehearsal a new one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/token/fault.h"
#include "tests/token/fault_plan.h"

#define DIGITS 10
/* More than all lines together. */
#define TEXT_MAX 8192

static int file_fd = -1;
static char *text; /* NULL: nothing is counted */
static size_t calls_at[CALL_COUNT];
static size_t good_at[CALL_COUNT];
static size_t pin_at;

/* All lines with zeros into `out`; notes where the numbers stand. */
static size_t layout(char out[static TEXT_MAX])
{
	size_t len = 0;

	for (unsigned i = 0; i < CALL_COUNT; i++) {
		len += (size_t)snprintf(out + len, TEXT_MAX - len,
					"%s calls=", fault_call_name((enum token_call)i));
		calls_at[i] = len;
		len += (size_t)snprintf(out + len, TEXT_MAX - len, "%0*d ok=", DIGITS, 0);
		good_at[i] = len;
		len += (size_t)snprintf(out + len, TEXT_MAX - len, "%0*d\n", DIGITS, 0);
	}
	len += (size_t)snprintf(out + len, TEXT_MAX - len, "pin-tries=");
	pin_at = len;
	return len + (size_t)snprintf(out + len, TEXT_MAX - len, "%0*d\n", DIGITS, 0);
}

/* A lock of this process on the whole file, or its end. */
static void lock_file(short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};

	while (fcntl(file_fd, F_SETLKW, &lock) != 0 && errno == EINTR)
		;
}

bool fault_stats_open(const char *file)
{
	static char lines[TEXT_MAX];
	size_t len = layout(lines);
	struct stat st;
	void *map = MAP_FAILED;
	bool is_ours;

	if (!file)
		return true;
	file_fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file_fd < 0)
		return false;
	lock_file(F_WRLCK);
	is_ours = fstat(file_fd, &st) == 0 &&
		  (st.st_size == (off_t)len ||
		   (st.st_size == 0 && pwrite(file_fd, lines, len, 0) == (ssize_t)len));
	if (is_ours)
		map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file_fd, 0);
	lock_file(F_UNLCK);
	text = map == MAP_FAILED ? NULL : map;
	return text != NULL;
}

static void raise_number(size_t at)
{
	for (size_t i = at + DIGITS; i-- > at;) {
		if (text[i] != '9') {
			text[i]++;
			return;
		}
		text[i] = '0';
	}
}

void fault_stats_call(enum token_call call, bool is_good)
{
	if (!text)
		return;
	lock_file(F_WRLCK);
	raise_number(calls_at[call]);
	if (is_good)
		raise_number(good_at[call]);
	lock_file(F_UNLCK);
}

void fault_stats_pin(void)
{
	if (!text)
		return;
	lock_file(F_WRLCK);
	raise_number(pin_at);
	lock_file(F_UNLCK);
}
