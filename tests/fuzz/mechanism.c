/* SPDX-License-Identifier: BSD-2-Clause */
/* Mechanisms of a fuzzer's input: the forms of all parameters with pointers, one letter a word,
 * written down from the standard and not from hsmux's tables.
 *
 *   u number   n length   p pointer   h handle   f flags (one or two CK_BBOOL)   m mechanism
 *   t template and its count   o pointer to room for results   k pointer to a handle   s small
 * number */
#include <string.h>

#include "tests/fuzz/input.h"
#include "tests/token/params.h"

struct form {
	CK_MECHANISM_TYPE type;
	const char *words;
};

/* clang-format off */
static const struct form forms[] = {
	{CKM_RSA_PKCS, ""},
	{CKM_ECDSA, ""},
	{CKM_SHA256, ""},
	{CKM_SHA256_HMAC, ""},
	{CKM_AES_KEY_GEN, ""},
	{CKM_EC_KEY_PAIR_GEN, ""},
	{CKM_AES_ECB, ""},
	{CKM_AES_KEY_WRAP, ""},
	{CKM_AES_CBC, "uu"},
	{CKM_AES_CTR, "uuu"},
	{CKM_AES_GCM, "pnupnu"},
	{CKM_AES_GCM, "pnpnu"},
	{CKM_AES_CCM, "upnpnu"},
	{CKM_RSA_PKCS_PSS, "uuu"},
	{CKM_RSA_PKCS_OAEP, "uuupn"},
	{CKM_ECDH1_DERIVE, "unpnp"},
	{CKM_AES_CBC_ENCRYPT_DATA, "uupn"},
	{CKM_CONCATENATE_BASE_AND_DATA, "pn"},
	{CKM_SHA256_KEY_DERIVATION, ""},
	{CKM_PBE_SHA1_DES3_EDE_CBC, "opnpnu"},
	{CKM_PKCS5_PBKD2, "upnuupnpn"},
	{CKM_TLS_PRF, "pnpnoo"},
	{CKM_SSL3_MASTER_KEY_DERIVE, "pnpno"},
	{CKM_TLS_MASTER_KEY_DERIVE, "pnpno"},
	{P_CONCATENATE_BASE_AND_KEY, "h"},
	{P_EXTRACT_KEY_FROM_KEY, "u"},
	{P_X9_42_DH_HYBRID_DERIVE, "unpnpnhnp"},
	{P_X9_42_MQV_DERIVE, "unpnpnhnph"},
	{P_ECMQV_DERIVE, "unpnpnhnph"},
	{P_HKDF_DERIVE, "fuspnhpn"},
	{P_IKE2_PRF_PLUS_DERIVE, "ufhpn"},
	{P_IKE_PRF_DERIVE, "ufpnpnh"},
	{P_IKE1_PRF_DERIVE, "ufhhpnpnf"},
	{P_IKE1_EXTENDED_DERIVE, "ufhpn"},
	{P_KIP_DERIVE, "mhpn"},
	{P_KIP_WRAP, "mhpn"},
	{P_KIP_MAC, "mhpn"},
	{P_CMS_SIG, "hmmppnpn"},
	{P_GOSTR3410_KEY_WRAP, "pnpnh"},
	{P_X2RATCHET_INITIALIZE, "phhhfuuu"},
	{P_X2RATCHET_RESPOND, "phhhfuuu"},
	{P_SSL3_KEY_AND_MAC_DERIVE, "sssfpnpno"},
	{P_TLS_KEY_AND_MAC_DERIVE, "sssfpnpno"},
	{P_TLS12_KEY_AND_MAC_DERIVE, "sssfpnpnou"},
	{P_TLS12_KEY_SAFE_DERIVE, "sssfpnpnou"},
	{P_WTLS_SERVER_KEY_AND_MAC, "ussssfpnpno"},
	{P_WTLS_CLIENT_KEY_AND_MAC, "ussssfpnpno"},
};
/* clang-format on */

union word {
	CK_ULONG n;
	void *p;
};

#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

/* One word; `words` is where the mechanism's parameter grows. */
static union word word_make(struct input *in, char kind, unsigned depth)
{
	union word w = {.n = 0};

	switch (kind) {
	case 'h':
		w.n = in->handle(in);
		break;
	case 'n':
		w.n = input_length(in);
		break;
	case 's':
		w.n = input_byte(in);
		break;
	case 'f':
		w.n = input_byte(in);
		w.n = (w.n & 1) | (w.n & 2) << 7 | (w.n & 4) << 14;
		break;
	case 'm':
		w.p = depth < 8 ? input_mechanism(in, depth + 1) : NULL;
		break;
	case 'p':
		w.p = input_byte(in) > 20 ? input_arena() : NULL;
		break;
	case 'o':
		w.p = input_byte(in) > 20 ? input_arena() + 1048576 : NULL;
		break;
	default:
		w.n = input_number(in);
		break;
	}
	return w;
}

/* Data of a derivation in counter mode: numbers, bytes and key handles. */
static CK_ULONG prf_data_make(struct input *in, struct p_prf_data *data)
{
	CK_ULONG count = input_byte(in) % 4;

	for (CK_ULONG i = 0; i < count; i++) {
		CK_OBJECT_HANDLE *key = input_take(in, sizeof(*key));

		data[i].type = input_byte(in) % 7;
		data[i].value = input_arena();
		data[i].value_len = input_length(in);
		if (data[i].type != P_SP800_108_KEY_HANDLE || !key)
			continue;
		*key = in->handle(in);
		data[i].value = key;
		data[i].value_len =
			input_byte(in) > 30 ? sizeof(*key) : input_byte(in) % sizeof(*key);
	}
	return count;
}

static CK_ULONG more_make(struct input *in, struct p_derived_key *more)
{
	CK_ULONG count = input_byte(in) % 4;

	for (CK_ULONG i = 0; i < count; i++) {
		more[i].tmpl = input_template(in, &more[i].count, false, 0);
		more[i].key = input_byte(in) > 20 ? input_take(in, sizeof(*more[i].key)) : NULL;
	}
	return count;
}

/* CK_SP800_108_KDF_PARAMS and its feedback sister. */
static void kdf_make(struct input *in, CK_MECHANISM *m, bool is_feedback)
{
	struct p_prf_data *data = input_take(in, 4 * sizeof(*data));
	struct p_derived_key *more = input_take(in, 4 * sizeof(*more));
	struct p_sp800_108_feedback *f = input_take(in, sizeof(*f));
	struct p_sp800_108 *p = input_take(in, sizeof(*p));

	m->mechanism = is_feedback ? P_SP800_108_FEEDBACK_KDF
				   : P_SP800_108_COUNTER_KDF + 2 * (input_byte(in) & 1);
	if (!data || !more || !f || !p)
		return;
	p->prf = f->prf = input_number(in);
	p->data = f->data = data;
	p->data_count = f->data_count = prf_data_make(in, data);
	p->more = f->more = more;
	p->more_count = f->more_count = more_make(in, more);
	f->iv = input_arena();
	f->iv_len = input_length(in);
	m->pParameter = is_feedback ? (void *)f : (void *)p;
	m->ulParameterLen = is_feedback ? sizeof(*f) : sizeof(*p);
}

/* The form's words, and sometimes a length that is not theirs (the pool behind them reads as
 * zeros). */
static void form_make(struct input *in, CK_MECHANISM *m, const struct form *form, unsigned depth)
{
	size_t count = strlen(form->words);
	union word *words = input_take(in, (count + 4) * sizeof(*words));
	uint8_t odd;

	m->mechanism = form->type;
	if (count == 0 || !words)
		return;
	for (size_t i = 0; i < count; i++)
		words[i] = word_make(in, form->words[i], depth);
	m->pParameter = words;
	m->ulParameterLen = count * sizeof(*words);
	odd = input_byte(in);
	if (odd > 245)
		m->ulParameterLen -= odd & 7;
	else if (odd > 235)
		m->ulParameterLen += odd & 15;
	else if (odd > 230)
		m->ulParameterLen = odd & 1 ? ~0UL : 0;
}

/* A mechanism that nobody describes, with flat bytes: hsmux decides by their look. */
static void vendor_make(struct input *in, CK_MECHANISM *m)
{
	CK_ULONG *words = input_take(in, 8 * sizeof(*words));

	m->mechanism = CKM_VENDOR_DEFINED + 1;
	if (!words)
		return;
	for (unsigned i = 0; i < 8; i++)
		words[i] = input_byte(in) & 1 ? input_number(in) : in->handle(in);
	m->pParameter = words;
	m->ulParameterLen = input_byte(in) % (8 * sizeof(*words));
}

CK_MECHANISM *input_mechanism(struct input *in, unsigned depth)
{
	uint8_t which = input_byte(in);
	CK_MECHANISM *m = input_take(in, sizeof(*m));

	if (!m || which > 250)
		return NULL;
	if (which > 240)
		kdf_make(in, m, which & 1);
	else if (which > 232)
		vendor_make(in, m);
	else if (which > 228)
		m->mechanism = input_number(in);
	else
		form_make(in, m, &forms[which % FORM_COUNT], depth);
	return m;
}
