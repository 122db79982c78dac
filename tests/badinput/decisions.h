/* SPDX-License-Identifier: BSD-2-Clause */
/* What hsmux answers where the standard leaves a choice, or where order matters. */
#ifndef HSMUX_TESTS_BADINPUT_DECISIONS_H
#define HSMUX_TESTS_BADINPUT_DECISIONS_H

#include "tests/badinput/world.h"

/* Runs all of them, numbering TAP lines from `count`; returns the new count. `is_loose` leaves out
 * what only the null token can show. Re-initialises the module on the way. */
unsigned decisions(struct world *w, const char *label, unsigned count, bool is_loose);

#endif
