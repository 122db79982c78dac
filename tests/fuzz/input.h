/* SPDX-License-Identifier: BSD-2-Clause */
/* Turning a fuzzer's bytes into things that Cryptoki takes.
 *
 * A hostile number, handle, length or attribute is fair; a wild pointer is not, since no library
 * can survive one. So numbers and lengths are free, and every pointer is NULL or points into the
 * arena, which is larger than any length that hsmux accepts, zeroed, and ends at a page that cannot
 * be touched: a length that is too large to be accepted must be refused before it is used. */
#ifndef HSMUX_TESTS_FUZZ_INPUT_H
#define HSMUX_TESTS_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/pkcs11.h"

/* hsmux accepts 64 MiB of bytes in one place (ATTR_MAX_VALUE and the walker of mechanisms). */
#define INPUT_ARENA (65UL * 1024 * 1024)
#define INPUT_POOL  16384

/* What is left of the bytes, and memory for what is made from them: all of it goes with the input.
 */
struct input {
	const uint8_t *data;
	size_t size;
	size_t used; /* bytes of pool */
	_Alignas(16) unsigned char pool[INPUT_POOL];
	/* A handle: live, dead or nonsense; set by the target. */
	CK_ULONG (*handle)(struct input *in);
};

/* Makes the arena. False when memory is out. */
bool input_setup(void);

/* 0 when the bytes are used up. */
uint8_t input_byte(struct input *in);
CK_ULONG input_number(struct input *in);

/* Memory of this input, zeroed; NULL when the pool is empty. */
void *input_take(struct input *in, size_t size);

/* The arena, which must read as zeros afterwards again: see input_clean. */
unsigned char *input_arena(void);
void input_clean(void);

/* A length up to INPUT_ARENA, or one that is absurd. */
CK_ULONG input_length(struct input *in);

/* A copy of up to `max` bytes of the input in memory of exactly that size, for the address
 * sanitizer to guard; free() it. *len says how many. */
unsigned char *input_bytes(struct input *in, size_t max, CK_ULONG *len);

/* A mechanism with a parameter of its own form, or of another's, or flat; NULL sometimes. */
CK_MECHANISM *input_mechanism(struct input *in, unsigned depth);

/* A template and its count. `is_output`: lengths tell the truth about the room behind the pointers.
 */
CK_ATTRIBUTE *input_template(struct input *in, CK_ULONG *count, bool is_output, unsigned depth);

#endif
