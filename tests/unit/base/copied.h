/* SPDX-License-Identifier: BSD-2-Clause */
/* What several tests of core/base/mech*.c ask of a copy. */
#ifndef HSMUX_TESTS_UNIT_BASE_COPIED_H
#define HSMUX_TESTS_UNIT_BASE_COPIED_H

#include "core/base/mech.h"
#include "tests/unit/unit.h"

#define VIRTUAL 0x1234UL

/* Copies or stops the test. */
static inline void copy(struct mech *m, CK_MECHANISM_TYPE type, void *param, CK_ULONG len)
{
	CK_MECHANISM in = {type, param, len};
	const char *why = "";

	CU_ASSERT_EQUAL_FATAL(mech_copy(m, &in, NULL, NULL, &why), CKR_OK);
	CU_ASSERT_TRUE(m->is_known);
}

/* How often this handle was found at this place. */
static inline unsigned handles_of(const struct mech *m, CK_OBJECT_HANDLE virtual, const void *where)
{
	unsigned count = 0;

	for (unsigned i = 0; i < m->handle_count; i++)
		count += m->handle[i].virtual == virtual && m->handle[i].where == where;
	return count;
}

#endif
