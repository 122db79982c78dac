/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of core/base/mech*.c: what must not be passed on to a member. */
#include "core/base/mech.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Numbers that no maker is known to use. */
#define UNKNOWN_VENDOR   (CKM_VENDOR_DEFINED | 0x7654321UL)
#define UNKNOWN_STANDARD 0x7fffUL
#define VALID_HANDLE     0x40000017UL

static bool is_valid_handle(CK_ULONG value, void *context)
{
	CU_ASSERT_PTR_NULL(context);
	return value == VALID_HANDLE;
}

static CK_RV try(CK_MECHANISM_TYPE type, void *param, CK_ULONG len)
{
	CK_MECHANISM in = {type, param, len};
	const char *why = NULL;
	struct mech m;
	CK_RV rv = mech_copy(&m, &in, is_valid_handle, NULL, &why);

	if (rv == CKR_OK)
		mech_free(&m);
	else
		CU_ASSERT_PTR_NOT_NULL(why);
	return rv;
}

static void missing_mechanism_is_a_bad_argument(void)
{
	const char *why = NULL;
	struct mech m;

	CU_ASSERT_EQUAL(mech_copy(&m, NULL, NULL, NULL, &why), CKR_ARGUMENTS_BAD);
	CU_ASSERT_PTR_NOT_NULL(why);
}

static void unknown_flat_parameter_passes(void)
{
	static const CK_MECHANISM_TYPE types[] = {UNKNOWN_VENDOR, UNKNOWN_STANDARD};
	unsigned char param[200];

	memset(param, 0x5a, sizeof(param));
	for (size_t i = 0; i < 2; i++) {
		CK_MECHANISM in = {types[i], param, sizeof(param)};
		const char *why = "";
		struct mech m;

		CU_ASSERT_EQUAL_FATAL(mech_copy(&m, &in, is_valid_handle, NULL, &why), CKR_OK);
		CU_ASSERT_FALSE(m.is_known);
		CU_ASSERT_EQUAL(m.m.ulParameterLen, sizeof(param));
		CU_ASSERT_EQUAL(memcmp(m.m.pParameter, param, sizeof(param)), 0);
		CU_ASSERT_PTR_NOT_EQUAL(m.m.pParameter, param);
		mech_free(&m);
		CU_ASSERT_EQUAL(try(types[i], NULL, 0), CKR_OK);
		CU_ASSERT_EQUAL(try(types[i], param, 0), CKR_OK);
		CU_ASSERT_EQUAL(try(types[i], param, 3), CKR_OK);
	}
}

static void unknown_parameter_with_an_address_is_refused(void)
{
	CK_ULONG words[4] = {1, 2, 3, 4};
	int on_stack = 0;
	void *on_heap = malloc(16);

	CU_ASSERT_PTR_NOT_NULL_FATAL(on_heap);
	CU_ASSERT_EQUAL(try(UNKNOWN_VENDOR, words, sizeof(words)), CKR_OK);
	words[3] = (CK_ULONG)(uintptr_t)&on_stack;
	CU_ASSERT_EQUAL(try(UNKNOWN_VENDOR, words, sizeof(words)), CKR_MECHANISM_PARAM_INVALID);
	words[3] = (CK_ULONG)(uintptr_t)on_heap;
	CU_ASSERT_EQUAL(try(UNKNOWN_VENDOR, words, sizeof(words)), CKR_MECHANISM_PARAM_INVALID);
	CU_ASSERT_EQUAL(try(UNKNOWN_STANDARD, words, sizeof(words)), CKR_MECHANISM_PARAM_INVALID);
	words[3] = (CK_ULONG)(uintptr_t) "text";
	CU_ASSERT_EQUAL(try(UNKNOWN_VENDOR, words, sizeof(words)), CKR_MECHANISM_PARAM_INVALID);
	words[3] = 0xffffffffffffff00UL;
	CU_ASSERT_EQUAL(try(UNKNOWN_VENDOR, words, sizeof(words)), CKR_OK);
	free(on_heap);
}

static void unknown_parameter_with_a_handle_is_refused(void)
{
	CK_ULONG words[3] = {7, VALID_HANDLE, 0};

	CU_ASSERT_EQUAL(try(UNKNOWN_VENDOR, words, sizeof(words)), CKR_MECHANISM_PARAM_INVALID);
	words[1]++;
	CU_ASSERT_EQUAL(try(UNKNOWN_VENDOR, words, sizeof(words)), CKR_OK);
	/* A known mechanism's number is no handle, whatever its value. */
	words[1] = VALID_HANDLE;
	CU_ASSERT_EQUAL(try(CKM_EXTRACT_KEY_FROM_KEY, &words[1], sizeof(words[1])), CKR_OK);
}

static void parameters_without_structure_are_bounded(void)
{
	unsigned char *big = calloc(1, 64 * 1024 + 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(big);
	CU_ASSERT_EQUAL(try(UNKNOWN_VENDOR, big, 64 * 1024), CKR_OK);
	CU_ASSERT_EQUAL(try(UNKNOWN_VENDOR, big, 64 * 1024 + 1), CKR_MECHANISM_PARAM_INVALID);
	CU_ASSERT_EQUAL(try(CKM_AES_CBC, big, 64 * 1024 + 1), CKR_MECHANISM_PARAM_INVALID);
	CU_ASSERT_EQUAL(try(CKM_AES_CBC, big, ~0UL), CKR_MECHANISM_PARAM_INVALID);
	CU_ASSERT_EQUAL(try(UNKNOWN_VENDOR, big, ~0UL), CKR_MECHANISM_PARAM_INVALID);
	free(big);
}

static void byte_fields_are_bounded(void)
{
	CK_BYTE iv[12] = {0};
	CK_GCM_PARAMS p = {.pIv = iv, .ulIvLen = 64UL * 1024 * 1024 + 1, .ulTagBits = 128};
	CK_CHACHA20_PARAMS chacha = {.pNonce = iv, .ulNonceBits = ~0UL};

	CU_ASSERT_EQUAL(try(CKM_AES_GCM, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
	p.ulIvLen = ~0UL;
	CU_ASSERT_EQUAL(try(CKM_AES_GCM, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
	CU_ASSERT_EQUAL(try(CKM_CHACHA20, &chacha, sizeof(chacha)), CKR_MECHANISM_PARAM_INVALID);
}

static void null_pointers_with_a_length_are_refused(void)
{
	CK_GCM_PARAMS gcm = {.ulIvLen = 12};
	CK_ECDH1_DERIVE_PARAMS ecdh = {.kdf = CKD_NULL, .ulPublicDataLen = 65};
	CK_SP800_108_KDF_PARAMS kdf = {.ulNumberOfDataParams = 1};
	CK_SP800_108_KDF_PARAMS more = {.ulAdditionalDerivedKeys = 1};
	CK_OTP_PARAMS otp = {.ulCount = 3};

	CU_ASSERT_EQUAL(try(CKM_AES_GCM, &gcm, sizeof(gcm)), CKR_MECHANISM_PARAM_INVALID);
	CU_ASSERT_EQUAL(try(CKM_ECDH1_DERIVE, &ecdh, sizeof(ecdh)), CKR_MECHANISM_PARAM_INVALID);
	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &kdf, sizeof(kdf)),
			CKR_MECHANISM_PARAM_INVALID);
	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &more, sizeof(more)),
			CKR_MECHANISM_PARAM_INVALID);
	CU_ASSERT_EQUAL(try(CKM_HOTP, &otp, sizeof(otp)), CKR_MECHANISM_PARAM_INVALID);
}

static void arrays_are_bounded(void)
{
	static CK_PRF_DATA_PARAM data[65];
	CK_SP800_108_KDF_PARAMS p = {
		.prfType = CKM_SHA256_HMAC, .ulNumberOfDataParams = 64, .pDataParams = data};

	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &p, sizeof(p)), CKR_OK);
	p.ulNumberOfDataParams = 65;
	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
	p.ulNumberOfDataParams = ~0UL;
	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
}

static void number_of_handles_is_bounded(void)
{
	CK_OBJECT_HANDLE key = VALID_HANDLE;
	CK_PRF_DATA_PARAM data[MECH_MAX_HANDLES + 1];
	CK_SP800_108_KDF_PARAMS p = {.ulNumberOfDataParams = MECH_MAX_HANDLES, .pDataParams = data};

	for (size_t i = 0; i <= MECH_MAX_HANDLES; i++)
		data[i] = (CK_PRF_DATA_PARAM){CK_SP800_108_KEY_HANDLE, &key, sizeof(key)};
	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &p, sizeof(p)), CKR_OK);
	p.ulNumberOfDataParams++;
	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
}

static void number_of_objects_to_make_is_bounded(void)
{
	CK_OBJECT_HANDLE made = 0;
	CK_DERIVED_KEY keys[MECH_MAX_HANDLES + 1];
	CK_SP800_108_KDF_PARAMS p = {.ulAdditionalDerivedKeys = MECH_MAX_HANDLES,
				     .pAdditionalDerivedKeys = keys};

	for (size_t i = 0; i <= MECH_MAX_HANDLES; i++)
		keys[i] = (CK_DERIVED_KEY){NULL, 0, &made};
	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &p, sizeof(p)), CKR_OK);
	p.ulAdditionalDerivedKeys++;
	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
}

static void key_handle_of_a_wrong_length_is_refused(void)
{
	CK_OBJECT_HANDLE key = VALID_HANDLE;
	CK_PRF_DATA_PARAM data = {CK_SP800_108_KEY_HANDLE, &key, 4};
	CK_SP800_108_KDF_PARAMS p = {.ulNumberOfDataParams = 1, .pDataParams = &data};

	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
	data = (CK_PRF_DATA_PARAM){CK_SP800_108_KEY_HANDLE, NULL, sizeof(key)};
	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
}

static void malformed_nested_template_is_refused(void)
{
	CK_ATTRIBUTE t = {CKA_LABEL, NULL, 4};
	CK_OBJECT_HANDLE made = 0;
	CK_DERIVED_KEY key = {&t, 1, &made};
	CK_SP800_108_KDF_PARAMS p = {.ulAdditionalDerivedKeys = 1, .pAdditionalDerivedKeys = &key};

	CU_ASSERT_EQUAL(try(CKM_SP800_108_COUNTER_KDF, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
}

static void mechanisms_are_nested_only_so_deep(void)
{
	CK_KIP_PARAMS kip[6];
	CK_MECHANISM level[6];

	memset(kip, 0, sizeof(kip));
	for (size_t i = 0; i < 6; i++) {
		kip[i].pMechanism = i ? &level[i - 1] : NULL;
		level[i] = (CK_MECHANISM){CKM_KIP_MAC, &kip[i], sizeof(kip[i])};
	}
	CU_ASSERT_EQUAL(try(CKM_KIP_MAC, &kip[4], sizeof(kip[4])), CKR_OK);
	CU_ASSERT_EQUAL(try(CKM_KIP_MAC, &kip[5], sizeof(kip[5])), CKR_MECHANISM_PARAM_INVALID);
	kip[0].pMechanism = &level[0];
	CU_ASSERT_EQUAL(try(CKM_KIP_MAC, &kip[0], sizeof(kip[0])), CKR_MECHANISM_PARAM_INVALID);
}

static void nested_mechanism_obeys_the_same_rules(void)
{
	CK_ULONG word = (CK_ULONG)(uintptr_t)&word;
	CK_MECHANISM inner = {UNKNOWN_VENDOR, &word, sizeof(word)};
	CK_KIP_PARAMS p = {.pMechanism = &inner};

	CU_ASSERT_EQUAL(try(CKM_KIP_DERIVE, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
	word = 12;
	CU_ASSERT_EQUAL(try(CKM_KIP_DERIVE, &p, sizeof(p)), CKR_OK);
	inner = (CK_MECHANISM){CKM_AES_CBC, NULL, 16};
	CU_ASSERT_EQUAL(try(CKM_KIP_DERIVE, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
}

static void password_length_that_is_no_address_is_refused(void)
{
	CK_BYTE password[] = "secret";
	CK_PKCS5_PBKD2_PARAMS2 p = {.pPassword = password, .ulPasswordLen = 4096};

	CU_ASSERT_EQUAL(try(CKM_PKCS5_PBKD2, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
	p.ulPasswordLen = ~0UL;
	CU_ASSERT_EQUAL(try(CKM_PKCS5_PBKD2, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
	p.ulPasswordLen = 0xdeadbeef0000UL;
	CU_ASSERT_EQUAL(try(CKM_PKCS5_PBKD2, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
}

static void string_without_end_is_refused(void)
{
	static CK_BYTE endless[8192];
	CK_CMS_SIG_PARAMS p = {.pContentType = endless};

	memset(endless, 'x', sizeof(endless));
	CU_ASSERT_EQUAL(try(CKM_CMS_SIG, &p, sizeof(p)), CKR_MECHANISM_PARAM_INVALID);
	endless[100] = 0;
	CU_ASSERT_EQUAL(try(CKM_CMS_SIG, &p, sizeof(p)), CKR_OK);
}

static void misaligned_structure_is_refused(void)
{
	CK_ULONG words[20] = {0};
	CK_SSL3_KEY_MAT_PARAMS p = {.ulKeySizeInBits = 128};
	unsigned char *misaligned = (unsigned char *)words + 1;

	memcpy(&p.pReturnedKeyMaterial, &misaligned, sizeof(misaligned));
	CU_ASSERT_EQUAL(try(CKM_SSL3_KEY_AND_MAC_DERIVE, &p, sizeof(p)),
			CKR_MECHANISM_PARAM_INVALID);
}

/* Two makers may use one number: what does not fit the row is judged as unknown. */
static void foreign_parameter_under_a_vendors_number_is_unknown(void)
{
	unsigned char iv[16] = {1, 2, 3};
	CK_ULONG like_pbe[6] = {1, 2, 3, 4, 5, 6};
	CK_MECHANISM in = {CKM_NSS_PBE_SHA1_DES_CBC, iv, sizeof(iv)};
	const char *why = "";
	struct mech m;

	CU_ASSERT_EQUAL_FATAL(mech_copy(&m, &in, is_valid_handle, NULL, &why), CKR_OK);
	CU_ASSERT_FALSE(m.is_known);
	CU_ASSERT_EQUAL(memcmp(m.m.pParameter, iv, sizeof(iv)), 0);
	mech_free(&m);
	in = (CK_MECHANISM){CKM_NSS_PBE_SHA1_DES_CBC, like_pbe, sizeof(like_pbe)};
	CU_ASSERT_EQUAL_FATAL(mech_copy(&m, &in, is_valid_handle, NULL, &why), CKR_OK);
	CU_ASSERT_FALSE(m.is_known);
	mech_free(&m);
	like_pbe[5] = VALID_HANDLE;
	CU_ASSERT_EQUAL(mech_copy(&m, &in, is_valid_handle, NULL, &why),
			CKR_MECHANISM_PARAM_INVALID);
}

static const struct unit_test tests[] = {
	UNIT(missing_mechanism_is_a_bad_argument),
	UNIT(unknown_flat_parameter_passes),
	UNIT(unknown_parameter_with_an_address_is_refused),
	UNIT(unknown_parameter_with_a_handle_is_refused),
	UNIT(parameters_without_structure_are_bounded),
	UNIT(byte_fields_are_bounded),
	UNIT(null_pointers_with_a_length_are_refused),
	UNIT(arrays_are_bounded),
	UNIT(number_of_handles_is_bounded),
	UNIT(number_of_objects_to_make_is_bounded),
	UNIT(key_handle_of_a_wrong_length_is_refused),
	UNIT(malformed_nested_template_is_refused),
	UNIT(mechanisms_are_nested_only_so_deep),
	UNIT(nested_mechanism_obeys_the_same_rules),
	UNIT(password_length_that_is_no_address_is_refused),
	UNIT(string_without_end_is_refused),
	UNIT(misaligned_structure_is_refused),
	UNIT(foreign_parameter_under_a_vendors_number_is_unknown),
};

UNIT_MAIN("base/mech_refuse", tests)
