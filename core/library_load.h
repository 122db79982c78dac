/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening the file of a vendor's library: pinning, private copies, refusal of ourselves. */
#ifndef HSMUX_CORE_LIBRARY_LOAD_H
#define HSMUX_CORE_LIBRARY_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"
#include "core/config.h"

/* What loading gives. */
struct library_lists {
	void *dl;
	CK_FUNCTION_LIST *v2;
	CK_FUNCTION_LIST_3_0 *v3; /* NULL when there is none that is complete */
};

/* Opens `conf->library` (as a private copy when asked for, or when `force_copy`), checks its
 * digest, refuses hsmux itself and function lists that point into it or have holes, and reads its
 * lists. On failure `reason` is a sentence that names the file and what would be right; nothing
 * stays open. `keep` false lets the code be unloaded later (RTLD_NODELETE is left out). */
bool library_load(const struct config_module *conf, bool force_copy, bool keep, bool wants_3_0,
		  struct library_lists *lists, char *reason, size_t reason_len);

/* Asks a loaded library for its lists again (a maker that has a new instance for each). */
bool library_lists(void *dl, bool wants_3_0, struct library_lists *lists, char *reason,
		   size_t reason_len);

#endif
