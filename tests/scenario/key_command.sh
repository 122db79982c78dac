#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# hsmux key: what is where, what differs, and bringing it in line without touching anything else.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
token softhsm a LABEL=a
token softhsm b LABEL=b
token softhsm old LABEL=old
token softhsm keyed LABEL=keyed
cd "$work" || bail_out "no $work"
printf '1234\n' >pin
printf '9999\n' >wrong-pin
printf '76543210\n' >so-pin
chmod 600 pin so-pin wrong-pin

# A virtual token over both, and the old token as it is.
TOKEN='replicate = "all";'
virtual failover a b
beside keyed '{ label = "keyed"; mode = "failover"; replicate = "all";
	members = ( { name = "k"; module = "keyed"; token = "keyed"; } ); }'
beside old '{ label = "old"; members = ( { name = "old"; module = "old"; token = "old"; } ); }'

# at NAME ARGUMENT...: pkcs11-tool on the member by its own library
at() {
	name=$1
	shift
	# shellcheck disable=SC2046 # words
	env $(fact "$name" variables) pkcs11-tool --module "$(fact "$name" library)" --token-label "$name" \
		--login --pin 1234 "$@" 2>&1
}

aes() {
	name=$1 label=$2 id=$3
	shift 3
	at "$name" --keygen --key-type aes:32 --label "$label" --id "$id" --sensitive "$@"
}

key() { verb=$1; shift; tool key "$verb" virtual --pin-source "file:$work/pin" "$@"; }

# exits CODE COMMAND...
exits() {
	wanted=$1
	shift
	code=0
	"$@" || code=$?
	same "$code" "$wanted"
}

# fails CODE WORDS COMMAND...: with one line on standard error that has these words
fails() {
	wanted=$1 words=$2
	shift 2
	code=0
	"$@" 2>errors || code=$?
	cat errors
	same "$code" "$wanted"
	grep -qF -- "$words" errors
	same "$(grep -vc 'warn:' errors)" 1
}

# json EXPRESSION: of `d`, the JSON on standard input, and `k`, its keys by label
json() {
	tee last.json | /usr/bin/python3 -c "
import json, sys
d = json.load(sys.stdin)
k = {x.get('label'): x for x in d.get('keys', d.get('differences', []))}
sys.exit(not ($1))" || { cat last.json; return 1; }
}

differs() { exits 1 key compare --json >compared; json "$1" <compared; }

# The same key-encryption key on every token that gets it.
kek_of_components() {
	for part in one two; do
		[ -e $part ] || /usr/bin/python3 -c "
import hashlib, os
c = os.urandom(32)
print(c.hex()[:10], c.hex()[10:], hashlib.sha256(c).hexdigest()[:6])" >$part
		chmod 600 $part
	done
	tool kek install "$1" --pin-source "file:$work/pin" --so-pin-source "file:$work/so-pin" \
		--component-source "file:$work/one" --component-source "file:$work/two"
}

nothing_is_there() {
	key list --json | json "d['keys'] == [] and d['asked'] == ['a', 'b']"
	exits 0 key compare
	exits 0 key sync
}

needs_the_kek() {
	at a --keypairgen --key-type EC:prime256v1 --label early --id e1 --extractable
	exits 1 key sync >said
	cat said
	grep -q 'failed: copy on b: private key "early"' said
	same "$(at b --list-objects --type privkey | grep -c early)" 0
	at a --type privkey --label early --delete-object
	at a --type pubkey --label early --delete-object
	at b --type pubkey --label early --delete-object
	kek_of_components virtual
	exits 0 key compare
	key list --all --json | json "d['keys'] == []"
}

copies() {
	at a --keypairgen --key-type rsa:2048 --label signing --id 01 --extractable
	aes b backup 02 --extractable
	aes a bound 03
	key list --json | json "k['signing']['holders'] == ['a'] and k['signing']['type'] == 'rsa:2048'
		and k['backup']['holders'] == ['b'] and k['backup']['state'] == 'missing'
		and k['bound']['state'] == 'single'"
	differs "not d['ok'] and k['signing']['missing'] == ['b']"
	exits 1 key sync --dry-run --json >planned
	json "d['dry_run'] and d['done'] == 3 and d['left'] == 1" <planned
	key list --json | json "k['signing']['holders'] == ['a']"
	exits 1 key sync
	key list --all --json | json "all(x['holders'] == ['a', 'b'] for x in d['keys'] if x['label'] != 'bound')"
	at a --type secrkey --label bound --delete-object
	exits 0 key sync
	exits 0 key compare
}

# The copy signs as the original: a is taken away.
copy_works() {
	echo text >text
	at b --sign --mechanism SHA256-RSA-PKCS --id 01 --input-file text --output-file signature
	at a --read-object --type pubkey --id 01 --output-file public.der
	openssl dgst -sha256 -verify public.der -keyform DER -signature signature text
}

drifts() {
	at b --type secrkey --label backup --set-id 22
	differs "k['backup']['facts'] == ['drift'] and k['backup']['drift'] == [{'member': 'b', 'attributes': ['CKA_ID']}]"
	exits 0 key sync
	key list --json | json "k['backup']['id'] == '02' and k['backup']['state'] == 'ok' and k['backup']['type'] == 'aes:256'"
}

conflicts() {
	aes a twice 04 --extractable
	aes b twice 04 --extractable
	differs "[x['facts'][0] for x in d['differences']] == ['conflict'] * 2"
	exits 1 key sync >said
	cat said
	same "$(grep -c '^left: .*conflict' said)" 2
	for name in a b; do same "$(at $name --list-objects --type secrkey | grep -c twice)" 1; done
	fails 1 '2 keys are meant: secret key "twice"' key destroy --label twice --yes
	for name in a b; do at $name --type secrkey --label twice --delete-object; done
	exits 0 key compare
}

liars_are_extra() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out other.der
	at b --keypairgen --key-type EC:prime256v1 --label liar --id 05
	at b --type privkey --label liar --delete-object
	at b --write-object other.der --type privkey --label liar --id 05
	exits 1 key compare >said
	cat said
	grep -q 'private key "liar".*extra: b: it is not the private key' said
	at b --type privkey --label liar --delete-object
	at b --type pubkey --label liar --delete-object
}

leftovers() {
	aes a hsmux-pending-0123456789abcdef01 06 --extractable
	differs "d['leftovers'] == [{'tag': 'hsmux-pending-0123456789abcdef01', 'member': 'a'}] and not d['differences']"
	exits 1 key sync
	at a --list-objects --type secrkey | grep hsmux-pending
	exits 0 key sync --leftovers
	at a --list-objects --type secrkey | grep hsmux-pending && return 1
	exits 0 key compare
}

annotates() {
	key annotate --label signing purpose=tls owner="the shop" expires=2031-01-01
	key list --notes --json | json "k['signing']['notes'] == {'purpose': 'tls', 'owner': 'the shop', 'expires': '2031-01-01'}"
	key annotate --id 01 owner=
	key list --json | json "k['signing']['notes'] == {'purpose': 'tls', 'expires': '2031-01-01'}"
	fails 2 'expected a date' key annotate --label signing expires=soon
	fails 2 'expected purpose=' key annotate --label signing colour=blue
	fails 1 'has no key with label "nobody"' key annotate --label nobody owner=x
	key list --json | json "k['signing']['notes'] == {'purpose': 'tls', 'expires': '2031-01-01'}"
	exits 0 key compare
}

generates() {
	key generate --type ec:P-256 --label made --id 0a >said
	cat said
	grep -q '^pkcs11:.*token=virtual.*id=%0A;object=made$' said
	key list --json | json "k['made']['holders'] == ['a', 'b'] and k['made']['use'] == ['sign'] and 'created' in k['made']['notes']"
	key generate --type aes:256 --label wraps --use wrap,unwrap --json | json "d['key']['use'] == ['wrap', 'unwrap'] and d['key']['type'] == 'aes:256'"
	fails 1 'the label or the id is taken' key generate --type ec:P-256 --label made
	fails 1 'the label or the id is taken' key generate --type ec:P-256 --label other --id 0a
	fails 2 '--type rsa:12: expected rsa:BITS' key generate --type rsa:12 --label other
	fails 2 '--id 0g: expected bytes' key generate --type rsa:2048 --label other --id 0g
	fails 2 '--use fly: expected' key generate --type rsa:2048 --label other --use fly
	fails 2 '--type is missing' key generate --label other
	key list --json | json "'other' not in k"
	exits 0 key compare
}

rotates() {
	key rotate --label signing --json >rotated
	json "d['old']['state'] == 'retired' and d['new']['holders'] == ['a', 'b'] and d['new']['label'] == 'signing-2' and d['old_uri'].startswith('pkcs11:')" <rotated
	key list --json | json "k['signing']['notes']['next'] == k['signing-2']['fingerprint'] and
		k['signing-2']['notes']['previous'] == k['signing']['fingerprint'] and k['signing-2']['notes']['purpose'] == 'tls'
		and k['signing-2']['use'] == k['signing']['use']"
	fails 1 'was rotated already' key rotate --label signing
	exits 0 key compare
}

destroys() {
	key destroy --label wraps && return 1
	key destroy --label wraps --yes
	key destroy --label made --yes
	key list --all --json | json "'wraps' not in k and 'made' not in k"
	exits 0 key compare
	fails 1 'has no key with label "made"' key destroy --label made --yes
	fails 2 '--label or --id is missing' key destroy --yes
}

# signs_on LABEL ID: each member, with the pair whose public half was read into LABEL.der
signs_on() {
	openssl dgst -sha256 -binary text >digest
	for name in a b; do
		at $name --sign --mechanism ECDSA --id "$2" --input-file digest --output-file signature \
			--signature-format openssl
		openssl dgst -sha256 -verify "$1.der" -keyform DER -signature signature text
	done
}

# The source has no key-encryption key: one is made for the errand.
imports() {
	at old --keypairgen --key-type EC:prime256v1 --label legacy --id b1 --extractable
	at old --read-object --type pubkey --id b1 --output-file legacy.der
	aes old secret b2 --extractable
	aes old fixed b3
	fails 2 '--label, --id or --all is missing' key import-from --from old
	fails 1 'unknown token "nowhere"' key import-from --from nowhere --all
	exits 1 key import-from --from old --all --from-pin "file:$work/pin" --dry-run
	key list --json | json "'secret' not in k"
	exits 1 key import-from --from old --all --from-pin "file:$work/pin" --json >imported
	json "d['done'] == 3 and [(x['key']['class'], x['result']) for x in d['keys']] == [
		('private key', 'done'), ('public key', 'done'), ('secret key', 'left'), ('secret key', 'done')]" <imported
	key list --all --json | json "k['secret']['holders'] == ['a', 'b'] and 'fixed' not in k and
		[x['holders'] for x in d['keys'] if x['label'] == 'legacy'] == [['a', 'b']] * 2"
	signs_on legacy b1
	at old --list-objects >left
	not grep hsmux left
	exits 0 key compare
	at old --list-objects --type secrkey | grep secret
	exits 0 key import-from --from old --label secret --from-pin "file:$work/pin" >said
	grep 'left: .*it is there already' said
}

moves() {
	exits 0 key move --from old --label secret --from-pin "file:$work/pin" --yes
	at old --list-objects --type secrkey | grep secret && return 1
	key list --json | json "k['secret']['holders'] == ['a', 'b']"
}

# A private key travels where both tokens have the same key-encryption key.
moves_private_keys() {
	kek_of_components keyed
	at keyed --keypairgen --key-type EC:prime256v1 --label moved --id b7 --extractable
	at keyed --read-object --type pubkey --id b7 --output-file moved.der
	exits 0 key move --from keyed --label moved --from-pin "file:$work/pin" --yes
	at keyed --list-objects >left
	not grep moved left
	key list --all --json | json "[x['holders'] for x in d['keys'] if x['label'] == 'moved'] == [['a', 'b']] * 2"
	signs_on moved b7
	exits 0 key compare
}

# Nothing is said to be missing on a member that cannot be asked; it is said that it was not.
away_is_not_missing() {
	mv b/tokens b/away
	code=0
	key compare --json >compared 2>errors || code=$?
	mv b/away b/tokens
	cat errors
	same "$code" 3
	grep -q 'member b was not asked' errors
	json "d['ok'] and d['asked'] == ['a'] and d['differences'] == []" <compared
	exits 0 key compare
}

bad_input_changes_nothing() {
	fails 1 'unknown token "nowhere"' tool key list nowhere --pin-source "file:$work/pin"
	fails 1 'the login failed: CKR_PIN_INCORRECT' tool key list virtual --pin-source "file:$work/wrong-pin"
	fails 2 'an argument is missing' tool key list
	fails 2 'bad option "--yes"' tool key list virtual --yes
	fails 2 '--class thing: expected' key destroy --label signing --class thing
	fails 1 'replicate = "none"' tool key sync old --pin-source "file:$work/pin"
	exits 0 key compare
}

check "an empty token has nothing to compare" nothing_is_there
check "what cannot be copied without a KEK is said, and copied when there is one" needs_the_kek
check "missing copies are shown, planned and made; what cannot be copied is left" copies
check "a copy signs as the original does" copy_works
check "attributes that differ are shown and set" drifts
check "two keys of one name are a conflict, and left" conflicts
check "a private key that is not what stands beside it is taken for no other" liars_are_extra
check "leftovers that no journal knows are destroyed on demand only" leftovers
check "notes are written and taken out on all members" annotates
check "keys are made on all members, under names of their own" generates
check "a key is rotated once" rotates
check "a key is destroyed on all members, after a question" destroys
check "keys of another token are imported, and those that cannot be are named" imports
check "a key is moved" moves
check "a pair is moved under a key-encryption key in common, and signs on" moves_private_keys
check "a member that is away lacks nothing" away_is_not_missing
check "bad input changes nothing" bad_input_changes_nothing
done_testing
