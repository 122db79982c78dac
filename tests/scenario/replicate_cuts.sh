#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Whatever happens at whichever call of a member while a token object is made, changed or destroyed: all
# members have it then, or none; see replicate.c. Here are some ways and kinds over two members. With
# REPLICATE_WAYS and REPLICATE_KINDS in the environment it is these; with REPLICATE_FULL=1 all, also over three
# members, with other rules, and with keys that are locked, which takes hours: REPLICATE_OVER chooses of those
# ("3:all:kek 2:all:locked").
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
token fault a LABEL=a
token fault b LABEL=b
printf '1234\n' >"$work/pin"
printf '76543210\n' >"$work/so-pin"
chmod 600 "$work/pin" "$work/so-pin"
mkdir -m 700 "$work/journal"

# What is struck are the calls of the way, not those of somebody who looks.
calmly="health = { interval_ms = 3600000; open_ms = 10; open_max_ms = 20; };
retry = { budget_ms = 300; attempts = 3; };"

# over RULE PROTECT MEMBER...: a virtual token that replicates, with a KEK
over() {
	rule=$1 protect=$2
	shift 2
	TOKEN="replicate = \"$rule\"; protect = \"$protect\";" GLOBAL=$calmly virtual failover "$@"
	sed -i "s|^state = {|& journal = \"$work/journal\";|" "$work/hsmux.conf"
}

# with_kek VERB
with_kek() {
	tool kek "$1" virtual --pin-source "file:$work/pin" --so-pin-source "file:$work/so-pin" \
		>"$work/output" 2>&1 && return 0
	indent "$work/output"
	bail_out "no KEK"
}

# cuts NEED WAY KIND WHICH MEMBER...
cuts() {
	need=$1 way=$2 kind=$3 which=$4
	shift 4
	folders=
	for name; do folders="$folders $work/$name"; done
	# shellcheck disable=SC2086 # words
	driver replicate virtual "$(fact a variables | tr ' ' '\n' | sed -n 's/^FAULT_TOKEN_LIBRARY=//p')" \
		"$need" "$way" "$kind" "$which" $folders
}

# each NEED WAYS KINDS MEMBER...: every one of them, each member struck
each() {
	need=$1 ways=$2 kinds=$3
	shift 3
	for way in $ways; do
		for kind in $kinds; do
			for which; do
				check "$rule, $protect: $way, $kind at every call of $which of $*" \
					cuts "$need" "$way" "$kind" "$which" "$@"
				rm -f "$work"/journal/*
			done
		done
	done
}

all_kinds="error lost sessions logout gone kill killed"
over all kek a b
with_kek install
if [ -z "${REPLICATE_FULL:-}" ]; then
	if [ -n "${REPLICATE_WAYS:-}" ]; then
		each 2 "$REPLICATE_WAYS" "${REPLICATE_KINDS:-$all_kinds}" a b
		done_testing
	fi
	if is_short; then
		check "all, kek: key, lost at every call of a" cuts 2 key lost a a b
		done_testing
	fi
	each 2 key lost a b
	check "all, kek: destroy, killed at every call of b" cuts 2 destroy killed b a b
	rm -f "$work"/journal/*
	check "all, kek: lock, lost at every call of a" cuts 2 lock lost a a b
	rm -f "$work"/journal/*
	check "all, kek: content, killed at every call of b" cuts 2 content killed b a b
	done_testing
fi
ways=${REPLICATE_WAYS:-"key ec data certificate secret public unwrap derive copy label content use lock twin destroy rsa"}
kinds=${REPLICATE_KINDS:-$all_kinds}
wanted=" ${REPLICATE_OVER:-2:all:kek 2:all:locked 3:all:kek 3:all:locked 3:majority:kek 3:first:kek} "

# full MEMBERS RULE PROTECT NEED NAME...
full() {
	case $wanted in
	*" $1:$2:$3 "*) ;;
	*) return 0 ;;
	esac
	how=$2 protects=$3 least=$4
	shift 4
	over "$how" "$protects" "$@"
	each "$least" "$ways" "$kinds" "$@"
}

full 2 all kek 2 a b
full 2 all locked 2 a b
token fault c LABEL=c
over all kek a b c
with_kek rotate # the one that two have cannot leave them
full 3 all kek 3 a b c
full 3 all locked 3 a b c
full 3 majority kek 2 a b c
full 3 first kek 1 a b c
done_testing
