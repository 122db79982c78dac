#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Keys and other objects go from one member to another (carry.c).
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
token softhsm a LABEL=a
token softhsm b LABEL=b
makes="a b"
for make in nss opencryptoki; do
	if is_short && [ $make = opencryptoki ]; then
		skip "$make takes part" "left out where programs are slower"
	elif try_token $make $make LABEL=$make; then
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
works() { driver carry works virtual "$@"; }
refuses() { driver carry refuses virtual "$@"; }
route() { driver carry route virtual "$@"; }

secrets="aes generic aes_wraps aes_does_nothing derives_only"
rsa="rsa rsa_decrypts rsa_unwraps"
curves="ec256 ec384 ec521 ec_derives"
if is_short; then
	secrets="aes derives_only"
	rsa="rsa"
	curves="ec256"
fi
# shellcheck disable=SC2086 # words
every_kind() {
	works "$1" "$2" $secrets
	works "$1" "$2" $rsa
	works "$1" "$2" $curves
	works "$1" "$2" rsa_public ec_public certificate
}

# shellcheck disable=SC2086 # words
check "every member gets the same KEK" driver carry kek virtual $makes
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

# wrong OUT IN FROM TO KIND...: keys cross although what is remembered leads to another key, which is found out
wrong() {
	out_in="$1 $2"
	shift 2
	sed "s/0x210b 0x210a/$out_in/" "$work/state/routes" >"$work/routes" && mv "$work/routes" "$work/state/routes"
	grep "$out_in" "$work/state/routes"
	logs "is another key" works "$@"
}

# damaged: what is not as written is tried anew
damaged() {
	printf 'no line\n\tx\n' >"$work/state/routes"
	works a b aes
	cat "$work/state/routes"
	same "$(grep -c 0x210a "$work/state/routes")" 1
	chmod 666 "$work/state/routes"
	works b a aes
	chmod 600 "$work/state/routes"
}

if has nss; then
	check "a way that leads to another key is found out" wrong 0x210a 0x2109 nss a generic
fi
check "what is remembered may be damaged" damaged

# Calls of a member that is a copy's source, its target, or a hub, fail one after the other.
ock=$inside
inside=
token fault f LABEL=f
token softhsm g LABEL=g
# Nobody else calls the members, or the faults would be theirs.
GLOBAL='health = { interval_ms = 60000; failures = 3; open_ms = 1000; open_max_ms = 1000; };'
virtual failover f g

# failing MEMBER FROM TO KIND FUNCTION...: of the member
failing() {
	plan="$work/$1/plan"
	route="$2 $3 $4"
	shift 4
	for name; do
		# shellcheck disable=SC2086 # words
		driver carry fails virtual $route "$plan" "$name CKR_DEVICE_ERROR" \
			"$name after CKR_DEVICE_ERROR" "$name CKR_GENERAL_ERROR"
	done
}

check "members that fail have the same KEK" driver carry kek virtual f g
kinds="aes rsa ec256"
! is_short || kinds=aes
for kind in $kinds; do
	check "$kind: the source fails at each call" failing f f g $kind C_WrapKey C_GetAttributeValue C_FindObjectsInit
	check "$kind: the target fails at each call" failing f g f $kind C_UnwrapKey C_GetAttributeValue C_FindObjectsInit
done
check "a signature that proves fails" failing f g f rsa C_SignInit C_Sign
check "an encryption that proves fails" failing f g f aes C_EncryptInit C_Encrypt
check "public keys: the target fails at each call" failing f g f rsa_public C_CreateObject C_GetAttributeValue

if has opencryptoki && [ -z "$wrap" ] && try_token fault hub LABEL=hub REAL=nss; then
	inside=$ock
	virtual failover g hub opencryptoki
	check "a hub has the KEK" driver carry kek virtual hub
	check "the member in between fails at each call" failing hub g opencryptoki rsa C_WrapKey C_UnwrapKey C_SignInit
fi
done_testing
