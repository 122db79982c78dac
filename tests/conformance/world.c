/* SPDX-License-Identifier: BSD-2-Clause */
/* Beginnings that cases share. Objects made here are session objects unless told otherwise, so
 * nothing of them is left when the module is finalised. */
#include <string.h>

#include "tests/conformance/world.h"

CK_BBOOL world_yes = CK_TRUE;
CK_BBOOL world_no = CK_FALSE;
CK_BYTE world_p256[10] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
CK_BYTE world_key[16] = {0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe,
			 0x2b, 0x73, 0xae, 0xf0, 0x85, 0x7d, 0x77, 0x81};
CK_BYTE world_text[64] = "Sixty-four bytes of text, that is four blocks of AES, no more.";

CK_SESSION_HANDLE world_open(struct suite *t, CK_FLAGS flags)
{
	CK_SESSION_HANDLE s = 0;

	OK(t, OpenSession, t->slot, flags, NULL, NULL, &s);
	return s;
}

CK_SESSION_HANDLE world_user(struct suite *t)
{
	CK_SESSION_HANDLE s = world_open(t, RW);

	OK(t, Login, s, CKU_USER, t->pin, t->pin_len);
	return s;
}

void world_logout(struct suite *t, CK_SESSION_HANDLE s)
{
	OK(t, Logout, s);
}

CK_STATE world_state(struct suite *t, CK_SESSION_HANDLE s)
{
	CK_SESSION_INFO info = {.state = CKF_ERROR_STATE};

	OK(t, GetSessionInfo, s, &info);
	return info.state;
}

bool world_has(struct suite *t, CK_MECHANISM_TYPE type, CK_FLAGS uses)
{
	CK_MECHANISM_INFO info;

	return t->f->C_GetMechanismInfo(t->slot, type, &info) == CKR_OK &&
	       (info.flags & uses) == uses;
}

static CK_OBJECT_HANDLE create(struct suite *t, CK_SESSION_HANDLE s, CK_ATTRIBUTE *tmpl,
			       size_t count)
{
	CK_OBJECT_HANDLE object = 0;

	OK(t, CreateObject, s, tmpl, count, &object);
	return object;
}

static CK_OBJECT_HANDLE create_data(struct suite *t, CK_SESSION_HANDLE s, CK_ATTRIBUTE label)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, class), NO(CKA_TOKEN), NO(CKA_PRIVATE), label,
			       BYTES(CKA_VALUE, world_text)};

	return create(t, s, tmpl, COUNT(tmpl));
}

static CK_OBJECT_HANDLE create_secret(struct suite *t, CK_SESSION_HANDLE s, CK_ATTRIBUTE label,
				      CK_BBOOL token)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, class),
			       ATTR(CKA_KEY_TYPE, type),
			       ATTR(CKA_TOKEN, token),
			       YES(CKA_PRIVATE),
			       NO(CKA_SENSITIVE),
			       YES(CKA_EXTRACTABLE),
			       label,
			       BYTES(CKA_VALUE, world_text)};

	return create(t, s, tmpl, COUNT(tmpl));
}

static CK_OBJECT_HANDLE create_public(struct suite *t, CK_SESSION_HANDLE s, CK_ATTRIBUTE label)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_BYTE exponent[] = {1, 0, 1};
	CK_BYTE modulus[128];
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, class),
			       ATTR(CKA_KEY_TYPE, type),
			       YES(CKA_TOKEN),
			       NO(CKA_PRIVATE),
			       BYTES(CKA_MODULUS, modulus),
			       BYTES(CKA_PUBLIC_EXPONENT, exponent),
			       label};

	memset(modulus, 0xb7, sizeof(modulus));
	return create(t, s, tmpl, COUNT(tmpl));
}

CK_OBJECT_HANDLE world_object(struct suite *t, CK_SESSION_HANDLE s, const char *label,
			      bool is_token, bool is_private)
{
	char text[32];
	CK_ATTRIBUTE attribute = {CKA_LABEL, text, strlen(label)};

	memcpy(text, label, strlen(label) + 1);
	if (is_private)
		return create_secret(t, s, attribute, is_token);
	return is_token ? create_public(t, s, attribute) : create_data(t, s, attribute);
}

CK_OBJECT_HANDLE world_aes(struct suite *t, CK_SESSION_HANDLE s)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ATTRIBUTE tmpl[] = {ATTR(CKA_CLASS, class),
			       ATTR(CKA_KEY_TYPE, type),
			       NO(CKA_TOKEN),
			       YES(CKA_ENCRYPT),
			       YES(CKA_DECRYPT),
			       YES(CKA_WRAP),
			       YES(CKA_UNWRAP),
			       YES(CKA_SIGN),
			       YES(CKA_VERIFY),
			       YES(CKA_DERIVE),
			       YES(CKA_EXTRACTABLE),
			       NO(CKA_SENSITIVE),
			       BYTES(CKA_VALUE, world_key)};

	return create(t, s, tmpl, COUNT(tmpl));
}

CK_OBJECT_HANDLE world_generic(struct suite *t, CK_SESSION_HANDLE s)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), NO(CKA_TOKEN),
		YES(CKA_SIGN),          YES(CKA_VERIFY),          YES(CKA_DERIVE),
		YES(CKA_EXTRACTABLE),   NO(CKA_SENSITIVE),        {CKA_VALUE, world_text, 32}};

	return create(t, s, tmpl, COUNT(tmpl));
}

bool world_rsa_pair(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *pub,
		    CK_OBJECT_HANDLE *priv)
{
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ULONG bits = 2048;
	CK_BYTE exponent[] = {1, 0, 1};
	CK_ATTRIBUTE public[] = {NO(CKA_TOKEN),
				 YES(CKA_VERIFY),
				 YES(CKA_ENCRYPT),
				 YES(CKA_WRAP),
				 YES(CKA_VERIFY_RECOVER),
				 ATTR(CKA_MODULUS_BITS, bits),
				 BYTES(CKA_PUBLIC_EXPONENT, exponent)};
	CK_ATTRIBUTE private[] = {NO(CKA_TOKEN),        YES(CKA_PRIVATE), YES(CKA_SENSITIVE),
				  YES(CKA_SIGN),        YES(CKA_DECRYPT), YES(CKA_UNWRAP),
				  YES(CKA_SIGN_RECOVER)};

	return OK(t, GenerateKeyPair, s, &mechanism, public, COUNT(public), private, COUNT(private),
		  pub, priv);
}

bool world_ec_pair(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *pub,
		   CK_OBJECT_HANDLE *priv)
{
	CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE public[] = {NO(CKA_TOKEN), YES(CKA_VERIFY), BYTES(CKA_EC_PARAMS, world_p256)};
	CK_ATTRIBUTE private[] = {NO(CKA_TOKEN), YES(CKA_PRIVATE), YES(CKA_SENSITIVE),
				  YES(CKA_SIGN), YES(CKA_DERIVE)};

	if (!world_has(t, CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR)) {
		suite_skip(t, "no elliptic curves");
		return false;
	}
	return OK(t, GenerateKeyPair, s, &mechanism, public, COUNT(public), private, COUNT(private),
		  pub, priv);
}

CK_ULONG world_count(struct suite *t, CK_SESSION_HANDLE s, const char *label)
{
	CK_OBJECT_HANDLE found[64];
	CK_ULONG count = 0;
	char text[32];
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, text, strlen(label)}};

	memcpy(text, label, strlen(label) + 1);
	OK(t, FindObjectsInit, s, tmpl, COUNT(tmpl));
	OK(t, FindObjects, s, found, COUNT(found), &count);
	OK(t, FindObjectsFinal, s);
	return count;
}

bool world_is(struct suite *t, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {ATTR(type, value)};

	return OK(t, GetAttributeValue, s, o, tmpl, 1) && value == CK_TRUE;
}

void world_destroy(struct suite *t, CK_SESSION_HANDLE s, const char *label)
{
	CK_OBJECT_HANDLE found[64];
	CK_ULONG count = 0;
	char text[32];
	CK_ATTRIBUTE tmpl[] = {{CKA_LABEL, text, strlen(label)}};

	memcpy(text, label, strlen(label) + 1);
	OK(t, FindObjectsInit, s, tmpl, COUNT(tmpl));
	OK(t, FindObjects, s, found, COUNT(found), &count);
	OK(t, FindObjectsFinal, s);
	for (CK_ULONG i = 0; i < count; i++)
		OK(t, DestroyObject, s, found[i]);
}

bool world_is_padded(const CK_UTF8CHAR *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] < ' ')
			return false;
	return true;
}
