/* SPDX-License-Identifier: BSD-2-Clause */
/* A record for tests. */
#ifndef HSMUX_TESTS_UNIT_CORE_SAMPLE_H
#define HSMUX_TESTS_UNIT_CORE_SAMPLE_H

#include <stdbool.h>

#include "core/record.h"

/* The bytes of its fingerprint, which count up from 0. */
#define PRINT_TEXT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* Version 3 of an AES key that may be exported. */
void sample_begin(struct record *r);

/* A fingerprint whose bytes count up from `first`. */
void sample_print(struct record *r, unsigned char first);

/* Gives it something of everything. */
void sample_fill(struct record *r);

/* Whether the two say the same. */
bool sample_is_same(const struct record *a, const struct record *b);

#endif
