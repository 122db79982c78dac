/* SPDX-License-Identifier: BSD-2-Clause */
/* Data objects in memory in the place of a member: for programs linked with --wrap=member_call. */
#ifndef HSMUX_TESTS_UNIT_CORE_SHELF_H
#define HSMUX_TESTS_UNIT_CORE_SHELF_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/pkcs11.h"

#define SHELF_MAX 16U

struct shelf_object {
	CK_OBJECT_HANDLE real; /* 0: free */
	CK_OBJECT_CLASS class;
	bool is_private;
	struct buf label;
	struct buf application;
	struct buf value;
};

struct shelf {
	struct shelf_object object[SHELF_MAX];
	CK_OBJECT_HANDLE last;
	bool refuses_private;     /* CKR_ATTRIBUTE_VALUE_INVALID, as NSS */
	bool refuses_application; /* a search by it: CKR_ATTRIBUTE_TYPE_INVALID */
	bool loses_application;   /* it is not kept */
	unsigned calls;
	unsigned fail_at;  /* this call, counted from 1, and all after it answer `code`; 0: none */
	bool is_one;       /* only this call */
	bool fails_behind; /* after it was done */
	CK_RV code;
};

extern struct shelf shelf;

/* Empties it, and forgets what it was told. */
void shelf_clear(void);

/* How many objects there are, and how many of them are private. */
unsigned shelf_count(void);
unsigned shelf_private(void);

/* Puts a data object there. */
struct shelf_object *shelf_put(bool is_private, const char *label, const void *value, size_t len);

#endif
