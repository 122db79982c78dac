/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenSSL as identity uses it.
 *
 * Everything runs in a library context of hsmux's own. The application's default context may be
 * configured to hand keys to a provider that uses this very module (pkcs11-provider): what should
 * check a member would then ask a member, from inside the check. The context and the challenge are
 * made once and never freed; a forked child keeps them, and its answers stay comparable with those
 * that it has inherited. */
#include "core/identity_soft.h"

#include <pthread.h>

#include <openssl/rand.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Written by begin() only. */
static OSSL_LIB_CTX *lib;
static uint8_t challenge[IDENTITY_CHALLENGE];
static bool has_challenge;

static void begin(void)
{
	lib = OSSL_LIB_CTX_new();
	has_challenge = lib && RAND_bytes_ex(lib, challenge, sizeof challenge, 0) == 1;
}

OSSL_LIB_CTX *identity_lib(void)
{
	(void)pthread_once(&once, begin); /* fails for invalid arguments only */
	return lib;
}

const uint8_t *identity_challenge(void)
{
	(void)identity_lib(); /* makes it */
	return has_challenge ? challenge : NULL;
}

bool identity_random(uint8_t *out, size_t len)
{
	return identity_lib() && RAND_bytes_ex(lib, out, len, 0) == 1;
}

bool identity_sha256(const void *data, size_t len, uint8_t out[static 32])
{
	size_t out_len = 0;

	return identity_lib() && EVP_Q_digest(lib, "SHA256", NULL, data, len, out, &out_len) == 1 &&
	       out_len == 32;
}
