/* SPDX-License-Identifier: BSD-2-Clause */
/* A KEK comes to be on one member, under the tag. Used by kek_make.c. */
#ifndef HSMUX_CORE_KEK_CREATE_H
#define HSMUX_CORE_KEK_CREATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/kek_site.h"
#include "core/transport.h"

#define KEK_LEN    32U
#define KEK_ID_LEN 16U

/* What all of them have in common. */
struct kek_plan {
	uint8_t id[KEK_ID_LEN]; /* CKA_ID meanwhile: no other key's, as NSS replaces keys of one id
				 */
	const uint8_t *value;   /* KEK_LEN bytes in locked memory, or NULL: made in a member */
};

/* Generates it, for the moment extractable. site->made.real on success. */
CK_RV kek_create_new(struct kek_sites *s, struct kek_site *site, const struct kek_plan *plan);

/* Brings that of another site there, under an RSA pair of this one. */
CK_RV kek_create_carried(struct kek_sites *s, struct kek_site *site, const struct kek_plan *plan,
			 const struct kek_site *from);

/* Creates it from plan->value. */
CK_RV kek_create_given(struct kek_sites *s, struct kek_site *site, const struct kek_plan *plan);

/* Makes it sensitive and not extractable where it is not. CKR_ATTRIBUTE_READ_ONLY when the member
 * does not do that. */
CK_RV kek_create_lock(struct kek_sites *s, struct kek_site *site);

/* Whether it is as a KEK has to be; what is not, in words, or NULL. */
const char *kek_flaw(const struct kek_view *view);

#endif
