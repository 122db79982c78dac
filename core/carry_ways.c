/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of ways, and which of them two members can go.
 *
 * The same number means different formats on different makes, so that numbers need not be equal:
 * CKM_AES_KEY_WRAP_PAD is RFC 5649 on SoftHSM2, which NSS calls CKM_AES_KEY_WRAP_KWP, while its own
 * CKM_AES_KEY_WRAP_PAD is RFC 3394 over a padded key. Which pairs work is found by trying; some
 * unwrap to a wrong key, with CKR_OK. Ways come in the order of preference: key wrap, which shows
 * that nothing was changed on the way; then CBC; then the transport key, which has to be made. */
#include "core/carry_ways.h"

#include <stdio.h>

#include "core/base/names.h"

#define BLOCK 16UL
/* OAEP with SHA-256 under 2048 bits holds 190 bytes; longer ones find no way. */
#define OAEP_MAX 190UL

#define KW  CKM_AES_KEY_WRAP
#define PAD CKM_AES_KEY_WRAP_PAD
#define KWP CKM_AES_KEY_WRAP_KWP

static const struct carry_way ways[CARRY_WAYS] = {
	{.out = KWP, .in = KWP},
	{.out = PAD, .in = KWP},
	{.out = KWP, .in = PAD},
	{.out = PAD, .in = PAD},
	{.out = KW, .in = KW},
	{.out = KW, .in = KWP},
	{.out = KW, .in = PAD},
	{.out = KWP, .in = KW},
	{.out = PAD, .in = KW},
	{.out = CKM_AES_CBC_PAD, .in = CKM_AES_CBC_PAD, .has_iv = true},
	{.out = CKM_AES_CBC,
	 .in = CKM_AES_CBC,
	 .has_iv = true,
	 .is_secret_only = true,
	 .is_blocks = true},
	{.out = CKM_RSA_PKCS_OAEP,
	 .in = CKM_RSA_PKCS_OAEP,
	 .is_transport = true,
	 .is_secret_only = true},
};

const struct carry_way *carry_way(unsigned i)
{
	return &ways[i];
}

int carry_way_find(CK_MECHANISM_TYPE out, CK_MECHANISM_TYPE in)
{
	for (int i = 0; i < CARRY_WAYS; i++)
		if (ways[i].out == out && ways[i].in == in)
			return i;
	return CARRY_NO_WAY;
}

static bool fits(const struct carry_way *w, struct member *from, struct member *to,
		 const struct carry_need *need)
{
	if (w->is_secret_only && !need->is_secret)
		return false;
	if (w->is_blocks && (need->len == 0 || need->len % BLOCK != 0))
		return false;
	if (w->is_transport ? need->len > OAEP_MAX : !need->has_kek)
		return false;
	return member_offers(from, w->out) && member_offers(to, w->in);
}

size_t carry_ways_list(struct member *from, struct member *to, const struct carry_need *need,
		       unsigned list[static CARRY_WAYS])
{
	size_t n = 0;

	if (need->first != CARRY_NO_WAY && fits(&ways[need->first], from, to, need))
		list[n++] = (unsigned)need->first;
	for (unsigned i = 0; i < CARRY_WAYS; i++)
		if ((int)i != need->first && fits(&ways[i], from, to, need))
			list[n++] = i;
	return n;
}

void carry_way_text(unsigned i, char *text, size_t size)
{
	char out[NAME_MAX_LEN], in[NAME_MAX_LEN];

	(void)snprintf(text, size, "%s -> %s", name_of(NAME_MECHANISM, ways[i].out, out),
		       name_of(NAME_MECHANISM, ways[i].in, in));
}
