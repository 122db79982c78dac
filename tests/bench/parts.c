/* SPDX-License-Identifier: BSD-2-Clause */
/* Work in several parts: small ones, for what a single Update costs, and 1 MiB in 64, for what
 * hsmux keeps in order to repeat an operation on another member. */
#include "tests/bench/bench.h"

#define SMALL 64
#define LARGE 16384

static CK_BYTE data[LARGE];

/* An operation in parts: the same shape for all kinds. */
static CK_RV sign(const struct side *s, CK_SESSION_HANDLE session, unsigned parts, CK_ULONG len)
{
	CK_MECHANISM m = {s->sign, NULL, 0};
	CK_BYTE out[512];
	CK_ULONG out_len = sizeof(out);
	CK_RV rv = s->m.f->C_SignInit(session, &m, s->key);

	for (unsigned i = 0; i < parts && rv == CKR_OK; i++)
		rv = s->m.f->C_SignUpdate(session, data, len);
	return rv == CKR_OK ? s->m.f->C_SignFinal(session, out, &out_len) : rv;
}

static CK_RV digest(const struct side *s, CK_SESSION_HANDLE session, unsigned parts, CK_ULONG len)
{
	CK_MECHANISM m = {CKM_SHA256, NULL, 0};
	CK_BYTE out[32];
	CK_ULONG out_len = sizeof(out);
	CK_RV rv = s->m.f->C_DigestInit(session, &m);

	for (unsigned i = 0; i < parts && rv == CKR_OK; i++)
		rv = s->m.f->C_DigestUpdate(session, data, len);
	return rv == CKR_OK ? s->m.f->C_DigestFinal(session, out, &out_len) : rv;
}

static CK_RV encrypt(const struct side *s, CK_SESSION_HANDLE session, CK_MECHANISM *m,
		     unsigned parts, CK_ULONG len)
{
	static _Thread_local CK_BYTE out[LARGE + 32];
	CK_ULONG out_len;
	CK_RV rv = s->m.f->C_EncryptInit(session, m, s->aes);

	for (unsigned i = 0; i < parts && rv == CKR_OK; i++) {
		out_len = sizeof(out);
		rv = s->m.f->C_EncryptUpdate(session, data, len, out, &out_len);
	}
	out_len = sizeof(out);
	return rv == CKR_OK ? s->m.f->C_EncryptFinal(session, out, &out_len) : rv;
}

CK_RV parts_run(const struct side *s, CK_SESSION_HANDLE session, enum work what)
{
	CK_BYTE iv[16] = {0};
	CK_GCM_PARAMS p = {iv, 12, 96, NULL, 0, 128};
	CK_MECHANISM cbc = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	CK_MECHANISM gcm = {CKM_AES_GCM, &p, sizeof(p)};

	if (what == WORK_SIGN_1 || what == WORK_SIGN_65)
		return sign(s, session, what == WORK_SIGN_1 ? 1 : 65, SMALL);
	if (what == WORK_CBC_1 || what == WORK_CBC_65)
		return encrypt(s, session, &cbc, what == WORK_CBC_1 ? 1 : 65, SMALL);
	if (what == WORK_MIB_SIGN)
		return sign(s, session, 64, LARGE);
	if (what == WORK_MIB_CBC)
		return encrypt(s, session, &cbc, 64, LARGE);
	if (what == WORK_MIB_GCM)
		return encrypt(s, session, &gcm, 64, LARGE);
	return digest(s, session, 64, LARGE);
}
