#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A member that answers at random, beside a healthy one (hostile.c): nothing crashes, hangs or leaks, and the
# healthy token works throughout. HOSTILE_FIRST and HOSTILE_COUNT choose other seeds.
. "$(dirname "$0")/../lib.sh"
token softhsm healthy LABEL=healthy
hostile=${HSMUX_TEST_HOSTILE:?the hostile token}
cd "$work" || bail_out "no $work"
export HOSTILE_LABEL=hostile
: "${HOSTILE_FIRST:=0}"

{
	echo 'version = 1;'
	echo 'modules = ('
	echo "  { name = \"hostile\"; library = \"$hostile\"; },"
	echo "  { name = \"healthy\"; library = \"$(fact healthy library)\"; }"
	echo ');'
	echo 'tokens = ('
	for name in hostile healthy; do
		[ $name = hostile ] || echo ','
		echo "  { label = \"$name\"; members = ( { module = \"$name\"; token = \"$name\"; } ); }"
	done
	echo ');'
	echo 'log = { level = "error"; };'
} >hsmux.conf
chmod 600 hsmux.conf
export HSMUX_CONF="$work/hsmux.conf"
export "$(fact healthy variables)"

check "one thread, ${HOSTILE_COUNT:-12} seeds" driver hostile "$HOSTILE_FIRST" "${HOSTILE_COUNT:-12}"
check "four threads" driver hostile "$((HOSTILE_FIRST + 1000))" "$((${HOSTILE_COUNT:-12} / 4))" 4
done_testing
