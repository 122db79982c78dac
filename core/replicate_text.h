/* SPDX-License-Identifier: BSD-2-Clause */
/* The body of a committed creation in the journal; private to replicate_make.c and
 * replicate_copy.c. */
#ifndef HSMUX_CORE_REPLICATE_TEXT_H
#define HSMUX_CORE_REPLICATE_TEXT_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/pkcs11.h"
#include "core/record.h"

/* The objects of that class are to have this label. */
struct named {
	CK_OBJECT_CLASS class; /* CK_UNAVAILABLE_INFORMATION: of any */
	struct buf label;
};

/* What is to be done; at the most two objects come to be at once. */
struct made_text {
	struct named name[2];
	unsigned name_count;
	struct record *record; /* owned; those that are not written (record.h): who owes an object
				  of which the record is another one's */
	unsigned record_count;
};

/* Bytes as hexadecimal, "-" for none; and back. False when memory is out, or for anything else. */
bool made_text_add_hex(struct buf *out, const void *data, size_t len);
bool made_text_read_hex(const unsigned char *text, size_t len, struct buf *out);

/* Appends one word pair each. False when memory is out. */
bool made_text_add_name(struct buf *body, CK_OBJECT_CLASS class, const CK_ATTRIBUTE *label);
bool made_text_add_record(struct buf *body, const struct group *g, const struct record *r);

/* Reads it back. False, with nothing to free, for anything else. */
bool made_text_parse(const struct group *g, const struct buf *body, struct made_text *out);

void made_text_free(struct made_text *text);

#endif
