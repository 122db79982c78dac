/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/mech*.c that walk its own tables: every structure is filled, copied, and its
 * copy looked at after the application's memory was overwritten. A new row is tested without a new
 * test. */
#include "core/base/mech.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mech_layout.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/unit.h"

/* Every byte field of the application. */
#define FILL         0xab
#define FILL_LEN     24
#define FIRST_HANDLE 0x7000UL

#define MECH(type, form) {type, MECH_##form},
static const struct {
	CK_MECHANISM_TYPE type;
	enum mech_form form;
} rows[] = {
#include "core/base/mech.def"
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* The application's memory. */
static union {
	unsigned char bytes[16384];
	CK_ULONG align;
} app;
static size_t app_used;
static CK_ULONG next_handle;

static void *app_take(size_t n)
{
	void *at = app.bytes + app_used;

	app_used += (n + 7) / 8 * 8;
	CU_ASSERT_TRUE_FATAL(app_used <= sizeof(app.bytes));
	memset(at, FILL, n);
	return at;
}

static bool in_app(const void *p)
{
	return (uintptr_t)p >= (uintptr_t)app.bytes &&
	       (uintptr_t)p < (uintptr_t)app.bytes + sizeof(app.bytes);
}

/* The arena of a copy. */
static const unsigned char *arena(const struct mech *m, size_t *len)
{
	*len = m->block ? m->block_len : sizeof(m->local.bytes);
	return m->block ? m->block : m->local.bytes;
}

static bool in_arena(const struct mech *m, const void *p, size_t n)
{
	size_t len;
	const unsigned char *start = arena(m, &len);
	uintptr_t offset = (uintptr_t)p - (uintptr_t)start;

	return offset <= len && n <= len - offset;
}

static CK_ULONG number(const unsigned char *s, size_t at)
{
	CK_ULONG n;

	memcpy(&n, s + at, sizeof(n));
	return n;
}

static void set_number(unsigned char *s, size_t at, CK_ULONG n)
{
	memcpy(s + at, &n, sizeof(n));
}

static unsigned char *pointer(const unsigned char *s, size_t at)
{
	unsigned char *p;

	memcpy(&p, s + at, sizeof(p));
	return p;
}

static void set_pointer(unsigned char *s, size_t at, const void *p)
{
	memcpy(s + at, &p, sizeof(p));
}

static bool condition_holds(const unsigned char *s, const struct mech_field *f, unsigned i)
{
	const struct mech_when *w = &f->when[i];

	if (w->test == WHEN_NONZERO)
		return number(s, f->at) != 0;
	if (w->test == WHEN_TRUE)
		return s[w->at] != 0;
	if (w->test == WHEN_EQUAL)
		return number(s, w->at) == w->value;
	return w->test == WHEN_ALWAYS;
}

static bool field_holds(const unsigned char *s, const struct mech_field *f)
{
	return condition_holds(s, f, 0) && condition_holds(s, f, 1);
}

static void satisfy(unsigned char *s, const struct mech_field *f)
{
	for (unsigned i = 0; i < 2; i++) {
		if (f->when[i].test == WHEN_TRUE)
			s[f->when[i].at] = CK_TRUE;
		if (f->when[i].test == WHEN_EQUAL)
			set_number(s, f->when[i].at, f->when[i].value);
	}
	if (f->kind == FIELD_VALUE)
		set_number(s, f->len, sizeof(CK_OBJECT_HANDLE));
}

static void violate(unsigned char *s, const struct mech_field *f, unsigned i)
{
	if (f->when[i].test == WHEN_TRUE)
		s[f->when[i].at] = CK_FALSE;
	if (f->when[i].test == WHEN_EQUAL)
		set_number(s, f->when[i].at, f->when[i].value + 1);
	if (f->when[i].test == WHEN_NONZERO)
		set_number(s, f->at, 0);
}

static void fill(unsigned char *s, const struct mech_layout *layout);

static void fill_template(unsigned char *s, const struct mech_field *f)
{
	CK_ATTRIBUTE t[] = {{CKA_LABEL, app_take(FILL_LEN), FILL_LEN},
			    {CKA_ID, app_take(FILL_LEN), FILL_LEN}};
	void *at = app_take(sizeof(t));

	memcpy(at, t, sizeof(t));
	set_pointer(s, f->at, at);
	set_number(s, f->len, 2);
}

static void fill_field(unsigned char *s, const struct mech_field *f)
{
	CK_MECHANISM inner = {CKM_AES_CBC, NULL, FILL_LEN};
	unsigned char *at;

	switch (f->kind) {
	case FIELD_BYTES:
	case FIELD_CIPHER:
	case FIELD_PASSWORD:
	case FIELD_VALUE:
		set_pointer(s, f->at, app_take(FILL_LEN));
		set_number(s, f->len, FILL_LEN);
		break;
	case FIELD_BITS:
		set_pointer(s, f->at, app_take(FILL_LEN));
		set_number(s, f->len, FILL_LEN * 8 - 7);
		break;
	case FIELD_FIXED:
		set_pointer(s, f->at, app_take(f->len));
		break;
	case FIELD_STRING:
		at = app_take(FILL_LEN);
		at[FILL_LEN - 1] = 0;
		set_pointer(s, f->at, at);
		break;
	case FIELD_APP:
	case FIELD_MADE_AT:
		set_pointer(s, f->at, app_take(FILL_LEN));
		break;
	case FIELD_HANDLE:
		set_number(s, f->at, next_handle++);
		break;
	case FIELD_MADE:
		set_number(s, f->at, 0x6666);
		break;
	case FIELD_STRUCT:
		at = app_take(f->of->size);
		fill(at, f->of);
		set_pointer(s, f->at, at);
		break;
	case FIELD_ARRAY:
		at = app_take(2 * f->of->size);
		fill(at, f->of);
		fill(at + f->of->size, f->of);
		for (size_t i = 0; i < f->of->count; i++)
			satisfy(at + f->of->size, &f->of->fields[i]);
		set_pointer(s, f->at, at);
		set_number(s, f->len, 2);
		break;
	case FIELD_TEMPLATE:
		fill_template(s, f);
		break;
	case FIELD_MECH:
		inner.pParameter = app_take(FILL_LEN);
		at = app_take(sizeof(inner));
		memcpy(at, &inner, sizeof(inner));
		set_pointer(s, f->at, at);
		break;
	}
}

static void fill(unsigned char *s, const struct mech_layout *layout)
{
	memset(s, 0, layout->size);
	for (size_t i = 0; i < layout->count; i++)
		fill_field(s, &layout->fields[i]);
}

/* What a copy should show, counted on the original. */
struct expected {
	unsigned handles;
	unsigned made;
	unsigned app_pointers;
};

static void expect(const unsigned char *s, const struct mech_layout *layout, struct expected *e)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct mech_field *f = &layout->fields[i];
		CK_ULONG count = f->kind == FIELD_ARRAY ? number(s, f->len) : 1;

		if (f->kind == FIELD_HANDLE || f->kind == FIELD_VALUE)
			e->handles += field_holds(s, f);
		if (f->kind == FIELD_MADE || f->kind == FIELD_MADE_AT)
			e->made++;
		if (f->kind == FIELD_APP || (f->kind == FIELD_CIPHER && field_holds(s, f)))
			e->app_pointers++;
		for (CK_ULONG n = 0; f->of && n < count; n++)
			expect(pointer(s, f->at) + n * f->of->size, f->of, e);
	}
}

static void check_filled(const struct mech *m, const unsigned char *p, CK_ULONG len)
{
	CU_ASSERT_TRUE_FATAL(in_arena(m, p, len));
	for (CK_ULONG i = 0; i < len; i++)
		CU_ASSERT_EQUAL(p[i], FILL);
}

static bool has_handle(const struct mech *m, const void *where)
{
	for (unsigned i = 0; i < m->handle_count; i++) {
		if (m->handle[i].where == where)
			return *m->handle[i].where == m->handle[i].virtual;
	}
	return false;
}

static bool has_made(const struct mech *m, const void *where)
{
	for (unsigned i = 0; i < m->made_count; i++) {
		if (m->made[i].where == where)
			return *m->made[i].where == CK_INVALID_HANDLE && in_app(m->made[i].app);
	}
	return false;
}

static void check_noted(const struct mech *m, const void *where)
{
	CU_ASSERT_TRUE(has_handle(m, where));
}

static void check_cipher_out(const struct mech *m, const unsigned char *s,
			     const struct mech_field *f)
{
	CU_ASSERT_TRUE(in_app(pointer(s, f->at)));
	CU_ASSERT_PTR_EQUAL(m->length_where, s + f->len);
	CU_ASSERT_TRUE(in_app(m->length_app));
}

static void check_struct(const struct mech *m, const unsigned char *s,
			 const struct mech_layout *layout);

static void check_field(const struct mech *m, const unsigned char *s, const struct mech_field *f)
{
	bool holds = field_holds(s, f);
	CK_ATTRIBUTE a[2];
	CK_MECHANISM inner;

	switch (f->kind) {
	case FIELD_BYTES:
		if (holds)
			check_filled(m, pointer(s, f->at), FILL_LEN);
		else
			CU_ASSERT_TRUE(!pointer(s, f->at) && !number(s, f->len));
		break;
	case FIELD_VALUE:
		if (holds)
			check_noted(m, pointer(s, f->at));
		else
			check_filled(m, pointer(s, f->at), FILL_LEN);
		break;
	case FIELD_CIPHER:
		if (holds)
			check_cipher_out(m, s, f);
		else
			check_filled(m, pointer(s, f->at), FILL_LEN);
		break;
	case FIELD_PASSWORD:
	case FIELD_BITS:
		check_filled(m, pointer(s, f->at), FILL_LEN);
		break;
	case FIELD_FIXED:
		check_filled(m, pointer(s, f->at), f->len);
		break;
	case FIELD_STRING:
		check_filled(m, pointer(s, f->at), FILL_LEN - 1);
		CU_ASSERT_EQUAL(pointer(s, f->at)[FILL_LEN - 1], 0);
		break;
	case FIELD_APP:
		CU_ASSERT_TRUE(in_app(pointer(s, f->at)));
		break;
	case FIELD_HANDLE:
		/* Cleared when unused, noted when used. */
		CU_ASSERT_EQUAL(has_handle(m, s + f->at), number(s, f->at) != 0);
		break;
	case FIELD_MADE:
		CU_ASSERT_TRUE(has_made(m, s + f->at));
		break;
	case FIELD_MADE_AT:
		CU_ASSERT_TRUE(has_made(m, pointer(s, f->at)));
		break;
	case FIELD_STRUCT:
	case FIELD_ARRAY:
		for (CK_ULONG i = 0; i < (f->kind == FIELD_ARRAY ? 2 : 1); i++)
			check_struct(m, pointer(s, f->at) + i * f->of->size, f->of);
		break;
	case FIELD_TEMPLATE:
		memcpy(a, pointer(s, f->at), sizeof(a));
		check_filled(m, a[0].pValue, FILL_LEN);
		check_filled(m, a[1].pValue, FILL_LEN);
		break;
	case FIELD_MECH:
		memcpy(&inner, pointer(s, f->at), sizeof(inner));
		CU_ASSERT_EQUAL(inner.mechanism, CKM_AES_CBC);
		check_filled(m, inner.pParameter, FILL_LEN);
		break;
	}
}

static void check_struct(const struct mech *m, const unsigned char *s,
			 const struct mech_layout *layout)
{
	CU_ASSERT_TRUE_FATAL(in_arena(m, s, layout->size));
	for (size_t i = 0; i < layout->count; i++)
		check_field(m, s, &layout->fields[i]);
}

/* Words of the copy that point to the application. */
static unsigned count_app_pointers(const struct mech *m)
{
	size_t len;
	const unsigned char *start = arena(m, &len);
	unsigned count = 0;

	for (size_t i = 0; i + sizeof(void *) <= len; i += sizeof(void *))
		count += in_app(pointer(start, i));
	return count;
}

static void check_copy(CK_MECHANISM_TYPE type, const struct mech_layout *layout,
		       unsigned char *param)
{
	CK_MECHANISM in = {type, param, layout->size};
	struct expected e = {0};
	const char *why = "";
	struct mech m;

	expect(param, layout, &e);
	memset(&m, 0, sizeof(m));
	CU_ASSERT_EQUAL_FATAL(mech_copy(&m, &in, NULL, NULL, &why), CKR_OK);
	CU_ASSERT_TRUE(m.is_known);
	memset(app.bytes, 0xee, sizeof(app.bytes));
	CU_ASSERT_EQUAL(m.m.mechanism, type);
	CU_ASSERT_EQUAL(m.m.ulParameterLen, layout->size);
	CU_ASSERT_EQUAL(m.handle_count, e.handles);
	CU_ASSERT_EQUAL(m.made_count, e.made);
	CU_ASSERT_EQUAL(count_app_pointers(&m), e.app_pointers);
	check_struct(&m, m.m.pParameter, layout);
	mech_free(&m);
}

static unsigned char *filled_param(const struct mech_layout *layout)
{
	unsigned char *param;

	app_used = 0;
	next_handle = FIRST_HANDLE;
	param = app_take(layout->size);
	fill(param, layout);
	return param;
}

/* The structure with nothing satisfied, then per field with its conditions, then without each of
 * them. */
static void check_layout(CK_MECHANISM_TYPE type, const struct mech_layout *layout)
{
	check_copy(type, layout, filled_param(layout));
	for (size_t i = 0; i < layout->count; i++) {
		const struct mech_field *f = &layout->fields[i];
		unsigned char *param = filled_param(layout);

		satisfy(param, f);
		CU_ASSERT_EQUAL(field_holds(param, f), f->when[0].test != WHEN_NEVER);
		check_copy(type, layout, param);
		for (unsigned c = 0; c < 2; c++) {
			param = filled_param(layout);
			if (f->kind != FIELD_VALUE)
				satisfy(param, f);
			violate(param, f, c);
			check_copy(type, layout, param);
		}
	}
}

static CK_MECHANISM_TYPE mechanism_of(enum mech_form form)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].form == form)
			return rows[i].type;
	}
	CU_FAIL_FATAL("a form without a mechanism");
	return 0;
}

static void every_structure_is_copied_whole(void)
{
	for (unsigned form = MECH_PLAIN + 1; form < MECH_FORM_COUNT; form++) {
		const struct mech_layout *layout;
		unsigned i;

		for (i = 0; (layout = mech_form_layout((enum mech_form)form, i)) != NULL; i++) {
			CU_ASSERT_TRUE_FATAL(layout->size <= MECH_LAYOUT_MAX);
			check_layout(mechanism_of((enum mech_form)form), layout);
		}
		CU_ASSERT_TRUE(i > 0);
	}
}

static void every_failed_allocation_is_reported(void)
{
	for (unsigned form = MECH_PLAIN + 1; form < MECH_FORM_COUNT; form++) {
		const struct mech_layout *layout = mech_form_layout((enum mech_form)form, 0);
		CK_MECHANISM in = {mechanism_of((enum mech_form)form), filled_param(layout),
				   layout->size};
		const char *why = NULL;
		struct mech m;
		CK_RV rv;

		alloc_fail_at(1);
		rv = mech_copy(&m, &in, NULL, NULL, &why);
		CU_ASSERT_TRUE(alloc_seen <= 1);
		CU_ASSERT_EQUAL(rv, alloc_seen ? CKR_HOST_MEMORY : CKR_OK);
		alloc_fail_at(0);
		if (rv == CKR_OK)
			mech_free(&m);
	}
}

static const struct unit_test tests[] = {
	UNIT(every_structure_is_copied_whole),
	UNIT(every_failed_allocation_is_reported),
};

UNIT_MAIN("base/mech_table", tests)
