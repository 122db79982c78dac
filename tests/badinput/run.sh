#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run.sh PROGRAM null LIBRARY [--messages] | run.sh PROGRAM KIND: bad input through hsmux, over the null token (every
# function, every argument) or over a real token of this make (what it can do). The program writes TAP.
. "$(dirname "$0")/../lib.sh"
program=$1

if [ "$2" = null ]; then
	cat >"$work/hsmux.conf" <<-END
		version = 1;
		modules = ( { name = "null"; library = "$3"; } );
		tokens = ( { label = "null"; mode = "passthrough"; policy = "off";
		  members = ( { name = "null"; module = "null"; token = "null"; } ); } );
	END
	chmod 600 "$work/hsmux.conf"
	export HSMUX_CONF="$work/hsmux.conf" BADINPUT_PIN=1234
	export NULL_TOKEN_STATS="$work/stats" NULL_TOKEN_FOREIGN=count
	# shellcheck disable=SC2086 # one word or none
	client "$program" "$module" null ${4:-} 2>"$work/errors"
else
	token "$2" t
	conf "$2=t"
	BADINPUT_PIN=$(fact t pin)
	export BADINPUT_PIN
	enter=$(fact t enter)
	# shellcheck disable=SC2086 # one word or none
	client $enter "$program" "$module" "$2" --loose 2>"$work/errors"
fi
result=$?
grep -v '^hsmux: ' "$work/errors" | indent /dev/stdin
[ "$result" -eq 0 ] || bail_out "the program ended with status $result"
