#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# hsmux key over two makes: what one of them does not know, or cannot keep, is no difference for ever.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
token softhsm a LABEL=a
token nss n LABEL=n
token softhsm old LABEL=old
TOKEN='replicate = "all";'
virtual failover a n
cd "$work" || bail_out "no $work"
printf '1234\n' >pin
printf '76543210\n' >so-pin
chmod 600 pin so-pin
tool kek install virtual --pin-source "file:$work/pin" --so-pin-source "file:$work/so-pin" >said 2>&1 ||
	bail_out "no KEK: $(cat said)"

# at_a ARGUMENT...: pkcs11-tool on the first member by its own library
at_a() {
	# shellcheck disable=SC2046 # words
	env $(fact a variables) pkcs11-tool --module "$(fact a library)" --token-label a --login --pin 1234 "$@" 2>&1
}

key() { verb=$1; shift; tool key "$verb" virtual --pin-source "file:$work/pin" "$@"; }

# json EXPRESSION: of `d`, the JSON on standard input, and `k`, its keys by label
json() {
	tee last.json | /usr/bin/python3 -c "
import json, sys
d = json.load(sys.stdin)
k = {x['label']: x for x in d['keys']}
sys.exit(not ($1))" || { cat last.json; return 1; }
}

copies_all_kinds() {
	at_a --keypairgen --key-type rsa:2048 --label rsa --id 01 --extractable
	at_a --keypairgen --key-type EC:secp384r1 --label ec --id 02 --extractable
	at_a --keygen --key-type aes:32 --label aes --id 03 --sensitive --extractable
	key sync
	key list --all --json | json "len(d['keys']) == 5 and all(x['holders'] == ['a', 'n'] for x in d['keys'])"
	key compare
}

generates() {
	key generate --type ec:P-256 --label made
	key generate --type aes:256 --label secret
	key list --json | json "k['made']['holders'] == k['secret']['holders'] == ['a', 'n']"
	key compare
}

# NSS has no data objects on its token: the record is where one can be.
notes_are_kept() {
	key annotate --label made purpose=tls
	key rotate --label made
	key list --notes --json | json "k['made']['notes']['purpose'] == 'tls' and 'retired' in k['made']['facts']
		and k['made-2']['notes']['purpose'] == 'tls'"
	key compare
}

# A data object of people's cannot be copied there, which stays a difference.
what_a_make_cannot_keep_is_said() {
	echo text >text
	at_a --write-object text --type data --label text
	key sync >said && return 1
	cat said
	grep -q 'failed: copy on n: data object "text".*member n' said
	key list --all --json | json "k['text']['state'] == 'missing'"
	at_a --type data --label text --delete-object
	key compare
}

# The token that keys are brought from shares nothing with the others.
imports() {
	beside old '{ label = "old"; members = ( { name = "old"; module = "old"; token = "old"; } ); }'
	# shellcheck disable=SC2046 # words
	at_old() {
		env $(fact old variables) pkcs11-tool --module "$(fact old library)" --token-label old --login --pin 1234 "$@" 2>&1
	}
	at_old --keypairgen --key-type rsa:2048 --label old-rsa --id 11 --extractable
	at_old --keypairgen --key-type EC:prime256v1 --label old-ec --id 12 --extractable
	at_old --keygen --key-type aes:32 --label old-aes --id 13 --sensitive --extractable
	key import-from --from old --all --from-pin "file:$work/pin"
	key list --all --json | json "sorted((x['label'], x['class'], x['state']) for x in d['keys'] if x['label'].startswith('old-')) == [
		('old-aes', 'secret key', 'ok'), ('old-ec', 'private key', 'ok'), ('old-ec', 'public key', 'ok'),
		('old-rsa', 'private key', 'ok'), ('old-rsa', 'public key', 'ok')]"
	key compare
}

check "keys of all kinds are copied to another make, and are the same there" copies_all_kinds
check "keys are made on both" generates
check "notes are kept where they can be" notes_are_kept
check "keys of a token without a KEK are imported" imports
check "what a make cannot keep is said" what_a_make_cannot_keep_is_said
done_testing
