/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token's settings, read once from the environment, and the real module behind it. */
#ifndef HSMUX_TESTS_TOKEN_FAULT_LOAD_H
#define HSMUX_TESTS_TOKEN_FAULT_LOAD_H

/* The plan's file, or NULL: no faults. */
const char *fault_control(void);

#endif
