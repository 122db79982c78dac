#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A key that is made through a virtual token works on every member, of whatever make: what the one signs,
# plain openssl verifies, and so does what the other signs when the first is taken out; what the one
# encrypts the other decrypts.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
token softhsm a LABEL=a
token softhsm b LABEL=b
for make in nss opencryptoki; do
	if is_short && [ $make = opencryptoki ]; then
		no_opencryptoki="left out where programs are slower"
		continue
	fi
	try_token $make $make LABEL=$make || eval "no_$make=\$why"
done
cd "$work" || bail_out "no $work"
printf '1234\n' >pin
printf '76543210\n' >so-pin
chmod 600 pin so-pin
date >text
head -c 64 /dev/zero >plain

p11() { client pkcs11-tool --module "$module" --token-label virtual --login --pin 1234 "$@"; }
hsm() {
	noun=$1 verb=$2
	shift 2
	tool "$noun" "$verb" virtual "$@"
}

# token_of MEMBER...: a virtual token over them, in this order of priority, all with one KEK
token_of() {
	words=
	priority=0
	inside=
	for name; do
		priority=$((priority + 1))
		words="$words $name,priority=$priority"
		[ $name != opencryptoki ] || inside=$(fact opencryptoki enter)
	done
	rm -rf "$work/state"
	TOKEN='replicate = "all";'
	# shellcheck disable=SC2086 # words
	virtual failover $words
	state=$(hsm kek status --pin-source "file:$work/pin" --json 2>/dev/null)
	case $state in *'"ok":true'*) return ;; esac
	hsm kek install --pin-source "file:$work/pin" --so-pin-source "file:$work/so-pin" >"$work/output" 2>&1 ||
		hsm kek rotate --pin-source "file:$work/pin" --so-pin-source "file:$work/so-pin" >"$work/output" 2>&1 || {
		indent "$work/output"
		bail_out "no KEK on $*"
	}
}

# without MEMBER COMMAND...: while it is drained
without() (
	member=$1
	shift
	hsm member drain "$member" --wait 0
	result=0
	"$@" || result=$?
	hsm member undrain "$member" --wait 0
	exit $result
)

# There is one mechanism that all of them have for RSA, and for curves.
sign() {
	rm -f sig
	case $1 in
	rsa:*)
		printf '\060\061\060\015\006\011\140\206\110\001\145\003\004\002\001\005\000\004\040' >info
		openssl dgst -sha256 -binary text >>info
		p11 --sign -m RSA-PKCS --id "$2" -i info -o sig
		openssl dgst -sha256 -verify "$2.pem" -signature sig text
		;;
	*)
		openssl dgst -sha256 -binary text >info
		p11 --sign -m ECDSA --id "$2" -i info -o sig --signature-format openssl
		openssl dgst -sha256 -verify "$2.pem" -signature sig text
		;;
	esac
}

public_key() {
	p11 --read-object --type pubkey --id "$1" -o "$1.der"
	openssl pkey -pubin -inform DER -in "$1.der" -pubout -out "$1.pem"
}

# pair TYPE ID MEMBER...: made, used by each member alone, gone everywhere after its end
pair() {
	type=$1
	id=$2
	shift 2
	p11 --keypairgen --key-type "$type" --id "$id" --label "key $id"
	public_key "$id"
	alone sign "$type" "$id" "$@"
	hsm key compare --pin-source "file:$work/pin"
	p11 --delete-object --type privkey --id "$id"
	p11 --delete-object --type pubkey --id "$id"
	[ "$(p11 --list-objects --id "$id" 2>/dev/null | grep -c Object)" -eq 0 ]
}

# alone COMMAND TYPE ID MEMBER...: once for each member, with all others taken out
alone() {
	command=$1 type=$2 id=$3
	shift 3
	for who; do
		others=
		for other; do
			[ "$other" = "$who" ] || others="$others without $other"
		done
		# shellcheck disable=SC2086 # words
		$others "$command" "$type" "$id"
	done
}

cipher() {
	rm -f cipher
	p11 --encrypt -m AES-CBC --iv 00000000000000000000000000000000 --id "$2" -i plain -o cipher.now
	[ -e cipher.was ] || cp cipher.now cipher.was
	cmp cipher.now cipher.was
	p11 --decrypt -m AES-CBC --iv 00000000000000000000000000000000 --id "$2" -i cipher.was -o plain.now
	cmp plain plain.now
}

secret() {
	id=$1
	shift
	rm -f cipher.was
	p11 --keygen --key-type AES:32 --id "$id" --label "key $id" --sensitive
	alone cipher aes "$id" "$@"
	hsm key compare --pin-source "file:$work/pin"
	p11 --delete-object --type secrkey --id "$id"
}

# refused TYPE ID WHY: nothing is made, and the log says why
refused() {
	HSMUX_LOG=error p11 --keypairgen --key-type "$1" --id "$2" --label "key $2" >said 2>&1 && return 1
	cat said
	grep -F "$3" said
	[ "$(p11 --list-objects 2>/dev/null | grep -c "key $2")" -eq 0 ]
	hsm key compare --pin-source "file:$work/pin"
}

# tidy: what a check that failed has left
tidy() {
	for id in $(hsm key list --all --json --pin-source "file:$work/pin" 2>/dev/null | tr ',' '\n' |
		sed -n 's/^"id":"\([0-9a-f]*\)"$/\1/p' | sort -u); do
		hsm key destroy --id "$id" --yes --pin-source "file:$work/pin" >/dev/null 2>&1
	done
}

# over MEMBERS... -- KIND...: each kind of key over these members
over() {
	list=
	turn=$((${turn:-10} + 1))
	while [ "$1" != -- ]; do
		list="$list $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # words
	token_of $list
	kinds=10
	for kind; do
		# shellcheck disable=SC2086 # words
		kinds=$((kinds + 1))
		case $kind in
		aes) check "$kind over$list" secret "$turn$kinds" $list ;;
		*) check "$kind over$list" pair "$kind" "$turn$kinds" $list ;;
		esac || tidy
	done
}

# shellcheck disable=SC2046 # words
over a b -- aes EC:secp256r1 $(is_short || echo rsa:2048 EC:secp384r1)
check "a kind that no member wraps is refused: Ed25519" \
	refused EC:edwards25519 23 CKR_KEY_NOT_WRAPPABLE
if [ -z "${no_nss:-}" ]; then
	is_short || over a nss -- aes rsa:2048 EC:secp256r1
	over nss a -- aes rsa:2048 EC:secp256r1
else
	skip "NSS takes part" "$no_nss"
fi
if [ -z "${no_opencryptoki:-}" ]; then
	over a opencryptoki -- aes
	over opencryptoki a -- aes
	check "RSA keys need a third member between SoftHSM2 and openCryptoki" \
		refused rsa:2048 24 "cannot unwrap the key by CKM_AES_CBC_PAD"
else
	skip "openCryptoki takes part" "$no_opencryptoki"
fi
if [ -z "${no_nss:-}${no_opencryptoki:-}" ]; then
	over nss opencryptoki -- aes rsa:2048
	over opencryptoki nss -- aes rsa:2048
	over a opencryptoki nss -- aes rsa:2048
fi
done_testing
