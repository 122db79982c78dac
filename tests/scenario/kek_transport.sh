#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A secret key crosses between members of every make without leaving them (kek.c).
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
token softhsm a LABEL=a
token softhsm b LABEL=b
makes="a b"
for make in nss opencryptoki; do
	if try_token $make $make LABEL=$make; then
		makes="$makes $make"
	else
		skip "$make takes part" "$why"
	fi
done
# shellcheck disable=SC2086 # words
virtual failover $makes
case $makes in *opencryptoki*) inside=$(fact opencryptoki enter) ;; esac

for from in $makes; do
	for to in $makes; do
		[ $from != $to ] || continue
		check "an AES key goes from $from to $to, and is no other" driver kek transport virtual $from $to
	done
done
done_testing
