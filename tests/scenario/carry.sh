#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Keys and other objects go from one member to another (carry.c).
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
token softhsm a LABEL=a
token softhsm b LABEL=b
makes="a b"
for make in nss opencryptoki; do
	if try_token $make $make LABEL=$make; then
		makes="$makes $make"
	else
		skip "$make takes part" "$why"
	fi
done
# shellcheck disable=SC2086 # words
virtual failover $makes
case $makes in *opencryptoki*) inside=$(fact opencryptoki enter) ;; esac
cd "$work" || bail_out "no $work"

has() { case " $makes " in *" $1 "*) ;; *) return 1 ;; esac; }
carry() { driver carry "$1" virtual "$@" 2>"$work/said" || { cat "$work/said"; return 1; }; }
works() { driver carry works virtual "$@"; }
refuses() { driver carry refuses virtual "$@"; }
route() { driver carry route virtual "$@"; }

secrets="aes generic aes_wraps aes_does_nothing derives_only"
rsa="rsa rsa_decrypts rsa_unwraps"
curves="ec256 ec384 ec521 ec_derives"
# shellcheck disable=SC2086 # words
every_kind() {
	works "$1" "$2" $secrets
	works "$1" "$2" $rsa
	works "$1" "$2" $curves
	works "$1" "$2" rsa_public ec_public certificate
}

check "every member gets the same KEK" driver carry kek virtual
check "SoftHSM2 to SoftHSM2: every kind of object" every_kind a b
check "SoftHSM2 to SoftHSM2: keys that want a login for each use, data" \
	works a b rsa_wants_login data private_data
check "a key that its member does not wrap is refused" refuses a b ed25519 CKR_KEY_NOT_WRAPPABLE
if has nss; then
	check "SoftHSM2 to NSS: every kind of object" every_kind a nss
	check "NSS to SoftHSM2: every kind of object" every_kind nss b
	check "private data objects are refused where they cannot be private" \
		refuses a nss private_data "nss cannot keep private data objects"
	for kind in aes rsa ec256 ec_public; do
		check "no $kind key takes the place of another one on NSS" driver carry taken virtual b nss $kind
	done
fi
# openCryptoki keeps keys of OpenSSL's when it is finalised; see identity.sh.
if has opencryptoki && [ -z "$wrap" ]; then
	# shellcheck disable=SC2086 # words
	check "SoftHSM2 to openCryptoki: secret keys" works a opencryptoki aes generic aes_wraps derives_only
	check "openCryptoki to SoftHSM2: secret keys" works opencryptoki b aes generic aes_wraps
	check "SoftHSM2 and openCryptoki: public objects" works a opencryptoki rsa_public certificate data private_data
	check "keys of curves are refused where they are not known" refuses a opencryptoki ec256 CKM_AES_CBC_PAD
	check "what openCryptoki does not keep of a key is not lost unseen" \
		refuses a opencryptoki rsa_wants_login CKA_ALWAYS_AUTHENTICATE
fi
if has opencryptoki && has nss && [ -z "$wrap" ]; then
	# shellcheck disable=SC2086 # words
	check "NSS to openCryptoki: secret and RSA keys" works nss opencryptoki $secrets $rsa
	# shellcheck disable=SC2086 # words
	check "openCryptoki to NSS: secret and RSA keys" works opencryptoki nss $secrets $rsa
	check "SoftHSM2 to openCryptoki: RSA keys, over NSS" works a opencryptoki rsa rsa_decrypts
	check "openCryptoki to SoftHSM2: RSA keys, over NSS" works opencryptoki a rsa rsa_decrypts
	check "routes are told" route a opencryptoki rsa "over member nss"
fi
check "routes are remembered" grep secret "$work/state/routes"
done_testing
