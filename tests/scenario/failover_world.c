/* SPDX-License-Identifier: BSD-2-Clause */
/* The application of the failover driver: its token, its handles, its place in an operation.
 * Handles are found once and kept whatever happens to members, which is what applications do. */
#include "tests/scenario/failover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool world_offers(const struct world *w, CK_MECHANISM_TYPE type)
{
	CK_MECHANISM_INFO info;

	return type == CK_UNAVAILABLE_INFORMATION ||
	       w->app.f->C_GetMechanismInfo(w->slot, type, &info) == CKR_OK;
}

static CK_RV find_one(const struct world *w, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class,
		      const char *label, CK_OBJECT_HANDLE *found)
{
	CK_FUNCTION_LIST *f = w->app.f;
	char name[16];
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof(class)},
			       {CKA_LABEL, name, strlen(label)}};
	CK_OBJECT_HANDLE both[2];
	CK_ULONG count = 0;
	CK_RV rv;

	(void)snprintf(name, sizeof(name), "%s", label);
	rv = f->C_FindObjectsInit(session, tmpl, 2);
	if (rv == CKR_OK)
		rv = f->C_FindObjects(session, both, 2, &count);
	if (rv == CKR_OK)
		rv = f->C_FindObjectsFinal(session);
	if (rv == CKR_OK && count != 1)
		rv = CKR_OBJECT_HANDLE_INVALID;
	if (rv == CKR_OK)
		*found = both[0];
	return rv;
}

CK_RV world_find(const struct world *w, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *things)
{
	static const struct {
		CK_OBJECT_CLASS class;
		const char *label;
	} set[THINGS] = {
		[RSA_PRIVATE] = {CKO_PRIVATE_KEY, "rsa"}, [RSA_PUBLIC] = {CKO_PUBLIC_KEY, "rsa"},
		[EC_PRIVATE] = {CKO_PRIVATE_KEY, "ec"},   [EC_PUBLIC] = {CKO_PUBLIC_KEY, "ec"},
		[AES_KEY] = {CKO_SECRET_KEY, "aes"},      [MAC_KEY] = {CKO_SECRET_KEY, "mac"},
		[CERTIFICATE] = {CKO_CERTIFICATE, "rsa"},
	};
	CK_RV rv = CKR_OK;

	for (unsigned i = 0; i < THINGS && rv == CKR_OK; i++)
		rv = find_one(w, session, set[i].class, set[i].label, &things[i]);
	return rv;
}

void seat_take(struct seat *seat, struct world *w)
{
	*seat = (struct seat){.world = w, .session = app_enter(&w->app, w->label)};
}

void op_step(struct seat *seat)
{
	if (++seat->step == seat->strikes)
		plan_write(seat->plan_file, seat->plan);
}

CK_RV op_run(struct seat *seat, const struct op *op)
{
	CK_RV rv;

	seat->step = 0;
	rv = op->run(seat);
	if (rv == CKR_OK && seat->step != op->steps) {
		fprintf(stderr, "%s: %u steps instead of %u\n", op->name, seat->step, op->steps);
		exit(1);
	}
	return rv;
}

static const struct op *const lists[] = {ops_sign, ops_cipher, ops_other};

const struct op *op_next(const struct world *w, const struct op *op)
{
	bool is_after = op == NULL;

	for (unsigned i = 0; i < 3; i++)
		for (const struct op *o = lists[i]; o->name; o++) {
			if (is_after && world_offers(w, o->mechanism))
				return o;
			is_after = is_after || o == op;
		}
	return NULL;
}

const struct op *op_named(const char *name)
{
	for (unsigned i = 0; i < 3; i++)
		for (const struct op *o = lists[i]; o->name; o++)
			if (strcmp(o->name, name) == 0)
				return o;
	fprintf(stderr, "no operation %s\n", name);
	exit(2);
}
