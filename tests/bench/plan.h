/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans of fault tokens (tests/token/fault.c), changed while they are in use. */
#ifndef HSMUX_TESTS_BENCH_PLAN_H
#define HSMUX_TESTS_BENCH_PLAN_H

#include <stdbool.h>

/* Replaces the plan in `file` by `text`, seen whole or not at all. False with a message. */
bool plan_write(const char *file, const char *text);

/* Lets time pass: how long a fault lasts, never a way to wait for something. */
void plan_pause(unsigned long ms);

#endif
