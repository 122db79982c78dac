# SPDX-License-Identifier: BSD-2-Clause
# Sourced after tests/lib.sh: members that can be broken, for the soak and the failover goals. Each is a
# fault token over a SoftHSM2 token of its own, and all hold the same keys (known.c).
#
# $fault_token: the built tests/token/fault.so; $soak: the program that puts the keys there.
# shellcheck shell=sh

# member NAME: its plan is $work/NAME/plan
member() {
	token fault "$1" LABEL="$1" FAULT_TOKEN="$fault_token"
	# shellcheck disable=SC2046 # words
	env $(fact "$1" variables) "$soak" --import "$(fact "$1" library)" "$1" ||
		bail_out "the keys could not be put on $1"
}

# group MODE NAME...: hsmux.conf with one virtual token "group" over the members; with failover, in this
# order of priority
group() {
	words=mode=$1
	names=
	shift
	place=0
	for name; do
		place=$((place + 1))
		names="$names${names:+ }$name"
		[ "$words" = "${words#mode=failover}" ] ||
			words="$words,priority.$(echo a b c d | cut -d ' ' -f $place)=$place"
	done
	conf "group=$(echo "$names" | tr ' ' +),$words"
}
