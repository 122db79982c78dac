/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies one structure of a mechanism's parameter, field by field, as its layout says.
 *
 * Every structure is read once from the application into a struct part; only that is looked at,
 * because another thread of the application may write to the original. Pointers in it are replaced
 * one by one by pointers into the arena, then it goes to its place. When the arena is full the same
 * code only measures (`at` is NULL). Handles are noted with their place in the arena. No state, no
 * locks. */
#include "core/base/mech_walk.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/attr.h"

/* One byte field; AAD may be a file. */
#define BYTES_MAX (64UL * 1024 * 1024)
/* A whole parameter. */
#define TOTAL_MAX (128UL * 1024 * 1024)
/* Elements of one array; the standard's own examples have fewer than ten. */
#define ARRAY_MAX 64
/* Mechanisms within mechanisms. */
#define DEPTH_MAX 4
/* Below this ulPasswordLen of PBKDF2 is a length, else the address of one: no password is so long
 * and no address so low. */
#define PASSWORD_LEN_MAX 4096
/* Content types are short; see CK_CMS_SIG_PARAMS. */
#define STRING_MAX 4096
/* Linux maps nothing for programs outside of these. */
#define ADDRESS_MIN 0x10000UL
#define ADDRESS_MAX (1UL << 56)

/* One structure that is being copied. */
struct part {
	unsigned char *from; /* the application's */
	unsigned char *at;   /* where the copy goes; NULL while only measuring */
	union {
		unsigned char bytes[MECH_LAYOUT_MAX];
		CK_ULONG align;
	} now; /* what was read, with pointers replaced one by one */
};

CK_RV walk_bad(struct walk *w, const char *why)
{
	w->why = why;
	return CKR_MECHANISM_PARAM_INVALID;
}

bool address_mapped(CK_ULONG value)
{
	uintptr_t page_mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t page = (uintptr_t)value & ~page_mask;
	unsigned char resident;
	int saved = errno;
	bool is_mapped;

	if (value < ADDRESS_MIN || value >= ADDRESS_MAX)
		return false;
	/* Any other failure than ENOMEM says nothing, so the answer is the careful one. */
	is_mapped = mincore((void *)page, 1, &resident) == 0 || errno != ENOMEM;
	errno = saved;
	return is_mapped;
}

CK_RV walk_take(struct walk *w, size_t n, unsigned char **at)
{
	size_t start = w->used;

	*at = NULL;
	n = (n + sizeof(CK_ULONG) - 1) / sizeof(CK_ULONG) * sizeof(CK_ULONG);
	if (n > TOTAL_MAX - start)
		return walk_bad(w, "the parameter is too long");
	w->used = start + n;
	if (w->used <= w->size)
		*at = w->base + start;
	return CKR_OK;
}

CK_RV walk_bytes(struct walk *w, void **p, CK_ULONG len)
{
	unsigned char *at;
	CK_RV rv;

	if (!*p)
		return len ? walk_bad(w, "a NULL pointer with a length") : CKR_OK;
	if (len > BYTES_MAX)
		return walk_bad(w, "a length is absurd");
	if (w->is_guess && !address_mapped((CK_ULONG)(uintptr_t)*p))
		return walk_bad(w, "an address is wrong");
	rv = walk_take(w, len, &at);
	if (rv == CKR_OK && at && len)
		memcpy(at, *p, len);
	*p = at;
	return rv;
}

static CK_RV walk_handle(struct walk *w, unsigned char *at, CK_OBJECT_HANDLE virtual)
{
	struct mech *m = w->out;

	if (!at)
		return CKR_OK;
	if (m->handle_count == MECH_MAX_HANDLES)
		return walk_bad(w, "too many object handles");
	m->handle[m->handle_count++] =
		(struct mech_handle){.where = (CK_OBJECT_HANDLE *)(void *)at, .virtual = virtual};
	return CKR_OK;
}

static CK_RV walk_made(struct walk *w, unsigned char *at, void *app)
{
	struct mech *m = w->out;

	if (!at)
		return CKR_OK;
	if (m->made_count == MECH_MAX_HANDLES)
		return walk_bad(w, "too many objects to make");
	m->made[m->made_count++] =
		(struct mech_made){.where = (CK_OBJECT_HANDLE *)(void *)at, .app = app};
	return CKR_OK;
}

static CK_ULONG part_number(const struct part *p, size_t offset)
{
	CK_ULONG n;

	memcpy(&n, p->now.bytes + offset, sizeof(n));
	return n;
}

static void part_set_number(struct part *p, size_t offset, CK_ULONG n)
{
	memcpy(p->now.bytes + offset, &n, sizeof(n));
}

static void *part_pointer(const struct part *p, size_t offset)
{
	void *pointer;

	memcpy(&pointer, p->now.bytes + offset, sizeof(pointer));
	return pointer;
}

static void part_set_pointer(struct part *p, size_t offset, const void *pointer)
{
	memcpy(p->now.bytes + offset, &pointer, sizeof(pointer));
}

static bool part_holds(const struct part *p, const struct mech_field *f,
		       const struct mech_when *when)
{
	switch (when->test) {
	case WHEN_ALWAYS:
		return true;
	case WHEN_NEVER:
		return false;
	case WHEN_NONZERO:
		return part_number(p, f->at) != 0;
	case WHEN_TRUE:
		return p->now.bytes[when->at] != CK_FALSE;
	case WHEN_EQUAL:
		return part_number(p, when->at) == when->value;
	}
	return false;
}

/* A pointer with a length. */
static CK_RV field_bytes(struct walk *w, struct part *p, const struct mech_field *f, CK_ULONG len)
{
	void *pointer = part_pointer(p, f->at);
	CK_RV rv = walk_bytes(w, &pointer, len);

	part_set_pointer(p, f->at, pointer);
	return rv;
}

static CK_RV field_string(struct walk *w, struct part *p, const struct mech_field *f)
{
	const char *string = part_pointer(p, f->at);
	size_t len = string ? strnlen(string, STRING_MAX) : 0;
	char *copy;
	CK_RV rv;

	if (len == STRING_MAX)
		return walk_bad(w, "a string is too long");
	rv = field_bytes(w, p, f, string ? len + 1 : 0);
	copy = part_pointer(p, f->at);
	/* The application may have written over the end since it was looked for. */
	if (rv == CKR_OK && copy)
		copy[len] = '\0';
	return rv;
}

static CK_RV field_handle(struct walk *w, struct part *p, const struct mech_field *f, bool is_used)
{
	if (!is_used) {
		part_set_number(p, f->at, CK_INVALID_HANDLE);
		return CKR_OK;
	}
	return walk_handle(w, p->at ? p->at + f->at : NULL, part_number(p, f->at));
}

/* A pointer to one handle. */
static CK_RV field_value_handle(struct walk *w, struct part *p, const struct mech_field *f)
{
	CK_OBJECT_HANDLE virtual;
	void *from = part_pointer(p, f->at);
	unsigned char *at;
	CK_RV rv;

	if (!from || part_number(p, f->len) != sizeof(virtual))
		return walk_bad(w, "an object handle has a wrong length");
	rv = walk_take(w, sizeof(virtual), &at);
	if (rv != CKR_OK)
		return rv;
	memcpy(&virtual, from, sizeof(virtual));
	if (at)
		memcpy(at, &virtual, sizeof(virtual));
	part_set_pointer(p, f->at, at);
	return walk_handle(w, at, virtual);
}

/* A cipher text that a member writes to the application, and its length, which it writes here. */
static void field_cipher_out(struct walk *w, struct part *p, const struct mech_field *f)
{
	if (!p->at)
		return;
	w->out->length_where = (CK_ULONG *)(void *)(p->at + f->len);
	w->out->length_app = (CK_ULONG *)(void *)(p->from + f->len);
}

/* The password of PBKDF2; its length stays in the form in which the application gave it. */
static CK_RV field_password(struct walk *w, struct part *p, const struct mech_field *f)
{
	CK_ULONG len = part_number(p, f->len);
	unsigned char *at;
	CK_RV rv;

	if (len < PASSWORD_LEN_MAX)
		return field_bytes(w, p, f, len);
	if (!address_mapped(len))
		return walk_bad(w, "ulPasswordLen is neither a length nor an address");
	rv = walk_take(w, sizeof(len), &at);
	if (rv != CKR_OK)
		return rv;
	memcpy(&len, (const void *)(uintptr_t)len, sizeof(len));
	if (at)
		memcpy(at, &len, sizeof(len));
	part_set_pointer(p, f->len, at);
	return field_bytes(w, p, f, len);
}

static CK_RV field_made_at(struct walk *w, struct part *p, const struct mech_field *f)
{
	const CK_OBJECT_HANDLE none = CK_INVALID_HANDLE;
	void *app = part_pointer(p, f->at);
	unsigned char *at;
	CK_RV rv;

	if (!app)
		return CKR_OK; /* the member says what it thinks of that */
	rv = walk_take(w, sizeof(none), &at);
	if (rv != CKR_OK)
		return rv;
	if (at)
		memcpy(at, &none, sizeof(none));
	part_set_pointer(p, f->at, at);
	return walk_made(w, at, app);
}

static CK_RV field_template(struct walk *w, struct part *p, const struct mech_field *f)
{
	const CK_ATTRIBUTE *tmpl = part_pointer(p, f->at);
	CK_ULONG count = part_number(p, f->len);
	unsigned char *at;
	size_t size;
	CK_RV rv;

	if (!tmpl && !count)
		return CKR_OK;
	if (attr_size(tmpl, count, &size) != CKR_OK)
		return walk_bad(w, "a nested template is malformed");
	rv = walk_take(w, size, &at);
	if (rv != CKR_OK)
		return rv;
	if (at && attr_copy_to(tmpl, count, at, size) != CKR_OK)
		return walk_bad(w, "a nested template changed while it was read");
	part_set_pointer(p, f->at, at);
	return CKR_OK;
}

static CK_RV field_mech(struct walk *w, struct part *p, const struct mech_field *f, unsigned depth)
{
	const void *from = part_pointer(p, f->at);
	CK_MECHANISM m;
	unsigned char *at;
	CK_RV rv;

	if (!from)
		return CKR_OK;
	if (depth >= DEPTH_MAX)
		return walk_bad(w, "mechanisms are nested too deeply");
	memcpy(&m, from, sizeof(m));
	rv = walk_take(w, sizeof(m), &at);
	if (rv == CKR_OK)
		rv = walk_param(w, &m, depth + 1);
	if (rv != CKR_OK)
		return rv;
	if (at)
		memcpy(at, &m, sizeof(m));
	part_set_pointer(p, f->at, at);
	return CKR_OK;
}

/* `count` structures one behind the other. */
static CK_RV field_array(struct walk *w, struct part *p, const struct mech_field *f, CK_ULONG count,
			 unsigned depth)
{
	unsigned char *from = part_pointer(p, f->at);
	size_t size = f->of->size;
	unsigned char *at;
	CK_RV rv;

	if (!from)
		return count && f->kind == FIELD_ARRAY ? walk_bad(w, "a NULL array with a count")
						       : CKR_OK;
	if (count > ARRAY_MAX)
		return walk_bad(w, "too many elements");
	if ((uintptr_t)from % sizeof(CK_ULONG))
		return walk_bad(w, "a structure is not aligned");
	rv = walk_take(w, count * size, &at);
	for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
		rv = walk_struct(w, f->of, from + i * size, at ? at + i * size : NULL, depth);
	part_set_pointer(p, f->at, at);
	return rv;
}

static CK_RV walk_field(struct walk *w, struct part *p, const struct mech_field *f, unsigned depth)
{
	bool is_used = part_holds(p, f, &f->when[0]) && part_holds(p, f, &f->when[1]);

	switch (f->kind) {
	case FIELD_BYTES:
		if (is_used)
			return field_bytes(w, p, f, part_number(p, f->len));
		part_set_pointer(p, f->at, NULL);
		part_set_number(p, f->len, 0);
		return CKR_OK;
	case FIELD_BITS:
		return field_bytes(w, p, f,
				   part_number(p, f->len) / 8 + (part_number(p, f->len) % 8 != 0));
	case FIELD_FIXED:
		return field_bytes(w, p, f, part_pointer(p, f->at) ? f->len : 0);
	case FIELD_STRING:
		return field_string(w, p, f);
	case FIELD_APP:
		return CKR_OK;
	case FIELD_HANDLE:
		return field_handle(w, p, f, is_used);
	case FIELD_VALUE:
		if (is_used)
			return field_value_handle(w, p, f);
		return field_bytes(w, p, f, part_number(p, f->len));
	case FIELD_CIPHER:
		if (!is_used)
			return field_bytes(w, p, f, part_number(p, f->len));
		field_cipher_out(w, p, f);
		return CKR_OK;
	case FIELD_PASSWORD:
		return field_password(w, p, f);
	case FIELD_MADE:
		part_set_number(p, f->at, CK_INVALID_HANDLE);
		return walk_made(w, p->at ? p->at + f->at : NULL, p->from + f->at);
	case FIELD_MADE_AT:
		return field_made_at(w, p, f);
	case FIELD_STRUCT:
		return field_array(w, p, f, 1, depth);
	case FIELD_ARRAY:
		return field_array(w, p, f, part_number(p, f->len), depth);
	case FIELD_TEMPLATE:
		return field_template(w, p, f);
	case FIELD_MECH:
		return field_mech(w, p, f, depth);
	}
	return walk_bad(w, "unknown field");
}

CK_RV walk_struct(struct walk *w, const struct mech_layout *layout, void *from, unsigned char *at,
		  unsigned depth)
{
	struct part p = {.from = from, .at = at};
	CK_RV rv = CKR_OK;

	memcpy(p.now.bytes, from, layout->size);
	/* The layout was chosen by an earlier look at the application's memory. */
	if (layout->is_this && !layout->is_this(p.now.bytes))
		return walk_bad(w, "the parameter changed while it was read");
	for (size_t i = 0; rv == CKR_OK && i < layout->count; i++)
		rv = walk_field(w, &p, &layout->fields[i], depth);
	if (rv == CKR_OK && at)
		memcpy(at, p.now.bytes, layout->size);
	return rv;
}
