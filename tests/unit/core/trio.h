/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual token of members without a library, for tests of what decides and does not call: who is
 * chosen, what an answer means, where an object is. */
#ifndef HSMUX_TESTS_UNIT_CORE_TRIO_H
#define HSMUX_TESTS_UNIT_CORE_TRIO_H

#include "core/config.h"
#include "core/group.h"
#include "core/library.h"
#include "core/vendor.h"

#define TRIO 3U

extern struct config trio_config;
extern struct config_token trio_conf;
extern struct config_member trio_member_conf[TRIO];
extern struct vendor trio_vendor[TRIO];
extern struct library trio_library[TRIO];
extern struct member trio_member[TRIO];
extern struct group trio;

/* Three active members "m0", "m1", "m2" of priority and weight 1 that serve, each in its first
 * epoch; the mode may be changed by the test. Time stands at 1,000,000 ms. */
void trio_begin(enum config_mode mode);

/* Only that many of the members. */
void trio_keep(unsigned count);

/* Forgets the objects, and gives the clock back. */
void trio_end(void);

/* A member fails, or (again) comes up and serves in a new epoch. */
void trio_lose(unsigned i);
void trio_return(unsigned i);

#endif
