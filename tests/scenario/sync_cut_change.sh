#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A member fails at every single call of hsmux key destroy and hsmux key rotate: it is done on all members then, or
# on none.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/sync_cut_lib.sh"

prepare() {
	key generate --type ec:P-256 --label pair
	key generate --type aes:256 --label secret
	keep change
}

# is_destroyed CODE: what was said to be done is; a pair goes half by half, and nothing else goes
is_destroyed() {
	has 'secret secret' || return 1
	[ "$1" -ne 0 ] || { has_not 'private pair' && has_not 'public pair' || return 1; }
	! grep -qx 'private pair' there || has 'public pair'
}

# The old key is there in any case, the new one as a whole; it is retired when the command says so.
is_rotated() {
	has_pair pair && has 'secret secret' && has_both_or_none pair-2 || return 1
	key list --json >listed
	! grep -q '"retired"' listed || has_pair pair-2 || return 1
	[ "$1" -ne 0 ] || grep -q '"retired"' listed
}

over all kek
install_keks
check "there are keys" prepare
every change is_destroyed "a b" key destroy --label pair --yes
every change is_rotated "a b" key rotate --label pair
done_testing
