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

# each Y KIND:EXPECTED...: the first SoftHSM2 store and Y
each() {
	other=$1
	shift
	for one; do
		echo "$one on a and $other"
		driver identity "${one%:*}" a "$other" "${one#*:}"
	done
}

second_store() {
	each b rsa:same rsa_decrypts:same rsa_unwraps:same rsa_wants_login:same rsa_public:same ec256:same \
		ec384:same ec_derives:same ec384_derives:same ec_public:same ed25519:same aes:same aes_signs:same \
		aes_decrypts:same aes_wraps:same generic:same derives_only:unknown certificate:same data:same
}

with_nss() {
	each nss rsa:same rsa_decrypts:same rsa_unwraps:same rsa_public:same ec256:same ec384:same ec_derives:same \
		ec_public:same aes:same aes_signs:same aes_decrypts:same aes_wraps:same generic:same \
		derives_only:unknown certificate:same
}

# It stores keys of elliptic curves, and does not use them.
with_opencryptoki() {
	each opencryptoki rsa:same rsa_decrypts:same rsa_unwraps:same rsa_public:same ec_public:same ec256:unknown \
		aes:same aes_decrypts:same aes_wraps:same generic:same derives_only:unknown certificate:same data:same
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
case $makes in *opencryptoki*)
	check "SoftHSM2 and openCryptoki: every kind of object that both have" with_opencryptoki
	;;
esac
done_testing
