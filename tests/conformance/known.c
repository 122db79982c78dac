/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a token's own library deviates from the standard and no module in between can know better.
 * A row that no longer applies fails its group, so the table shrinks when a library is mended. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/suite.h"

/* One deviation; name, what and got are fnmatch patterns: case, function or condition, answer. */
struct known {
	const char *kind;
	const char *name;
	const char *what;
	const char *got;
	const char *why;
};

static const char alias[] = "a session copy stands for the token key, as hsmux.7 says";
static const char general[] =
	"CKR_GENERAL_ERROR is what the library says to any failure of its cryptography";
static const char flags[] = "the library keeps attributes without looking at their meaning";
static const char order[] = "the library looks at the key before it looks at the parameter";
static const char cut[] = "the library compares as many bytes of a MAC as it is given";
static const char later[] = "the library knows CKA_MODIFIABLE, but not the code that 2.40 gave it";
static const char blocks[] = "the library takes whole blocks only";

#define GENERAL "CKR_GENERAL_ERROR"

static const struct known known[] = {
	{"*", "a session copy of a token key is an object of its own", "C_EncryptInit",
	 "CKR_KEY_HANDLE_INVALID", alias},

	/* SoftHSM 2.6.1 */
	{"softhsm", "a key value of a wrong length is refused", "C_CreateObject", "CKR_OK", flags},
	{"softhsm", "a failed C_CreateObject leaves nothing", "world_count*", "false",
	 "the library forgets to remove the session object it began with"},
	{"softhsm", "wrong padding is refused*", "C_Decrypt", GENERAL, general},
	{"softhsm", "AES-GCM is right*", "C_Decrypt", GENERAL, general},
	{"softhsm", "RSA * encrypts and decrypts", "C_*crypt", GENERAL, general},
	{"softhsm", "C_EncryptInit and C_DecryptInit*", "C_*cryptInit", "CKR_MECHANISM_INVALID",
	 "an IV of a wrong length makes a mechanism unknown to the library"},
	{"softhsm", "C_EncryptInit and C_DecryptInit*", "C_EncryptInit", "CKR_ARGUMENTS_BAD",
	 "the library takes a missing IV for a missing argument"},
	{"softhsm", "C_SignInit and C_Sign answer*", "C_SignInit", "CKR_KEY_FUNCTION_NOT_PERMITTED",
	 "the library asks a data object for CKA_SIGN"},
	{"softhsm", "C_SignInit and C_Sign answer*", "C_SignInit", "CKR_OK",
	 "the library looks at the type of the key when it signs"},
	{"softhsm", "data that does not fit the key*", "C_Sign", GENERAL, general},
	{"softhsm", "C_GenerateKey answers*", "C_GenerateKey", "CKR_ATTRIBUTE_VALUE_INVALID",
	 "the library takes a wrong class for an invalid value"},
	{"softhsm", "C_GenerateKeyPair answers*", "C_GenerateKeyPair", GENERAL, general},
	{"softhsm", "a damaged key is not unwrapped", "C_UnwrapKey", GENERAL, general},

	/* NSS softokn 3.87 */
	{"nss", "C_SetPIN of a public session*", "C_SetPIN", "CKR_FUNCTION_FAILED",
	 "the library changes a PIN after a login only, and says so with a code of other "
	 "functions"},
	{"nss", "C_CopyObject makes a key stronger*", "C_CopyObject", "CKR_OK", flags},
	{"nss", "an object that is not CKA_MODIFIABLE*", "C_SetAttributeValue",
	 "CKR_ATTRIBUTE_READ_ONLY", later},
	{"nss", "an object that is not CKA_DESTROYABLE*", "C_DestroyObject", "CKR_OK", flags},
	{"nss", "a template with invalid attributes*", "C_CreateObject", "CKR_OK", flags},
	{"nss", "attributes that only the token sets*", "C_CreateObject", "CKR_OK", flags},
	{"nss", "attributes of another class*", "C_CreateObject", "CKR_OK", flags},
	{"nss", "CBC takes parts of any length", "*", "*", blocks},
	{"nss", "wrong lengths are refused*", "C_EncryptUpdate", "CKR_DATA_LEN_RANGE", blocks},
	{"nss", "RSA PKCS#1 encrypts*", "C_Encrypt", "CKR_DEVICE_ERROR",
	 "the library has one code for failed RSA"},
	{"nss", "RSA PKCS#1 encrypts*", "C_Decrypt", "CKR_ARGUMENTS_BAD",
	 "the library has one code for failed RSA"},
	{"nss", "a key that may not encrypt*", "C_*cryptInit", "CKR_KEY_TYPE_INCONSISTENT", order},
	{"nss", "data that does not fit the key*", "C_Sign", GENERAL,
	 "the library has one code for failed RSA"},
	{"nss", "RSA signatures are verified*", "C_Verify*", "CKR_SIGNATURE_INVALID",
	 "the library looks at a signature of any length"},
	{"nss", "ECDSA signatures are verified*", "C_Verify", "CKR_DATA_LEN_RANGE",
	 "the library calls the signature data"},
	{"nss", "HMACs are verified*", "C_Verify*", "CKR_D*",
	 "the library gives whatever error its thread had before"},
	{"nss", "HMACs are verified*", "C_Verify*", "CKR_OK", cut},
	{"nss", "a generated secret key has*", "C_GetAttributeValue", "CKR_ATTRIBUTE_TYPE_INVALID",
	 flags},
	{"nss", "a generated secret key has*", "number*CKA_KEY_GEN_MECHANISM*", "false", flags},
	{"nss", "a generated * has the attributes*", "world_is*CKA_LOCAL*", "false", flags},
	{"nss", "C_GenerateKey answers*", "C_GenerateKey", "CKR_OK",
	 "the library overwrites class and type"},
	{"nss", "a private key survives*", "C_UnwrapKey", "CKR_TEMPLATE_INCOMPLETE",
	 "the library asks for the public value of an EC key"},
	{"nss", "a key that is not extractable*", "C_WrapKey", "CKR_OK", flags},
	{"nss", "several messages are decrypted*", "C_DecryptMessage", "CKR_ENCRYPTED_DATA_INVALID",
	 "the library has one code for decryption that failed"},

	/* openCryptoki 3.8.1 */
	{"opencryptoki", "an object that is not CKA_MODIFIABLE*", "C_SetAttributeValue",
	 "CKR_ATTRIBUTE_READ_ONLY", later},
	{"opencryptoki", "a template with invalid attributes*", "C_CreateObject",
	 "CKR_TEMPLATE_INCOMPLETE", "the library knows no such class, so it misses the class"},
	{"opencryptoki", "a template with invalid attributes*", "C_CreateObject", "CKR_OK",
	 "the library does not look at the length of a truth value"},
	{"opencryptoki", "C_SignInit and C_Sign answer*", "C_SignInit",
	 "CKR_KEY_FUNCTION_NOT_PERMITTED", "the library asks a data object for CKA_SIGN"},
	{"opencryptoki", "HMACs are verified*", "C_Verify*", "CKR_OK", cut},
	{"opencryptoki", "a generated secret key has*", "C_GetAttributeValue",
	 "CKR_ATTRIBUTE_TYPE_INVALID", "the library does not keep CKA_KEY_GEN_MECHANISM"},
	{"opencryptoki", "a generated secret key has*", "number*CKA_KEY_GEN_MECHANISM*", "false",
	 "the library does not keep CKA_KEY_GEN_MECHANISM"},
	{"opencryptoki", "C_GenerateKey answers*", "C_GenerateKey", "CKR_TEMPLATE_INCONSISTENT",
	 "the library takes what is missing for a contradiction"},
	{"opencryptoki", "a secret key survives*", "C_UnwrapKey", "CKR_ATTRIBUTE_READ_ONLY",
	 "the library decides on CKA_SENSITIVE of an unwrapped key by itself"},
};

static bool is_used[COUNT(known)];

const char *known_why(const char *kind, const char *name, const char *what, const char *got)
{
	for (size_t i = 0; i < COUNT(known); i++) {
		const struct known *k = &known[i];

		if (fnmatch(k->kind, kind, 0) != 0 || fnmatch(k->name, name, 0) != 0 ||
		    fnmatch(k->what, what, 0) != 0 || fnmatch(k->got, got, 0) != 0)
			continue;
		is_used[i] = true;
		return k->why;
	}
	return NULL;
}

static bool concerns(const struct known *k, const struct group *group)
{
	for (size_t i = 0; i < group->count; i++)
		if (fnmatch(k->name, group->cases[i].name, 0) == 0)
			return true;
	return false;
}

bool known_all_used(const char *kind, const struct group *group)
{
	bool all_used = true;

	for (size_t i = 0; i < COUNT(known); i++) {
		if (is_used[i] || strcmp(known[i].kind, kind) != 0 || !concerns(&known[i], group))
			continue;
		printf("#   no longer true of %s: %s: %s: %s\n", kind, known[i].name, known[i].what,
		       known[i].got);
		all_used = false;
	}
	return all_used;
}
