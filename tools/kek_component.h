/* SPDX-License-Identifier: BSD-2-Clause */
/* A key that two people hold the halves of. */
#ifndef HSMUX_TOOLS_KEK_COMPONENT_H
#define HSMUX_TOOLS_KEK_COMPONENT_H

#include "core/base/secret.h"
#include "tools/tool.h"

/* Reads two components, from the sources or from the terminal, and puts them together: a secret of
 * 32 bytes. NULL after a line on stderr. The caller owns the result. */
struct secret *kek_component_read(const struct tool_texts *sources);

#endif
