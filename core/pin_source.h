/* SPDX-License-Identifier: BSD-2-Clause */
/* A member's own PIN, from where its configuration says. */
#ifndef HSMUX_CORE_PIN_SOURCE_H
#define HSMUX_CORE_PIN_SOURCE_H

#include <stddef.h>

#include "core/base/secret.h"
#include "core/config.h"

/* Reads the PIN of a member whose `pin` is not CONFIG_PIN_SAME: the file (which nobody but its
 * owner and root may read or write, owned by root or the caller), the environment variable (never
 * in setuid processes), or the credential ($CREDENTIALS_DIRECTORY/NAME). One newline at the end
 * does not count. NULL when that fails; `why` then says why in words that name the source and never
 * the PIN. The caller owns the result; no other copy of the PIN is left in memory of ours. */
struct secret *pin_source_read(const struct config_member *conf, char *why, size_t why_len);

#endif
