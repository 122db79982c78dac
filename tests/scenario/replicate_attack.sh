#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# With everything that an application can call, a key that it sees as not extractable is not had in clear,
# nor wrapped under a key of the attacker; and a key that may leave is had by the same calls.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
! is_short || skip_all "the attacks are left out where programs are slower"
for name in a b c d e f g h i; do
	token softhsm $name LABEL=$name
done
try_token nss nss LABEL=nss || no_nss=$why
cd "$work" || bail_out "no $work"
printf '1234\n' >pin
printf '76543210\n' >so-pin
chmod 600 pin so-pin

hsm() {
	noun=$1 verb=$2
	shift 2
	tool "$noun" "$verb" virtual --pin-source "file:$work/pin" "$@"
}

# over RULE PROTECT INSTALL-OPTIONS MEMBER...: a virtual token, with a KEK
over() {
	rule=$1 protect=$2 options=$3
	shift 3
	rm -rf "$work/state"
	TOKEN="replicate = \"$rule\"; protect = \"$protect\";"
	where="$*: $rule, $protect${options:+, $options}"
	# shellcheck disable=SC2046 # words
	virtual failover $(turn=0; for name; do turn=$((turn + 1)); echo "$name,priority=$turn"; done)
	# shellcheck disable=SC2086 # words
	hsm kek install ${options:---so-pin-source "file:$work/so-pin"} >"$work/output" 2>&1 || {
		indent "$work/output"
		bail_out "no KEK on $*"
	}
}

attack() { driver attack "$1" virtual; }

# try CASE SENTENCE
try() { check "$2 ($where)" attack "$1"; }

everything() {
	try control "keys that may leave do, until that is taken from them"
	try plain "keys are neither read nor wrapped"
	try set "attributes that are set do not let a key out"
	try copy "copies do no more than the original"
	try twice "nor do copies whose template says two things"
	try derive "keys that hold another do no more than that"
	try kek "the KEK is not found, addressed or replaced"
	try names "what hsmux keeps beside a key is neither seen nor forged"
	try public "a key that is seen without a login stays"
	try so "a key that the security officer calls trusted gets no other one out"
	try swap "a key beside another's public key is not taken for that one"
	try forge "a key that says that it is another one says nothing for that one"
}

again() {
	try chain "a copy of a copy says nothing for the first"
	try stricter "a copy that is to stay stays, and ends without the first"
	try looser "a copy that may be changed makes no other one so"
}

odd() {
	try nested "templates within templates let nothing out"
	try unwrap "what was unwrapped as something else is what it is shown to be"
	try handles "handles that nobody gave, or that are over, do nothing within mechanisms"
	try lists "all interfaces are alike"
	try race "nothing goes out between a look and the deed"
}

# with_one_away MEMBER
with_one_away() (
	tool member drain virtual "$1" --wait 0
	result=0
	attack open || result=$?
	tool member undrain virtual "$1" --wait 0
	exit $result
)

# at NAME ARGUMENT...: pkcs11-tool on the member by its own library
at() {
	name=$1
	shift
	# shellcheck disable=SC2046 # words
	env $(fact "$name" variables) pkcs11-tool --module "$(fact "$name" library)" \
		--token-label "$(fact "$name" label)" --login --pin 1234 "$@"
}

# A key that everybody may read, on one member, before and after it is copied by hsmux.
brought() {
	at "$1" --keygen --key-type AES:32 --id b1 --label brought --extractable --usage-decrypt --usage-wrap
	at "$1" --keypairgen --key-type EC:prime256v1 --id b2 --label brought --extractable --usage-sign
	attack brought
	hsm key sync || :
	attack brought
}

retired() {
	hsm key generate --type aes:256 --label retired --use encrypt,decrypt,sign,verify,wrap,unwrap,derive
	attack copied
	hsm key rotate --label retired
	attack retired
	for away in "$@"; do
		tool member drain virtual "$away" --wait 0
		result=0
		attack retired || result=$?
		tool member undrain virtual "$away" --wait 0
		[ $result -eq 0 ]
	done
}

# The copy goes while a member is away, which hears of it when it is back, and serves alone.
twins() {
	attack twins
	tool member drain virtual h --wait 0
	result=0
	attack twins || result=$?
	tool member undrain virtual h --wait 0
	[ $result -eq 0 ]
	attack twins
	tool member drain virtual g --wait 0
	attack twins || result=$?
	tool member undrain virtual g --wait 0
	[ $result -eq 0 ]
}

without_login() {
	name=$1
	shift
	# shellcheck disable=SC2046 # words
	env $(fact "$name" variables) pkcs11-tool --module "$(fact "$name" library)" \
		--token-label "$(fact "$name" label)" "$@"
}

# forged_record STATE LINE...: who reaches members without a PIN writes a record of a key there. Its print is
# that of the public key, and no secret; this takes it from the genuine one.
forged_record() {
	state=$1
	shift
	hsm key generate --type ec:P-256 --label victim
	hsm key annotate --label victim purpose=x
	at a --list-objects --type data >objects
	label=$(sed -n "s/.*label: *'\(hsmux-k-[^']*\)'.*/\1/p" objects | tail -n 1)
	at a --read-object --type data --label "$label" -o genuine
	{
		sed -n '1,2p' genuine
		printf 'version 99\nstate %s\n' "$state"
		sed -n '/^class /p; /^type /p; /^id /p; /^label /p' genuine
		printf '%s\n' "$@"
	} >forged
	for name in a b; do
		at $name --delete-object --type data --label "$label"
		without_login $name --write-object forged --type data --label "$label" --application-label hsmux
	done
	attack open
	attack victim
	for name in a b; do
		at $name --delete-object --type data --label "$label" || :
	done
	hsm key destroy --label victim --yes
}

over all kek "" a b
everything
try open "keys stay from one process to the next"
check "keys stay while a member is away, and after it is back ($where)" with_one_away a
check "and the other one ($where)" with_one_away b
try open "and with both"
check "keys that came by other means stay where they are shown to ($where)" brought a
check "a record that needs no login says nothing of a private key: destroyed ($where)" \
	forged_record destroyed "owed a,b"
check "nor when it says that the key is none ($where)" forged_record destroyed "public yes" "owed a,b"
check "nor that it may leave ($where)" forged_record live "public yes" "may-export yes"
check "nor that it is retired ($where)" forged_record retired "public yes"
check "a retired key makes nothing new, on either member ($where)" retired a b
again

over all kek --no-trust c d
everything
odd
check "keys that came by other means stay where they are shown to ($where)" brought c

over all locked "" e f
everything

over first kek --no-trust g h
try forge "a key that says that it is another one says nothing for that one"
try swap "a key beside another's public key is not taken for that one"
again
check "a copy that is destroyed leaves its original on all members ($where)" twins

if [ -z "${no_nss:-}" ]; then
	over all kek --no-trust i nss
	everything
	again
	odd
	# NSS 3.87 wraps keys that say that they are not extractable, and replaces one of the same CKA_ID.
	virtual failover nss,priority=1 i,priority=2
	where="nss first"
	try copy "copies do no more than the original, and leave it"
	try chain "a copy of a copy says nothing for the first"
else
	skip "NSS takes part" "$no_nss"
fi
done_testing
