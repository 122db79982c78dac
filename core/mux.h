/* SPDX-License-Identifier: BSD-2-Clause */
/* The library as a whole: C_Initialize to C_Finalize, fork, and the two doors into the core.
 *
 * Doors: session_take() (session.h) for everything with a session handle, slot_take() (here) for
 * everything with a slot. Both check "initialised, not forked", so that no function can forget it.
 *
 * Lock order, outermost first:
 *   init (mux.c) > shape (mux.c, read side) > session > login (group.c) > library > environment
 *   (library.c) > pool | object map > traits (object_trait.c) > table
 *   library > share (health_share.c) > state (state.c)
 * Who looks after the members holds `still` (health.c) around all from login on, or chores
 * (health_look.c) around pool and share; the library is only tried for under chores. A fork()
 * waits for `still`, whatever is held, but not for long. Leaves, under which no lock is taken but
 * the log's: a group's views, health (health.c), the journal's pieces (journal.c), the memory of
 * routes (carry_memory.c).
 *
 * A pool's lock and an object map's never nest. A member is called with the locks of one session,
 * of login (C_Login and the like), of the library and the environment (start, stop, slot look-up,
 * probe) or `still` held, never of the others. */
#ifndef HSMUX_CORE_MUX_H
#define HSMUX_CORE_MUX_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/pkcs11.h"
#include "core/config.h"
#include "core/group.h"

/* C_Initialize. CKR_ARGUMENTS_BAD, CKR_CANT_LOCK, CKR_CRYPTOKI_ALREADY_INITIALIZED,
 * CKR_GENERAL_ERROR (configuration; the reasons are in the log), CKR_FUNCTION_FAILED (called from
 * inside a member's own initialisation), CKR_HOST_MEMORY. */
CK_RV mux_init(const CK_C_INITIALIZE_ARGS *args);

/* C_Finalize: new calls are refused, calls in flight are waited for (5 s at most; a module with a
 * call that does not end is left alone), sessions are closed, members finalised. In a forked child
 * that did not initialise only memory is dropped. CKR_CRYPTOKI_NOT_INITIALIZED. */
CK_RV mux_fini(void);

/* For the command line: starts with a configuration instead of looking for one. Takes over `config`
 * in every case. As mux_init. */
CK_RV mux_init_config(struct config *config);

/* CKR_OK when initialised in this process, else CKR_CRYPTOKI_NOT_INITIALIZED. One load. */
CK_RV mux_check(void);

/* The virtual tokens in the order of the configuration; valid between slot_take/session_take and
 * their give, or while nobody finalises. */
size_t mux_group_count(void);
struct group *mux_group(size_t i);

/* The configuration in force, tokens that were discovered included. As mux_group. */
const struct config *mux_config(void);

/* Enters with a slot number: the virtual token, protected from C_Finalize until slot_give().
 * CKR_CRYPTOKI_NOT_INITIALIZED, CKR_SLOT_ID_INVALID. */
CK_RV slot_take(CK_SLOT_ID slot, struct group **group);

/* Enters without a slot (C_GetSlotList, C_GetInfo). As slot_take. */
CK_RV mux_take(void);

/* Leaves after slot_take or mux_take succeeded. */
void slot_give(void);

/* Blocks until C_Finalize begins (C_WaitForSlotEvent); returns CKR_CRYPTOKI_NOT_INITIALIZED. */
CK_RV mux_wait_end(void);

#endif
