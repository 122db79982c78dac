#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A member fails at every single call of hsmux key import-from: of each key all members have a copy then, or none,
# and the same command once more brings the rest. The source is never changed.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/sync_cut_lib.sh"

prepare() {
	at keyed --keypairgen --key-type EC:prime256v1 --label legacy --id b1 --extractable
	at keyed --keygen --key-type aes:32 --label secret --id b2 --sensitive --extractable
	look keyed list && return 1
	keep import
}

import_all() { key import-from --from keyed --all --from-pin "file:$work/pin"; }

# What was said to be done is there; the rest comes with the next try.
is_imported() {
	has_both_or_none legacy || return 1
	[ "$1" -ne 0 ] || { has_pair legacy && has 'secret secret' || return 1; }
	patiently import_all || return 1
	is_consistent || return 1
	has_pair legacy && has 'secret secret' && same "$(wc -l <there)" 3 || return 1
	look keyed list >source
	same "$(grep -c . source)" 3
}

# In locked mode nothing can be wrapped at the end, at the least where the members have it.
is_locked() {
	has_both_or_none legacy || return 1
	LOCKED=1 look a list && LOCKED=1 look b list
}

over all kek
install_keks
check "there is something to import" prepare
every import is_imported "a b${HSMUX_TEST_WHOLE:+ keyed}" import_all
if [ -n "${HSMUX_TEST_WHOLE:-}" ]; then
	over first kek
	every import is_imported "a b" import_all
	over all locked
	every import is_locked "a b" import_all
fi
over all locked
check "keys that are locked where they go: cut behind a call" cut import b "after CKR_DEVICE_ERROR" is_locked import_all
over first kek
check "keys of which one copy is enough: a member goes for good" cut import b "for good" is_imported import_all
done_testing
