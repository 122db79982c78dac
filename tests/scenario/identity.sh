#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# One key on members of different makes is one key, and no other is taken for it (identity.c).
. "$(dirname "$0")/../lib.sh"
token softhsm a LABEL=a
token softhsm b LABEL=b
makes="a=a b=b,private_copy"
for make in nss opencryptoki; do
	if try_token $make $make; then
		makes="$makes $make=$make"
	else
		skip "$make takes part" "$why"
	fi
done
# shellcheck disable=SC2086 # words
conf $makes
case $makes in *opencryptoki*) inside=$(fact opencryptoki enter) ;; esac
cd "$work" || bail_out "no $work"

second_store() {
	driver identity same a b rsa rsa_decrypts rsa_unwraps rsa_wants_login rsa_public ec256 ec384 ec_derives \
		ec384_derives ec_public ed25519 aes aes_signs aes_decrypts aes_wraps generic certificate data
	driver identity unknown a b derives_only
}

with_nss() {
	driver identity same a nss rsa rsa_decrypts rsa_unwraps rsa_public ec256 ec384 ec_derives ec_public aes \
		aes_signs aes_decrypts aes_wraps generic certificate
	driver identity unknown a nss derives_only
}

# It stores keys of elliptic curves, and does not use them.
with_opencryptoki() {
	driver identity same a opencryptoki rsa rsa_decrypts rsa_unwraps rsa_public ec_public aes aes_decrypts \
		aes_wraps generic certificate data
	driver identity unknown a opencryptoki ec256 derives_only
}

liars() {
	driver identity liar a b claims
	case $makes in *nss*) driver identity liar b nss ;; esac
}

check "two stores of one make: every kind of object" second_store
check "a private key is what it answers, not what stands beside it" liars
check "a private key's public half is found in a certificate" driver identity neighbour a x
check "objects are found by their names" driver identity find a x
case $makes in *nss*) check "SoftHSM2 and NSS: every kind of object that both have" with_nss ;; esac
# openCryptoki keeps keys of OpenSSL's when it is finalised. What hangs on them was allocated by whoever used
# OpenSSL first, and valgrind names that caller.
ock="SoftHSM2 and openCryptoki: every kind of object that both have"
case $makes:$wrap in
*opencryptoki*:) check "$ock" with_opencryptoki ;;
*opencryptoki*) skip "$ock" "openCryptoki leaks keys of OpenSSL, seen by ${wrap%% *}" ;;
esac
done_testing
