#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A member that comes back is brought in line with what records say that it missed, and nothing else
# is touched (repair_owed.c).
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
token softhsm a LABEL=a
token softhsm b LABEL=b
TOKEN='replicate = "all";'
virtual failover a b
cd "$work" || bail_out "no $work"
printf '1234\n' >pin
printf '76543210\n' >so-pin
chmod 600 pin so-pin
tool kek install virtual --pin-source "file:$work/pin" --so-pin-source "file:$work/so-pin" >output 2>&1 ||
	bail_out "no KEK: $(cat output)"

# at NAME ARGUMENT...: pkcs11-tool on the member by its own library
at() {
	name=$1
	shift
	# shellcheck disable=SC2046 # words
	env $(fact "$name" variables) pkcs11-tool --module "$(fact "$name" library)" --token-label "$name" \
		--login --pin 1234 "$@" 2>&1
}

# aes NAME LABEL ID [OPTION]: a key that can be wrapped
aes() {
	name=$1 label=$2 id=$3
	shift 3
	at "$name" --keygen --key-type aes:32 --label "$label" --id "$id" --sensitive "$@"
}

key() { verb=$1; shift; tool key "$verb" virtual --pin-source "file:$work/pin" "$@"; }

# holders LABEL: of the secret or private key
holders() {
	key list --all --json | /usr/bin/python3 -c "
import json, sys
print(';'.join(','.join(k['holders']) for k in json.load(sys.stdin)['keys']
	if k['label'] == '$1' and k['class'] != 'public key'))"
}

# owes MEMBER WORDS: what is owed is done, with this answer
owes() {
	driver repair owed virtual "$1" | tee owed
	grep -q "^$2" owed
}

no_records() { same "$(driver repair records virtual)" 0; }

is_copied() {
	aes a copied 01 --extractable
	driver repair record virtual copied live b a
	owes b CKR_OK
	same "$(holders copied)" a,b
	no_records
	key compare
}

is_renamed() {
	aes a renamed 02 --extractable
	key sync
	at a --type secrkey --label renamed --set-id 22
	driver repair record virtual renamed live b a
	owes b CKR_OK
	same "$(holders renamed)" a,b
	key list | grep 'renamed.*22 .*a,b of 2.*ok'
	no_records
}

# The other key has the same label, and is not what was destroyed.
is_destroyed() {
	aes a gone 03 --extractable
	key sync
	driver repair record virtual gone destroyed b a
	at a --type secrkey --label gone --delete-object
	aes a gone 04 --extractable
	owes b CKR_OK
	same "$(holders gone)" a
	key list | grep 'gone.*04'
	no_records
	at a --type secrkey --label gone --delete-object
}

is_destroyed_where_it_serves() {
	aes a late 05 --extractable
	key sync
	driver repair record virtual late destroyed a b
	at b --type secrkey --label late --delete-object
	owes b CKR_OK
	same "$(holders late)" ""
	no_records
}

# Who has it without owing it has made it again.
made_again_is_kept() {
	aes a again 06 --extractable
	key sync
	driver repair record virtual again destroyed b a
	owes b CKR_OK
	same "$(holders again)" a,b
	no_records
}

# It stands under the name of the destroyed key, with its public key beside it.
impostor_is_kept() {
	at a --keypairgen --key-type EC:prime256v1 --label lie --id 07 --extractable
	key sync
	driver repair record virtual lie destroyed b a
	at a --type privkey --label lie --delete-object
	at b --type privkey --label lie --delete-object
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out lie.der
	at b --write-object lie.der --type privkey --label lie --id 07
	owes b CKR_OK
	at b --list-objects --type privkey | grep 'lie'
	at b --type privkey --label lie --delete-object
	at a --type pubkey --label lie --delete-object
	at b --type pubkey --label lie --delete-object
	no_records
}

# It stays owed, and is no reason to keep the member out.
unable_stays_owed() {
	aes a bound 08
	driver repair record virtual bound live b a
	owes b CKR_OK
	same "$(holders bound)" a
	key list | grep 'bound.*owed'
}

check "a missing copy is made" is_copied
check "what was changed meanwhile is changed" is_renamed
check "what was destroyed meanwhile is destroyed, and nothing else of that name" is_destroyed
check "what the returning member knows is done on those that serve" is_destroyed_where_it_serves
check "what was made again since it was destroyed is kept" made_again_is_kept
check "what only bears the name of a destroyed key is kept" impostor_is_kept
check "what cannot be copied stays owed" unable_stays_owed
done_testing
