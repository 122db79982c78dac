/* SPDX-License-Identifier: BSD-2-Clause */
/* What one configuration becomes: libraries, members, virtual tokens. Built by C_Initialize, taken
 * apart by C_Finalize. */
#ifndef HSMUX_CORE_ASSEMBLY_H
#define HSMUX_CORE_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config.h"
#include "core/group.h"
#include "core/library.h"
#include "core/vendor.h"

/* Immutable once built, but for the states inside members and libraries. All of it is owned. */
struct assembly {
	struct config *config;
	struct vendor_set *vendors;
	struct library **libraries; /* one for each module of the configuration */
	struct group **groups;      /* one for each token, in the configuration's order */
	size_t group_count;
};

/* Builds everything for `config` (taken over in every case), tries to reach each member once, and
 * lets somebody look after them (health.h; `may_thread`: a thread, if there is need of one). A
 * member that cannot be reached fails nobody, its reason is in the log. CKR_HOST_MEMORY: `a` is
 * then empty. */
CK_RV assembly_build(struct assembly *a, struct config *config, bool may_thread);

/* C_Finalize has begun: see library_ending; and nobody waits for a member any more. */
void assembly_ending(struct assembly *a);

/* Stops the libraries, and before them who looks after the members. `calls_ended` false: some call
 * of ours is still inside one. Each library is waited for up to `wait_ms`; false when a call is
 * still inside one of them after that. */
bool assembly_stop(struct assembly *a, bool calls_ended, long long wait_ms);

/* Frees it all and leaves it empty; the libraries are stopped. */
void assembly_free(struct assembly *a);

/* Writes the messages to the log and frees them. */
void assembly_log(struct diag *diag, enum log_level level);

#endif
