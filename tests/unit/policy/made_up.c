/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that are made up. */
#include "tests/unit/policy/made_up.h"

#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

static struct policy *parsed(const char *text)
{
	struct diag diag = {0};
	struct policy *p = policy_parse_text(text, "test", &diag);

	for (size_t i = 0; i < diag.count; i++)
		printf("%u: %s\n", diag.lines[i].line, diag.lines[i].text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	diag_free(&diag);
	return p;
}

struct policy *with(const char *text)
{
	static char whole[4096];

	(void)snprintf(whole, sizeof whole, "schema = 1; name = \"t\"; serial = 1; %s", text);
	return parsed(whole);
}

void begin(struct made_up *m, enum policy_act act, CK_MECHANISM_TYPE mech)
{
	memset(m, 0, sizeof *m);
	m->caller = (struct caller){.uid = 1000,
				    .gid = 1000,
				    .user = "ann",
				    .group = "ca",
				    .exe = "/usr/bin/app",
				    .unit = "app.service",
				    .cgroup = "/system.slice/app.service",
				    .label = "",
				    .trust = TRUST_PROCESS};
	m->facts = (struct facts){.act = act,
				  .function = "",
				  .token = "t",
				  .role = "user",
				  .caller = &m->caller,
				  .now = 1796126400};
	m->mech.mechanism = mech;
	if (mech != 0)
		m->facts.mech = &m->mech;
}

struct policy_object *add(struct made_up *m, enum policy_part part, CK_OBJECT_CLASS class,
			  CK_KEY_TYPE type, unsigned bits, const char *label)
{
	struct described *d = &m->object[m->facts.object_count];

	describe_init(d, part);
	d->object.class = class;
	d->object.type = type;
	d->object.bits = bits;
	(void)snprintf(d->label, sizeof d->label, "%s", label);
	m->facts.object[m->facts.object_count++] = &d->object;
	return &d->object;
}

struct verdict decided(const struct policy *p, const struct made_up *m)
{
	struct verdict v;

	policy_check(p, &m->facts, &v);
	return v;
}
