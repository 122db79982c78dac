/* SPDX-License-Identifier: BSD-2-Clause */
/* The environment while a module starts.
 *
 * A module's `env` belongs to its start alone, but the environment is the process's, and the
 * application's threads read it (getenv(3), system(3)) and rarely write it at any time. So nothing
 * in it is changed: the process is given another whole environment, and afterwards its own again.
 * Neither is ever freed or altered by us: a thread that reads sees the one or the other. A program
 * that another thread starts meanwhile may inherit the module's variables. */
#ifndef HSMUX_CORE_LIBRARY_ENV_H
#define HSMUX_CORE_LIBRARY_ENV_H

#include <stdbool.h>

#include "core/config.h"

/* Sets the variables of `conf` (none: nothing happens) until library_env_leave(). One module at a
 * time: waits for another's leave. False when memory is out: nothing is set, leave must not be
 * called. */
bool library_env_enter(const struct config_module *conf);

/* The environment as it was, with what other threads changed in it meanwhile. `conf` is that of
 * library_env_enter(). */
void library_env_leave(const struct config_module *conf);

/* In the child of a fork() that happened between the two, before another thread exists: the
 * environment as it was. */
void library_env_forget_parent(void);

#endif
