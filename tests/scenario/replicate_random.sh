#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Random sequences of what applications do while members fail, go away and come back and processes are killed:
# at the end everything is as they were told, on all members; see replicate_random.c. By hand
#   replicate_random.sh --seeds N [--first SEED] [--rounds N] [--rules "all majority first"] [--protect kek|locked]
# runs more of them; what hsmux logged when one failed is left in $KEEP, when that names a folder, with LEVEL=debug
# all of it.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
seeds=1 first=1 rounds=3 rules="all majority first" protect="kek locked"
is_short && rounds=2 rules=majority
while [ $# -gt 1 ]; do
	case $1 in
	--seeds) seeds=$2 ;;
	--first) first=$2 ;;
	--rounds) rounds=$2 ;;
	--rules) rules=$2 ;;
	--protect) protect=$2 ;;
	*) bail_out "unknown: $1" ;;
	esac
	shift 2
done
token fault a LABEL=a
token fault b LABEL=b
token fault c LABEL=c
printf '1234\n' >"$work/pin"
printf '76543210\n' >"$work/so-pin"
chmod 600 "$work/pin" "$work/so-pin"
mkdir -m 700 "$work/journal"
export BALANCED="$work/balanced.conf"
health="health = { interval_ms = 100; failures = 3; open_ms = 10; open_max_ms = 50; };
retry = { budget_ms = 2000; attempts = 4; };
log = { level = \"${LEVEL:-info}\"; };"

# over RULE PROTECT
over() {
	TOKEN="replicate = \"$1\"; protect = \"$2\";" GLOBAL=$health virtual failover a b c
	sed -i "s|^state = {|& journal = \"$work/journal\";|" "$work/hsmux.conf"
	sed 's/"failover"/"balanced"/' "$work/hsmux.conf" >"$work/balanced.conf"
	chmod 600 "$work/balanced.conf"
}

# runs SEED
runs() {
	driver replicate_random virtual "$library" "$rule" "$1" "$rounds" "$work/a" "$work/b" "$work/c" && return 0
	grep -vE 'info: (module .*: started|member .*: serves)' "$work/said" | tail -n 50
	[ -z "${KEEP:-}" ] || cp "$work/said" "$KEEP/said-$rule-$how-$1"
	return 1
}

library=$(fact a variables | tr ' ' '\n' | sed -n 's/^FAULT_TOKEN_LIBRARY=//p')
over all kek
tool kek install virtual --pin-source "file:$work/pin" --so-pin-source "file:$work/so-pin" >"$work/output" 2>&1 || {
	indent "$work/output"
	bail_out "no KEK"
}
for rule in $rules; do
	for how in $protect; do
		# What is locked cannot be copied to who was away when it was made.
		[ "$rule $how" != "majority locked" ] && [ "$rule $how" != "first locked" ] || continue
		over "$rule" "$how"
		seed=$first
		while [ "$seed" -lt $((first + seeds)) ]; do
			check "$rule, $how: whatever happens, everything is as the applications were told (seed $seed)" \
				runs "$seed"
			seed=$((seed + 1))
		done
	done
done
done_testing
