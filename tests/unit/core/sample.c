/* SPDX-License-Identifier: BSD-2-Clause */
/* A record for tests. */
#include "tests/unit/core/sample.h"

#include <stdlib.h>
#include <string.h>

static void need(bool ok)
{
	if (!ok)
		abort(); /* a test without memory is of no use */
}

void sample_print(struct record *r, unsigned char first)
{
	for (unsigned i = 0; i < FINGERPRINT_LEN; i++)
		r->print[i] = (uint8_t)(first + i);
}

void sample_begin(struct record *r)
{
	*r = (struct record){
		.version = 3, .class = CKO_SECRET_KEY, .key_type = CKK_AES, .may_export = true};
	sample_print(r, 0);
}

void sample_fill(struct record *r)
{
	r->state = RECORD_RETIRED;
	need(buf_add(&r->id, "\x00\xff", 2));
	need(buf_add(&r->label, "my key", 6));
	r->is_public = r->is_fixed = r->is_single = r->is_lasting = true;
	r->is_shared = r->is_unwritten = true;
	r->owed = 5;
	r->also_count = 1;
	memset(r->also[0], 0xab, sizeof r->also[0]);
	need(record_set_note(r, RECORD_PURPOSE, "TLS"));
	need(record_set_note(r, RECORD_CEREMONY, "2026-1 \xc3\xa9"));
}

bool sample_is_same(const struct record *a, const struct record *b)
{
	bool same = memcmp(a->print, b->print, sizeof a->print) == 0 && a->version == b->version &&
		    a->state == b->state && a->class == b->class && a->key_type == b->key_type &&
		    a->id.len == b->id.len && a->label.len == b->label.len &&
		    a->is_public == b->is_public && a->may_export == b->may_export &&
		    a->is_fixed == b->is_fixed && a->is_single == b->is_single &&
		    a->is_lasting == b->is_lasting && a->is_shared == b->is_shared &&
		    a->is_unwritten == b->is_unwritten && a->owed == b->owed &&
		    a->also_count == b->also_count &&
		    memcmp(a->also, b->also, a->also_count * sizeof a->also[0]) == 0;

	for (size_t i = 0; i < RECORD_NOTES; i++)
		same = same && !a->note[i] == !b->note[i] &&
		       (!a->note[i] || strcmp(a->note[i], b->note[i]) == 0);
	return same;
}
