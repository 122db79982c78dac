/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that are made up, for tests of decisions. */
#ifndef HSMUX_TESTS_UNIT_POLICY_MADE_UP_H
#define HSMUX_TESTS_UNIT_POLICY_MADE_UP_H

#include "policy/describe.h"
#include "policy/policy.h"

/* A call that is made up. */
struct made_up {
	struct facts facts;
	struct caller caller;
	struct described object[2];
	CK_MECHANISM mech;
	CK_ATTRIBUTE attrs[4];
	CK_BBOOL flags[4];
};

/* A policy of this text behind its head; ends the test when that has a mistake. */
struct policy *with(const char *text);

/* Begins a call of an ordinary user at 2026-12-01T12:00:00Z; `mech` may be 0. */
void begin(struct made_up *m, enum policy_act act, CK_MECHANISM_TYPE mech);

/* Adds an object. */
struct policy_object *add(struct made_up *m, enum policy_part part, CK_OBJECT_CLASS class,
			  CK_KEY_TYPE type, unsigned bits, const char *label);

/* What the policy says. */
struct verdict decided(const struct policy *p, const struct made_up *m);

#endif
