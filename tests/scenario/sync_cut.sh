#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A member fails at every single call of hsmux key sync, which has everything to do: copies of a pair, of a secret
# key and of a certificate, a label that differs, a destroyed key that came back, a creation that was not finished.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/sync_cut_lib.sh"

prepare() {
	keep empty
	key generate --type ec:P-256 --label pair
	for label in secret named gone; do key generate --type aes:256 --label $label; done
	openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=test -outform DER -out cert.der
	plan b 'C_UnwrapKey nth 1 after kill'
	key generate --type ec:P-256 --label half && return 1
	plan b 'state gone CKR_DEVICE_REMOVED'
	driver repair record virtual gone destroyed b a
	plan b
	at a --type secrkey --label gone --delete-object
	at b --type privkey --label pair --delete-object
	at b --type pubkey --label pair --delete-object
	at a --type secrkey --label secret --delete-object
	look b rename named otherwise
	at a --write-object cert.der --type cert --label certificate --id 09
	look a list
	look b list && return 1
	keep sync
}

is_synced() {
	has_pair pair && has 'secret secret' && has 'secret named' && has 'certificate certificate' &&
		has_not 'secret gone' && same "$(wc -l <there)" 5
}

# In locked mode a copy is locked, and what it was made of, when all have one.
prepare_locked() {
	put_back empty
	at a --keypairgen --key-type EC:prime256v1 --label pair --id 01 --extractable
	at b --keygen --key-type aes:32 --label secret --id 02 --sensitive --extractable
	keep locked
}

is_locked() {
	has_pair pair && has 'secret secret' && same "$(wc -l <there)" 3 || return 1
	LOCKED=1 look a list && LOCKED=1 look b list
}

over all kek
install_keks
check "there is everything to do" prepare
every sync is_synced "a b" key sync
over all locked
check "there are keys to be locked" prepare_locked
every locked is_locked "a b" key sync
done_testing
