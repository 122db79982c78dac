/* SPDX-License-Identifier: BSD-2-Clause */
/* PINs and other secrets for the subcommands: from a source, or typed on the terminal. */
#ifndef HSMUX_TOOLS_PIN_H
#define HSMUX_TOOLS_PIN_H

#include "core/base/secret.h"

/* Reads from `source` (file:PATH, env:NAME or credential:NAME), or, when that is NULL, asks on the
 * controlling terminal with `prompt`, without echo. One newline at the end does not count. NULL
 * after a line on stderr that says why. The caller owns the result; nothing of it is left in other
 * memory of ours. */
struct secret *pin_read(const char *source, const char *prompt);

#endif
