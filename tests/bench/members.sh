# SPDX-License-Identifier: BSD-2-Clause
# Sourced after tests/lib.sh: members that can be broken, for the soak and the failover goals. Each is a
# fault token over a SoftHSM2 token of its own; both libraries are copies, because the same file loaded
# twice is one instance. All members hold the same keys.
#
# $fault_token: the built tests/token/fault.so; $soak: the program that puts the keys there.
# shellcheck shell=sh

# member NAME: store, libraries and keys; its plan is $work/NAME.plan
member() {
	token softhsm "$1" LABEL="$1"
	cp "$(fact "$1" library)" "$work/soft-$1.so" || bail_out "no copy of the library"
	cp "$fault_token" "$work/fault-$1.so" || bail_out "no copy of the fault token"
	: >"$work/$1.plan"
	env "$(fact "$1" variables)" "$soak" --import "$(fact "$1" library)" "$1" ||
		bail_out "the keys could not be put on $1"
}

# group_conf FILE MODE NAME...: one virtual token "group" over the members, in this order of priority
group_conf() {
	file=$1
	mode=$2
	shift 2
	{
		echo 'version = 1;'
		echo 'modules = ('
		comma=
		for name; do
			printf '%s  { name = "%s"; library = "%s";\n    env = { %s; FAULT_TOKEN_LIBRARY = "%s"; FAULT_TOKEN_CONTROL = "%s"; }; }' \
				"$comma" "$name" "$work/fault-$name.so" \
				"$(fact "$name" variables | sed 's/=\(.*\)/ = "\1"/')" \
				"$work/soft-$name.so" "$work/$name.plan"
			comma=',
'
		done
		printf '\n);\ntokens = (\n  { label = "group"; mode = "%s";\n    members = (\n' "$mode"
		comma=
		priority=0
		for name; do
			priority=$((priority + 1))
			printf '%s      { name = "%s"; module = "%s"; token = "%s"; priority = %s; }' \
				"$comma" "$name" "$name" "$name" "$priority"
			comma=',
'
		done
		printf '\n    ); }\n);\nstate = { directory = "%s"; };\n' "$work/state"
	} >"$file"
	mkdir -p "$work/state"
	chmod 700 "$work/state"
	chmod 600 "$file"
}
