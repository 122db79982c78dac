/* SPDX-License-Identifier: BSD-2-Clause */
/* Who the application is, as the kernel says. */
#ifndef HSMUX_CORE_CALLER_H
#define HSMUX_CORE_CALLER_H

#include "policy/facts.h"

/* The calling process; read at the first call and after caller_forked(), and when `is_checked`
 * finds that the effective user or group has changed, which costs two calls of the kernel. The
 * strings stay valid. */
const struct caller *caller_get(bool is_checked);

/* In a forked child: read anew. */
void caller_forked(void);

#endif
