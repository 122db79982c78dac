/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual token for a subcommand that works in it: started, and logged in. */
#ifndef HSMUX_TOOLS_ENTER_H
#define HSMUX_TOOLS_ENTER_H

#include "core/base/pkcs11.h"
#include "core/group.h"
#include "tools/tool.h"

/* Starts hsmux in this process, opens a read/write session of the virtual token with this label and
 * logs the user in. The PIN is that of --pin-source; else, where every member has one of its own in
 * the configuration, that of the first; else it is asked for on the terminal. TOOL_YES, or another
 * code after a line on stderr. tool_leave() in any case. */
enum tool_exit tool_enter(const struct tool_options *options, const char *label,
			  struct group **group, CK_SESSION_HANDLE *session);

/* The same for another virtual token, after tool_enter(). */
enum tool_exit tool_enter_too(const char *label, const char *pin_source, struct group **group,
			      CK_SESSION_HANDLE *session);

/* Ends what tool_enter() began. */
void tool_leave(void);

/* Brings every member up that can be, without waiting for its pause. TOOL_YES when all are up and
 * let the user in, else TOOL_UNREACHABLE after a line on stderr for each that is not; `what` is
 * what is not done then ("install"). */
enum tool_exit tool_need_all(struct group *group, const char *what);

/* Writes "hsmux: token LABEL: " and the text, one line, to stderr. */
void tool_complain(const struct group *group, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
