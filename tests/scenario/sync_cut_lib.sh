# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the scripts in which a member fails at every single call of a `hsmux key` command: afterwards
# `hsmux key sync` makes the members the same, no key is lost, nothing is half done, nothing lies about.
#
# In the suite some of the calls, others for each way to fail; HSMUX_TEST_WHOLE=1: all ways to fail, at each call, or
# with HSMUX_TEST_STEP=N at every Nth.
# shellcheck shell=sh disable=SC2154
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
! is_short || skip_all "cuts begin hundreds of programs, which are slower here"
token fault a LABEL=a
token fault b LABEL=b
token fault keyed LABEL=keyed
. "$tests/scenario/kek_lib.sh"

# over RULE PROTECT: a virtual token over a and b, and the one over `keyed` that keys come from
over() {
	GLOBAL='health = { open_ms = 10; open_max_ms = 20; };'
	TOKEN="replicate = \"$1\"; protect = \"$2\";" virtual failover a b
	beside keyed '{ label = "keyed"; mode = "failover"; replicate = "all";
		members = ( { name = "k"; module = "keyed"; token = "keyed"; } ); }'
}

key() { verb=$1; shift; tool key "$verb" virtual --pin-source "file:$work/pin" "$@"; }

# The same KEK for both.
install_keks() {
	for part in one two; do
		/usr/bin/python3 -c "
import hashlib, os
c = os.urandom(32)
print(c.hex()[:10], c.hex()[10:], hashlib.sha256(c).hexdigest()[:6])" >$part
		chmod 600 $part
	done
	for label in virtual keyed; do
		tool kek install $label --pin-source "file:$work/pin" --so-pin-source "file:$work/so-pin" \
			--component-source "file:$work/one" --component-source "file:$work/two" >output 2>&1 ||
			bail_out "no KEK: $(cat output)"
	done
}

# at NAME ARGUMENT...: pkcs11-tool on the token by its own library; look NAME ARGUMENT...: sync_cut.py
at() {
	name=$1
	shift
	# shellcheck disable=SC2046 # words
	env $(fact "$name/real" variables) pkcs11-tool --module "$(fact "$name/real" library)" --token-label "$name" \
		--login --pin 1234 "$@" 2>&1
}

look() {
	name=$1
	shift
	# shellcheck disable=SC2046 # words
	env $(fact "$name/real" variables) /usr/bin/python3 "$tests/scenario/sync_cut.py" \
		"$(fact "$name/real" library)" "$name" "$@"
}

# keep NAME, put_back NAME: the tokens and the journal as they are now, and again
keep() {
	for place in a/real/tokens b/real/tokens keyed/real/tokens state; do
		mkdir -p "$1/$(dirname $place)"
		cp -a $place "$1/$place"
	done
}

put_back() {
	for place in a/real/tokens b/real/tokens keyed/real/tokens state; do
		rm -rf "${work:?}/$place"
		cp -a "$1/$place" $place
	done
}

# Both members have the same, the journal is empty: what there is, in `there`.
is_consistent() {
	patiently key sync >synced 2>&1 || { cat synced; return 1; }
	patiently key compare || return 1
	look a list >there && look b list >there-too && cmp there there-too || return 1
	find state -name '*journal*' -size +0 >open
	not grep . open
}

has() { grep -qx "$1" there || { echo "lost: $1"; cat there; return 1; }; }
has_not() { ! grep -x "$1" there; }

# has_pair LABEL: both halves; has_both_or_none LABEL
has_pair() { has "private $1" && has "public $1"; }
has_both_or_none() { same "$(grep -cx "private $1" there)" "$(grep -cx "public $1" there)"; }

step=${HSMUX_TEST_STEP:-151}
[ -z "${HSMUX_TEST_WHOLE:-}" ] || step=${HSMUX_TEST_STEP:-1}

# cut BEFORE MEMBER ACTION VERDICT COMMAND...: at calls of the member, from the state that was kept; VERDICT CODE
# says whether it is right after the command ended so. ACTION "for good": the member is gone from that call on.
cut() {
	before=$1 member=$2 action=$3 verdict=$4
	shift 4
	put_back "$before"
	rm -f "$member/stats"
	"$@" >first 2>&1
	last=$(all_counted "$member")
	[ "$last" -gt 20 ]
	call=$(((${#action} * 7 + ${#member}) % step))
	[ "$call" -gt 0 ] || call=$step
	while [ "$call" -le "$last" ]; do
		put_back "$before"
		case $action in
		"for good") plan "$member" "* from $call CKR_DEVICE_REMOVED" ;;
		*) plan "$member" "* nth $call $action" ;;
		esac
		code=0
		"$@" >first 2>&1 || code=$?
		plan "$member"
		if ! { is_consistent && "$verdict" $code; } >again 2>&1; then
			echo "$*: $member, $action at call $call of $last: exit $code"
			cat first again
			[ -n "${HSMUX_TEST_WHOLE:-}" ] || return 1
			touch wrong
		fi
		call=$((call + step))
	done
	[ ! -e wrong ]
}

# every BEFORE VERDICT "MEMBER..." COMMAND...: all ways to fail; in the suite two for each member
every() {
	before=$1 verdict=$2 members=$3
	shift 3
	for member in $members; do
		for action in "after CKR_DEVICE_ERROR" "for good" CKR_DEVICE_ERROR kill "after kill"; do
			if [ -z "${HSMUX_TEST_WHOLE:-}" ]; then
				case $member:$action in
				"a:after CKR_DEVICE_ERROR" | a:kill | "b:for good" | "b:after kill") ;;
				*) continue ;;
				esac
			fi
			check "$*: $member, $action" cut "$before" "$member" "$action" "$verdict" "$@"
		done
	done
}
