/* SPDX-License-Identifier: BSD-2-Clause */
/* A key-encryption key that lives for one copy.
 *
 * A token that keys are brought from has no KEK in common with the virtual token that they are
 * brought to, and private keys are too long to be wrapped under RSA. So the target makes an AES key
 * for this errand, which the source gets under an RSA key of its own: it is in no memory but
 * theirs. On the source it can wrap and do nothing else. It has to leave the target once and is
 * extractable there until it goes: as a session object of this process, which is asked for nothing
 * in between. What a crash leaves goes with the sessions. No lock; both sessions are the caller's
 * alone. */
#include "core/carry_errand.h"

#include "core/kek.h"
#include "core/member_op.h"
#include "core/transport.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static CK_RV make(struct member_session *ms, CK_OBJECT_HANDLE *made)
{
	CK_ULONG len = 32;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {
		{CKA_TOKEN, &no, sizeof no},         {CKA_SENSITIVE, &yes, sizeof yes},
		{CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_WRAP, &yes, sizeof yes},
		{CKA_UNWRAP, &yes, sizeof yes},      {CKA_ENCRYPT, &no, sizeof no},
		{CKA_DECRYPT, &no, sizeof no},       {CKA_VALUE_LEN, &len, sizeof len}};

	return member_make_aes(ms, tmpl, COUNT(tmpl), made);
}

static CK_RV send(struct errand *e)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	const CK_ATTRIBUTE tmpl[] = {
		{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type},
		{CKA_TOKEN, &no, sizeof no},       {CKA_SENSITIVE, &yes, sizeof yes},
		{CKA_EXTRACTABLE, &no, sizeof no}, {CKA_WRAP, &yes, sizeof yes},
		{CKA_UNWRAP, &no, sizeof no},      {CKA_ENCRYPT, &no, sizeof no},
		{CKA_DECRYPT, &no, sizeof no}};
	struct transport *t = NULL;
	CK_RV rv = transport_open(e->from, &t);

	if (rv == CKR_OK)
		rv = transport_carry(t, e->to, e->kek[1], tmpl, COUNT(tmpl), &e->kek[0]);
	transport_close(t);
	return rv;
}

CK_RV errand_open(struct member_session *from, struct member_session *to, struct errand *e)
{
	bool same = false;
	CK_RV rv;

	*e = (struct errand){.from = from, .to = to};
	rv = make(to, &e->kek[1]);
	if (rv == CKR_OK)
		rv = send(e);
	if (rv == CKR_OK)
		rv = kek_is_same_key(&(struct kek_place){from, e->kek[0]},
				     &(struct kek_place){to, e->kek[1]}, &same);
	return rv == CKR_OK && !same ? CKR_MECHANISM_INVALID : rv;
}

void errand_close(struct errand *e)
{
	struct member_session *at[2] = {e->from, e->to};

	for (unsigned i = 0; i < 2; i++)
		if (e->kek[i])
			member_destroy(at[i], e->kek[i]);
	*e = (struct errand){0};
}
