#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Processes that fork before, after and while they use tokens (forks.c). Not with tpm2-pkcs11: there a
# child shares the parent's connection to the TPM and breaks it.
. "$(dirname "$0")/../lib.sh"
cd "$work" || bail_out "no $work"

# shellcheck disable=SC2034 # see try_token: openCryptoki comes last
without_leaks=1
makes="softhsm nss p11kit opencryptoki"
[ -z "$wrap" ] || makes="softhsm p11kit" # valgrind is slow
for make in $makes; do
	if ! try_token $make $make; then
		skip "$make: forks" "$why"
		continue
	fi
	[ $make != opencryptoki ] || inside=$(fact $make enter)
	conf $make=$make
	check "$make: fork before C_Initialize" driver forks before $make
	check "$make: nothing is inherited, a child starts anew" driver forks after $make
	check "$make: children that exit, finalise or execute harm nobody" driver forks ignorant $make
	check "$make: a daemon goes on when its parents have gone" driver forks daemonised $make
	check "$make: forks while four threads sign" driver forks during $make
done
done_testing
