# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the scripts of tests/scenario and tests/clients. Each prints its results as TAP, one line a
# promise, and cleans up after itself.
#
# From the environment (meson sets it, see tests/meson.build):
#   HSMUX_TEST_MODULE    the PKCS#11 module under test
#   HSMUX_TEST_COMMAND   the hsmux command
#   HSMUX_TEST_DRIVERS   folder of the compiled drivers
#   HSMUX_TEST_DIRECT    non-empty: the module is a token's own library; only for clients, it proves
#                        that a test is right before hsmux is blamed
#   HSMUX_TEST_PRELOAD   library that a program needs preloaded to load the module (libasan)
#   HSMUX_TEST_FEWER     divide the repetitions of drivers and scripts by this (sanitizers, valgrind)
#   HSMUX_TEST_WRAP      command in front of every driver (valgrind)
#   HSMUX_TEST_POLICY    policy of the virtual tokens ("off")
#   CI                   "true": SoftHSM2, NSS and openCryptoki have to run
#
# shellcheck shell=sh disable=SC2034

set -u
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
tests=$(cd "$(dirname "$0")/.." && pwd)
module=${HSMUX_TEST_MODULE:?the module under test}
hsmux=${HSMUX_TEST_COMMAND:-}
drivers=${HSMUX_TEST_DRIVERS:-}
direct=${HSMUX_TEST_DIRECT:-}
preload=${HSMUX_TEST_PRELOAD:-}
wrap=${HSMUX_TEST_WRAP:-}
work=$(mktemp -d "${TMPDIR:-/tmp}/hsmux-t.XXXXXX")
export HOME="$work/home" TMPDIR="$work"
mkdir "$HOME"
# The leak checker misreads the thread-local storage of a module that is loaded late, and crashes.
export LSAN_OPTIONS="${LSAN_OPTIONS:-}:use_tls=0"
# Failover and codes are looked at without a policy, unless a script or HSMUX_TEST_POLICY names one; what
# applications do works under the default one.
case $0 in
*/clients/*) HSMUX_TEST_POLICY= ;;
*) HSMUX_TEST_POLICY=${HSMUX_TEST_POLICY-off} ;;
esac
export HSMUX_TEST_POLICY
unset HSMUX_CONF HSMUX_LOG SOFTHSM2_CONF P11_KIT_SERVER_ADDRESS
count=0
tokens_up=
inside= # program that enters the namespaces of openCryptoki, when a script uses it

clean_up() {
	for started in $tokens_up; do
		"$tests/fixture/${started%%:*}.sh" down "${started#*:}"
	done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# indent: output of a failed check, as TAP comments
indent() { tail -n 60 "$1" | tr -cd '\11\12\40-\176' | sed 's/^/#   /'; }

# not COMMAND...: it fails. (`! COMMAND` would never end a check, unless it is the last line.)
not() {
	if "$@"; then
		echo "succeeded: $*"
		return 1
	fi
}

# check SENTENCE COMMAND...: the promise holds when the command succeeds. The command runs in a subshell
# that stops at the first failing line.
check() {
	sentence=$1
	shift
	count=$((count + 1))
	(set -e; "$@") >"$work/output" 2>&1 </dev/null
	result=$?
	if [ "$result" -eq 0 ]; then
		echo "ok $count - $sentence"
		return 0
	fi
	echo "not ok $count - $sentence"
	echo "#   exit $result of: $*"
	indent "$work/output"
	return 1
}

# skip SENTENCE WHY: names a promise that cannot be shown here
skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

done_testing() {
	echo "1..$count"
	exit 0
}

# skip_all WHY: nothing of this script can run here
skip_all() {
	if [ "$count" -gt 0 ]; then
		skip "the rest of this script" "$1"
		done_testing
	fi
	echo "1..0 # SKIP $1"
	exit 0
}

bail_out() {
	echo "Bail out! $1"
	exit 1
}

# require PROGRAM PACKAGE: skips the script when a client is missing
require() {
	command -v "$1" >/dev/null 2>&1 || skip_all "package missing: $2"
}

# try_token KIND NAME [VARIABLE=VALUE...]: a fresh real token in $work/NAME; 77 when its packages are
# missing, which is a failure in CI for the three makes that must run there. $why says what is missing.
try_token() {
	made=$1
	place=$work/$2
	shift 2
	env "$@" "$tests/fixture/$made.sh" up "$place" >"$work/output" 2>&1
	result=$?
	tokens_up="$tokens_up $made:$place"
	case $made in
	# Only whole stacks tell whose a leak is, as these libraries have no frame pointers. Programs are many
	# times slower with them: scripts that begin many leave leaks to the others (without_leaks=1).
	tpm2 | opencryptoki)
		export ASAN_OPTIONS=fast_unwind_on_malloc=0:malloc_context_size=16
		[ -z "${without_leaks:-}" ] || export ASAN_OPTIONS=detect_leaks=0
		;;
	esac
	[ "$result" -ne 0 ] || return 0
	if [ "$result" -eq 77 ]; then
		why="$made: $(cat "$work/output")"
		case ${CI:-}:$made in
		true:softhsm | true:nss | true:opencryptoki) ;;
		*) return 77 ;;
		esac
	fi
	indent "$work/output"
	bail_out "$made token could not be made"
}

# token KIND NAME [VARIABLE=VALUE...]: the same; skips the script when the packages are missing
token() { try_token "$@" || skip_all "$why"; }

# fact NAME FACT: see tests/fixture/common.sh
fact() { (eval "$(cat "$work/$1/facts")" && eval "printf '%s\n' \"\$$2\""); }

# far_side kill|start NAME: the process behind a token
far_side() { "$tests/fixture/$(fact "$2" kind).sh" "$1" "$work/$2"; }

# conf LABEL=NAME[+NAME]...[,OPTION...]...: writes $work/hsmux.conf over these tokens and makes it hsmux's;
# see tests/fixture/conf.sh
conf() {
	arguments=
	for word; do
		rest=${word#*=}
		names=${rest%%,*}
		arguments="$arguments ${word%%=*}=$work/$(echo "$names" | sed "s|+|+$work/|g")${rest#"$names"}"
	done
	# shellcheck disable=SC2086 # no blanks in there
	"$tests/fixture/conf.sh" $arguments >"$work/hsmux.conf" || bail_out "conf.sh failed"
	chmod 600 "$work/hsmux.conf"
	export HSMUX_CONF="$work/hsmux.conf"
}

# client COMMAND...: a program that loads the module under test
client() {
	if [ -n "$preload" ]; then
		# Only what our module does is of interest: not the program's leaks, nor what it gives to OpenSSL.
		$inside env LD_PRELOAD="$preload" \
			ASAN_OPTIONS="detect_leaks=0:suppressions=$tests/suppressions/asan.supp" "$@"
	else
		$inside "$@"
	fi
}

# driver NAME ARGUMENT...: one of our own programs
driver() {
	program=$1
	shift
	# shellcheck disable=SC2086 # words
	$inside $wrap "$drivers/$program" "$module" "$@"
}

# tool ARGUMENT...: the hsmux command
tool() { $inside "$hsmux" "$@"; }

# listed: the module's slots and tokens, as pkcs11-tool shows them
listed() { client pkcs11-tool --module "$module" --list-slots; }

# logs PATTERN COMMAND...: the command succeeds and says this (grep -E) on standard error
logs() {
	pattern=$1
	shift
	"$@" 2>"$work/log"
	cat "$work/log"
	grep -E "$pattern" "$work/log"
}

# same A B: with a message when they differ
same() { [ "$1" = "$2" ] || { echo "got '$1', expected '$2'"; return 1; }; }

# fewer NUMBER: of repetitions, where the way through hsmux is what counts: the number, or less under a
# sanitizer or valgrind
fewer() {
	number=$(($1 / ${HSMUX_TEST_FEWER:-1}))
	echo $((number > 0 ? number : 1))
}

# is_short: what only repeats the same way through hsmux is left out
is_short() { [ -n "${HSMUX_TEST_FEWER:-}" ]; }

# eventually COMMAND...: within twenty seconds
eventually() {
	turn=0
	until "$@"; do
		turn=$((turn + 1))
		[ "$turn" -lt 200 ] || { echo "never came true: $*"; return 1; }
		sleep 0.1
	done
}
