# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the scripts about virtual tokens over several members, after tests/lib.sh.
#
# A script makes tokens (`member KIND NAME`), which all get the same keys, then a configuration over them
# (`virtual ...`), and runs the driver failover.c. Members of kind "fault" obey a plan.
# shellcheck shell=sh disable=SC2034,SC2154

keys=$work/keys
FAULT_TOKEN=${HSMUX_TEST_FAULT:?the fault token}
export FAULT_TOKEN

# by_hand_command NAME import|destroy WHAT: a shell command that does this on the token by its own module,
# as it is behind the faults, and is not counted
by_hand_command() {
	# shellcheck disable=SC2046 # words
	echo $(fact "$1" enter) env $(fact "$1" variables) FAULT_TOKEN_CONTROL=/nonexistent \
		"FAULT_TOKEN_STATS=$work/import.stats" "KEYS_PIN=$(fact "$1" pin)" ${preload:+"LD_PRELOAD=$preload"} \
		ASAN_OPTIONS=detect_leaks=0 "$drivers/keys" "$2" "$(fact "$1" library)" \
		"\"$(fact "$1" init_args)\"" "$(fact "$1" label)" "$3"
}

by_hand() { sh -c "$(by_hand_command "$@")"; }

# import NAME: the keys on the token
import() {
	by_hand "$1" import "$keys" >"$work/output" 2>&1 && return 0
	indent "$work/output"
	bail_out "the keys cannot be imported into $1"
}

# try_member KIND NAME [VARIABLE=VALUE...]: a token with the keys; 77 when packages are missing
try_member() {
	[ -d "$keys" ] || { mkdir "$keys" && "$drivers/keys" make "$keys" || bail_out "no keys"; }
	try_token "$@" || return 77
	import "$2"
}

# member KIND NAME [VARIABLE=VALUE...]: the same; skips the script
member() { try_member "$@" || skip_all "$why"; }

# module_line NAME: its entry in `modules`
module_line() {
	args=$(fact "$1" init_args)
	printf '  { name = "%s"; library = "%s";' "$1" "$(fact "$1" library)"
	case $(fact "$1" library) in
	*softhsm* | *fault*) printf ' private_copy = true;' ;;
	esac
	# A profile is found by the library's name, which is the fault token's here.
	[ "$(fact "$1" kind)" != fault ] || printf ' vendor = "%s";' "$(fact "$1/real" kind | sed 's/^softhsm$/softhsm2/')"
	[ -z "$args" ] || printf ' init_args = "%s";' "$args"
	settings=$(fact "$1" variables)
	if [ -n "$settings" ]; then
		printf ' env = {'
		for setting in $settings; do
			printf ' %s = "%s";' "${setting%%=*}" "${setting#*=}"
		done
		printf ' };'
	fi
	printf ' }'
}

# virtual MODE MEMBER[,SETTING...]...: a configuration with one virtual token "virtual" over these members;
# each SETTING is one of libconfig's, such as priority=2 or role="fallback", without blanks. POLICY, TOKEN and
# GLOBAL in the environment: its policy, settings of the token, and of the whole.
virtual() {
	mode=$1
	shift
	{
		echo 'version = 1;'
		echo 'modules = ('
		comma=
		for word; do
			printf '%s' "$comma"
			module_line "${word%%,*}"
			comma=',
'
		done
		printf '\n);\ntokens = (\n  { label = "virtual"; mode = "%s"; %s\n    members = (' "$mode" "policy = \"${POLICY:-$HSMUX_TEST_POLICY}\"; ${TOKEN:-}"
		comma=
		for word; do
			name=${word%%,*}
			settings=${word#"$name"}
			printf '%s\n      { name = "%s"; module = "%s"; token = "%s";%s }' "$comma" "$name" "$name" \
				"$(fact "$name" label)" "$(echo "$settings${settings:+;}" | sed 's/^,/ /; s/,/; /g; s/=/ = /g')"
			comma=,
		done
		printf ' ); }\n);\n'
		echo "state = { directory = \"$work/state\"; };"
		echo "${GLOBAL:-$quickly}"
	} >"$work/hsmux.conf"
	chmod 600 "$work/hsmux.conf"
	[ -d "$work/state" ] || { mkdir "$work/state" && chmod 700 "$work/state"; }
	export HSMUX_CONF="$work/hsmux.conf"
	"$hsmux" config check >"$work/output" 2>&1 && return 0
	indent "$work/output"
	bail_out "the configuration is refused"
}

# Members come back soon, so that many failures fit into a test.
quickly='health = { interval_ms = 100; failures = 3; open_ms = 20; open_max_ms = 100; };
retry = { budget_ms = 5000; attempts = 4; };'

# The same where calls are to run out of their budget.
impatiently='health = { interval_ms = 100; failures = 3; open_ms = 20; open_max_ms = 100; };
retry = { budget_ms = 500; attempts = 4; };'

# plan NAME LINE...: what goes wrong in a fault token from now on; no lines: nothing
plan() {
	where=$work/$1/plan
	shift
	printf '%s\n' "$@" >"$where.new" && mv "$where.new" "$where"
}

# counted NAME FUNCTION [ok]: calls of a fault token so far, or only those that succeeded
counted() {
	[ -e "$work/$1/stats" ] || { echo 0; return; }
	awk -F'[ =]' -v name="$2" -v field="${3:-calls}" '
		$1 == name && field == "calls" { print $3 + 0 }
		$1 == name && field == "ok" { print $5 + 0 }' "$work/$1/stats"
}

# all_counted NAME: calls of all functions
all_counted() { awk -F'[ =]' '/ calls=/ { sum += $3 } END { print sum + 0 }' "$work/$1/stats"; }

# pin_tries NAME: wrong PINs that the token was shown
pin_tries() {
	[ -e "$work/$1/stats" ] || { echo 0; return; }
	sed -n 's/^pin-tries=0*\([0-9]\)/\1/p' "$work/$1/stats"
}

# A command for the driver's `load`: returns when signatures reach all these members (their files of
# counters as arguments).
serving=$work/serving
cat >"$serving" <<-'END'
	count() { awk -F'[ =]' '$1 == "C_SignInit" { print $5 + 0 }' "$1"; }
	for file; do
		before=$(count "$file")
		turn=0
		while [ "$(count "$file")" -le "$before" ]; do
			turn=$((turn + 1))
			[ "$turn" -lt 400 ] || { echo "nothing reaches $file"; exit 1; }
			sleep 0.05
		done
	done
END

# app STEP ARGUMENT...: the application
app() { driver failover virtual "$keys" "$@"; }

# beside NAME ENTRY: in the configuration, the module of one more token, and a virtual token over it
beside() {
	{
		sed '/^modules = (/q' "$work/hsmux.conf"
		module_line "$1"
		echo ,
		sed '1,/^modules = (/d; /^tokens = (/q' "$work/hsmux.conf"
		echo "$2,"
		sed '1,/^tokens = (/d' "$work/hsmux.conf"
	} >"$work/beside.conf"
	chmod 600 "$work/beside.conf"
	mv "$work/beside.conf" "$work/hsmux.conf"
}

# patiently COMMAND...: of hsmux, once more while it ends with 3: a member that another process has found down a moment
# ago is not asked yet
patiently() {
	turns=0
	while :; do
		told=0
		"$@" || told=$?
		[ "$told" -eq 3 ] && [ "$turns" -lt 200 ] || return "$told"
		turns=$((turns + 1))
	done
}
