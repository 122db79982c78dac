/* SPDX-License-Identifier: BSD-2-Clause */
/* Object handles hidden in mechanism parameters: through hsmux every one of them must arrive at the
 * null token as the token's own handle, every one that the token writes must come back as hsmux's,
 * and one that is wrong must be refused before the token sees it.
 *
 *   hidden-handles MODULE LABEL
 *
 * BADINPUT_PIN and NULL_TOKEN_STATS in the environment. Writes TAP. The structures are written down
 * in tests/token/params.h, independently of hsmux's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"
#include "tests/token/load.h"
#include "tests/token/null.h"
#include "tests/token/params.h"

#define MORE 3

/* The session and the key that everything uses, and one key that does not exist. */
static CK_FUNCTION_LIST *f;
static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE base;
static CK_OBJECT_HANDLE key;
static const struct null_stats *stats;
static unsigned count;

static CK_BYTE bytes[48] = "some bytes for every field that wants some";
static CK_BYTE iv_out[2][16];
static CK_BBOOL no = CK_FALSE;
static CK_ATTRIBUTE session_key[] = {{CKA_TOKEN, &no, sizeof(no)}};

static void result(bool is_good, const char *what, CK_MECHANISM_TYPE type)
{
	char spare[NAME_MAX_LEN];

	printf("%sok %u - %s %s\n", is_good ? "" : "not ", ++count,
	       name_of(NAME_MECHANISM, type, spare), what);
}

static bool is_code(const char *what, CK_RV rv, CK_RV expected)
{
	char spare[2][NAME_MAX_LEN];

	if (rv == expected)
		return true;
	printf("#   %s: %s, expected %s\n", what, name_of(NAME_RV, rv, spare[0]),
	       name_of(NAME_RV, expected, spare[1]));
	return false;
}

/* True when the object exists for hsmux: what a member made must have become one of hsmux's
 * objects. */
static bool is_object(CK_OBJECT_HANDLE o)
{
	CK_OBJECT_CLASS class = 0;
	CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof(class)};

	return is_code("handle that came back", f->C_GetAttributeValue(session, o, &a, 1),
		       CKR_OK) &&
	       class == CKO_SECRET_KEY && o < 0x80000000UL;
}

static CK_RV derive(CK_MECHANISM_TYPE type, void *param, CK_ULONG len)
{
	CK_MECHANISM m = {type, param, len};
	CK_OBJECT_HANDLE out = 0;
	CK_RV rv = f->C_DeriveKey(session, &m, base, session_key, 1, &out);

	if (rv == CKR_OK && !is_object(out))
		return CKR_GENERAL_ERROR;
	return rv;
}

static CK_RV sign_init(CK_MECHANISM_TYPE type, void *param, CK_ULONG len)
{
	CK_MECHANISM m = {type, param, len};
	CK_RV rv = f->C_SignInit(session, &m, base);

	if (rv == CKR_OK)
		(void)f->C_SignInit(session, NULL, 0);
	return rv;
}

static CK_RV wrap(CK_MECHANISM_TYPE type, void *param, CK_ULONG len)
{
	CK_MECHANISM m = {type, param, len};
	CK_BYTE out[256];
	CK_ULONG out_len = sizeof(out);

	return f->C_WrapKey(session, &m, base, key, out, &out_len);
}

typedef CK_RV use_function(CK_MECHANISM_TYPE type, void *param, CK_ULONG len);

/* Right handles work; each wrong one is refused and never reaches the token. `fields` are the
 * places of the handles inside the parameter. */
static void handles(CK_MECHANISM_TYPE type, use_function *use, void *param, CK_ULONG len,
		    CK_OBJECT_HANDLE *const *fields, unsigned field_count)
{
	uint64_t foreign = atomic_load(&stats->foreign);
	bool is_good = is_code("right handles", use(type, param, len), CKR_OK);

	for (unsigned i = 0; i < field_count; i++) {
		CK_OBJECT_HANDLE right = *fields[i];

		*fields[i] = 0x7ffffff1UL;
		is_good &= is_code("wrong handle", use(type, param, len), CKR_KEY_HANDLE_INVALID) ||
			   is_code("or", use(type, param, len), CKR_MECHANISM_PARAM_INVALID);
		*fields[i] = right;
	}
	result(is_good && atomic_load(&stats->foreign) == foreign,
	       "translates the handles in its parameter", type);
}

/* A field that the standard gives no meaning now may hold anything. */
static void ignores(CK_MECHANISM_TYPE type, use_function *use, void *param, CK_ULONG len)
{
	uint64_t foreign = atomic_load(&stats->foreign);
	bool is_good = is_code("meaningless handle", use(type, param, len), CKR_OK);

	result(is_good && atomic_load(&stats->foreign) == foreign,
	       "leaves meaningless fields alone", type);
}

static void key_agreement(void)
{
	static const CK_MECHANISM_TYPE mqv[] = {P_ECMQV_DERIVE, P_X9_42_MQV_DERIVE};
	CK_OBJECT_HANDLE one = key;
	struct p_mqv p = {{1, 4, bytes, 8, bytes, 8, key, 8, bytes}, key};
	CK_ULONG offset = key; /* a bit offset that happens to be a handle's number */

	handles(P_CONCATENATE_BASE_AND_KEY, derive, &one, sizeof(one), (CK_OBJECT_HANDLE *[]){&one},
		1);
	handles(P_X9_42_DH_HYBRID_DERIVE, derive, &p.dh2, sizeof(p.dh2),
		(CK_OBJECT_HANDLE *[]){&p.dh2.private}, 1);
	for (int i = 0; i < 2; i++)
		handles(mqv[i], derive, &p, sizeof(p),
			(CK_OBJECT_HANDLE *[]){&p.dh2.private, &p.public_key}, 2);
	ignores(P_EXTRACT_KEY_FROM_KEY, derive, &offset, sizeof(offset));
}

static void hkdf(void)
{
	struct p_hkdf p = {CK_TRUE, CK_TRUE, CKM_SHA256, P_HKDF_SALT_KEY, NULL, 0, key, bytes, 4};

	handles(P_HKDF_DERIVE, derive, &p, sizeof(p), (CK_OBJECT_HANDLE *[]){&p.salt_key}, 1);
	p.salt_type = 1; /* CKF_HKDF_SALT_NULL */
	p.salt_key = 0x12345;
	ignores(P_HKDF_DERIVE, derive, &p, sizeof(p));
}

static void ike(void)
{
	struct p_ike2_prf_plus plus = {CKM_SHA256_HMAC, CK_TRUE, key, bytes, 4};
	struct p_ike_prf prf = {CKM_SHA256_HMAC, CK_FALSE, CK_TRUE, bytes, 4, bytes, 4, key};
	struct p_ike1_prf one = {CKM_SHA256_HMAC, CK_TRUE, key, key, bytes, 4, bytes, 4, 1};
	struct p_ike1_extended extended = {CKM_SHA256_HMAC, CK_TRUE, key, bytes, 4};

	handles(P_IKE2_PRF_PLUS_DERIVE, derive, &plus, sizeof(plus),
		(CK_OBJECT_HANDLE *[]){&plus.seed_key}, 1);
	handles(P_IKE_PRF_DERIVE, derive, &prf, sizeof(prf), (CK_OBJECT_HANDLE *[]){&prf.new_key},
		1);
	handles(P_IKE1_PRF_DERIVE, derive, &one, sizeof(one),
		(CK_OBJECT_HANDLE *[]){&one.gxy, &one.prev_key}, 2);
	handles(P_IKE1_EXTENDED_DERIVE, derive, &extended, sizeof(extended),
		(CK_OBJECT_HANDLE *[]){&extended.gxy}, 1);
	plus.has_seed_key = prf.rekey = one.has_prev_key = extended.has_gxy = CK_FALSE;
	plus.seed_key = prf.new_key = one.prev_key = extended.gxy = 0x12345;
	ignores(P_IKE2_PRF_PLUS_DERIVE, derive, &plus, sizeof(plus));
	ignores(P_IKE_PRF_DERIVE, derive, &prf, sizeof(prf));
	ignores(P_IKE1_PRF_DERIVE, derive, &one, sizeof(one));
	ignores(P_IKE1_EXTENDED_DERIVE, derive, &extended, sizeof(extended));
}

static void nested(void)
{
	CK_MECHANISM inner = {CKM_SHA256_HMAC, NULL, 0};
	struct p_kip kip = {&inner, key, bytes, 8};
	struct p_cms_sig cms = {key, &inner, &inner, NULL, NULL, 0, NULL, 0};
	struct p_gost_wrap gost = {bytes, 4, bytes, 8, key};

	handles(P_KIP_DERIVE, derive, &kip, sizeof(kip), (CK_OBJECT_HANDLE *[]){&kip.key}, 1);
	handles(P_KIP_MAC, sign_init, &kip, sizeof(kip), (CK_OBJECT_HANDLE *[]){&kip.key}, 1);
	handles(P_CMS_SIG, sign_init, &cms, sizeof(cms), (CK_OBJECT_HANDLE *[]){&cms.certificate},
		1);
	handles(P_GOSTR3410_KEY_WRAP, wrap, &gost, sizeof(gost), (CK_OBJECT_HANDLE *[]){&gost.key},
		1);
	kip.key = 0;
	cms.certificate = 0;
	ignores(P_KIP_DERIVE, derive, &kip, sizeof(kip));
	ignores(P_CMS_SIG, sign_init, &cms, sizeof(cms));
}

static void ratchet(void)
{
	struct p_x2ratchet p = {bytes, {key, key, key}, CK_FALSE, 0, CKM_AES_GCM, 1};

	handles(P_X2RATCHET_INITIALIZE, derive, &p, sizeof(p),
		(CK_OBJECT_HANDLE *[]){&p.key[0], &p.key[1], &p.key[2]}, 3);
	handles(P_X2RATCHET_RESPOND, derive, &p, sizeof(p),
		(CK_OBJECT_HANDLE *[]){&p.key[0], &p.key[1], &p.key[2]}, 3);
}

/* Key handles among the data, and keys that the derivation makes beside the main one. */
static void counter_kdf(CK_MECHANISM_TYPE type, void *param, CK_ULONG len, CK_OBJECT_HANDLE *in,
			const CK_OBJECT_HANDLE *made)
{
	bool is_good = true;

	handles(type, derive, param, len, (CK_OBJECT_HANDLE *[]){in}, 1);
	is_good = is_code("derive", derive(type, param, len), CKR_OK);
	for (int i = 0; i < MORE; i++)
		is_good &= is_object(made[i]);
	result(is_good, "gives back handles of hsmux's own", type);
}

static void kdfs(void)
{
	static CK_BYTE counter[16]; /* CK_SP800_108_COUNTER_FORMAT: one byte, then a number */
	CK_OBJECT_HANDLE in = key;
	CK_OBJECT_HANDLE made[MORE] = {0};
	struct p_prf_data data[] = {{1, counter, sizeof(counter)},
				    {4, bytes, 8},
				    {P_SP800_108_KEY_HANDLE, &in, sizeof(in)}};
	struct p_derived_key more[MORE] = {
		{session_key, 1, &made[0]}, {session_key, 1, &made[1]}, {NULL, 0, &made[2]}};
	struct p_sp800_108 plain = {CKM_SHA256_HMAC, 3, data, MORE, more};
	struct p_sp800_108_feedback feedback = {CKM_SHA256_HMAC, 3, data, 8, bytes, MORE, more};

	counter_kdf(P_SP800_108_COUNTER_KDF, &plain, sizeof(plain), &in, made);
	counter_kdf(P_SP800_108_PIPELINE_KDF, &plain, sizeof(plain), &in, made);
	counter_kdf(P_SP800_108_FEEDBACK_KDF, &feedback, sizeof(feedback), &in, made);
}

static CK_RV derive_without_key(CK_MECHANISM_TYPE type, void *param, CK_ULONG len)
{
	CK_MECHANISM m = {type, param, len};

	return f->C_DeriveKey(session, &m, base, session_key, 1, NULL);
}

static void tls(CK_MECHANISM_TYPE type, void *param, CK_ULONG len, const struct p_tls_out *out)
{
	bool is_good = is_code("derive", derive_without_key(type, param, len), CKR_OK) &&
		       is_object(out->client_mac) && is_object(out->server_mac) &&
		       is_object(out->client_key) && is_object(out->server_key) &&
		       out->client_key != out->server_key;

	result(is_good && out->client_iv == iv_out[0] && iv_out[0][0] != 0,
	       "gives back handles of hsmux's own and the IVs", type);
}

static void key_blocks(void)
{
	struct p_tls_out out = {0, 0, 0, 0, iv_out[0], iv_out[1]};
	struct p_randoms randoms = {bytes, 32, bytes, 32};
	struct p_tls12_keys p = {{128, 128, 64, CK_FALSE, randoms, &out}, CKM_SHA256};
	struct p_wtls_out wtls_out = {0, 0, iv_out[0]};
	struct p_wtls_keys wtls = {CKM_SHA_1, 64, 128, 64, 1, CK_FALSE, randoms, &wtls_out};

	tls(P_SSL3_KEY_AND_MAC_DERIVE, &p.keys, sizeof(p.keys), &out);
	tls(P_TLS_KEY_AND_MAC_DERIVE, &p.keys, sizeof(p.keys), &out);
	tls(P_TLS12_KEY_AND_MAC_DERIVE, &p, sizeof(p), &out);
	tls(P_TLS12_KEY_SAFE_DERIVE, &p, sizeof(p), &out);
	for (CK_MECHANISM_TYPE type = P_WTLS_SERVER_KEY_AND_MAC; type <= P_WTLS_CLIENT_KEY_AND_MAC;
	     type++)
		result(is_code("derive", derive_without_key(type, &wtls, sizeof(wtls)), CKR_OK) &&
			       is_object(wtls_out.mac) && is_object(wtls_out.key),
		       "gives back handles of hsmux's own", type);
}

static bool find_key(const char *label, CK_OBJECT_HANDLE *out)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_BYTE text[12];
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_LABEL, text, sizeof(text)}};
	CK_ULONG found = 0;

	memcpy(text, label, sizeof(text));
	return f->C_FindObjectsInit(session, tmpl, 2) == CKR_OK &&
	       f->C_FindObjects(session, out, 1, &found) == CKR_OK &&
	       f->C_FindObjectsFinal(session) == CKR_OK && found == 1;
}

static bool set_up(const char *module, const char *label)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	char *pin = getenv("BADINPUT_PIN");
	struct loaded m;
	CK_SLOT_ID slot;

	stats = load_null_stats();
	if (!stats || !pin || !load_module(module, &m))
		return false;
	f = m.f;
	return f->C_Initialize(&args) == CKR_OK && load_find_slot(f, label, &slot) &&
	       f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session) ==
		       CKR_OK &&
	       f->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)) == CKR_OK &&
	       find_key("key-00000001", &base) && find_key("key-00000002", &key);
}

int main(int argc, char **argv)
{
	if (argc < 3 || !set_up(argv[1], argv[2])) {
		fprintf(stderr, "hidden-handles: the token cannot be used\n");
		return 1;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	key_agreement();
	hkdf();
	ike();
	nested();
	ratchet();
	kdfs();
	key_blocks();
	(void)f->C_Finalize(NULL);
	printf("1..%u\n", count);
	return 0;
}
