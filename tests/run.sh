#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tests/run.sh [--quick] [--suite NAME]... [--no-install]
#
# Installs what the tests need (as root or with sudo; says so), builds with gcc and clang without a
# warning, and runs every suite: unit lint badinput scenario differential conformance clients soak fuzz-smoke;
# then what can under ASan+UBSan, TSan and valgrind. The last line is "N passed, M failed, K skipped"; exit 0 only
# if nothing failed.
#
# --quick        only the gcc build, without sanitizers
# --suite NAME   only this suite (may be given again)
# --no-install   take the machine as it is
#
# With CI=true a token of SoftHSM2, NSS or openCryptoki that cannot run is a failure, not a skip.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
started=$(date +%s)
quick=
suites=
install=1

packages="meson ninja-build gcc clang libclang-rt-14-dev pkg-config git libconfig-dev libssl-dev libp11-kit-dev
	libcunit1-dev mandoc shellcheck valgrind python3 python3-pykcs11 binutils util-linux
	softhsm2 libnss3 libnss3-tools opencryptoki libtpm2-pkcs11-1 swtpm libtss2-tcti-swtpm0 tpm2-abrmd
	libtss2-tcti-tabrmd0 dbus dbus-bin p11-kit p11-kit-modules caml-crush-server caml-crush-clients
	opensc opensc-pkcs11 gnutls-bin libengine-pkcs11-openssl openssl openssh-client openjdk-17-jdk-headless
	nginx-light stunnel4"

usage() {
	sed -n 's/^# \{0,1\}//; 3,15p' "$0" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	--quick) quick=1 ;;
	--no-install) install= ;;
	--suite)
		[ $# -gt 1 ] || usage
		suites="$suites $2"
		shift
		;;
	*) usage ;;
	esac
	shift
done

say() { printf '\n== %s (%s s)\n' "$*" "$(($(date +%s) - started))"; }

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

missing_packages() {
	for package in $packages; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
	done
}

# available PACKAGE...: those that this release of the system has; one that it has not would stop the rest
available() {
	for package; do
		apt-cache show "$package" >/dev/null 2>&1 && echo "$package"
	done
}

# Servers that come with a package must not start just because it is installed.
install_packages() {
	policy=/usr/sbin/policy-rc.d
	made_policy=
	if [ ! -e $policy ]; then
		made_policy=1
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
	fi
	as_root apt-get -q update
	# shellcheck disable=SC2046,SC2086 # words
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $(available $1)
	result=$?
	[ -z "$made_policy" ] || as_root rm -f $policy
	return $result
}

prepare_machine() {
	command -v dpkg-query >/dev/null || return 0
	wanted=$(missing_packages | tr '\n' ' ')
	[ -n "$wanted" ] || return 0
	if [ -z "$install" ] || ! as_root true 2>/dev/null; then
		say "packages missing, not installed: $wanted"
		return 0
	fi
	say "installing missing packages: $wanted"
	install_packages "$wanted" || say "some packages could not be installed"
	wanted=$(missing_packages | tr '\n' ' ')
	[ -z "$wanted" ] || say "not to be had here, what needs them is skipped: $wanted"
}

results=$root/build-results
stages=

# record NAME RESULT TEXT: a result of our own in the form of meson's log
record() {
	/usr/bin/python3 -c 'import json, sys
print(json.dumps({"name": sys.argv[1], "result": sys.argv[2], "stdout": ""}))' "$1" "$2" >>"$results/run.json"
}

# compile FOLDER SUITE...
compile() {
	folder=$1
	shift
	wanted=
	[ $# -eq 0 ] || wanted=$(/usr/bin/python3 tests/needed.py "$folder" "$@") || return 1
	# shellcheck disable=SC2086
	ninja -C "$folder" $wanted
}

# build NAME COMPILER "SUITE..." OPTION...: in build-NAME, every warning an error; what these suites need, or all
build() {
	name=$1
	compiler=$2
	needed=$3
	shift 3
	again=
	[ ! -e "build-$name/build.ninja" ] || again=--reconfigure
	say "build-$name: $compiler $*"
	# shellcheck disable=SC2086 # a word or none
	if CC=$compiler meson setup $again "build-$name" -Dwerror=true "$@" >"$results/$name.setup" 2>&1 &&
		compile "build-$name" $needed >"$results/$name.compile" 2>&1 &&
		! grep -q 'warning:' "$results/$name.compile"; then
		record "$name is built without a warning" OK
		return 0
	fi
	tail -n 40 "$results/$name.setup"
	grep -B2 -A20 -E 'error|warning:|FAILED' "$results/$name.compile" 2>/dev/null | head -n 120
	record "$name is built without a warning" FAIL
	return 1
}

# chosen SUITE...: those of them that the command line wants
chosen() {
	for suite; do
		case " $suites " in
		"  " | *" $suite "*) echo "--suite $suite" ;;
		esac
	done
}

# run STAGE BUILD PROCESSES "SUITE..." OPTION...: a run of meson test with a log of its own
run() {
	stage=$1
	folder=build-$2
	processes=$3
	# shellcheck disable=SC2086
	wanted=$(chosen $4)
	shift 4
	[ -n "$wanted" ] || return 0
	say "$stage:" "$(echo "$wanted" | sed 's/--suite //' | tr '\n' ' ')"
	# shellcheck disable=SC2086
	$before meson test -C "$folder" --no-rebuild --print-errorlogs --num-processes "$processes" \
		--logbase "$stage" $wanted "$@" 2>&1 | grep -vE '^ninja|^$|/meson-logs/'
	# meson adds the name of a setup to the name of the log
	for log in "$folder/meson-logs/$stage.json" "$folder/meson-logs/$stage-valgrind.json"; do
		[ ! -s "$log" ] || mv "$log" "$results/$stage.json"
	done
	if [ -s "$results/$stage.json" ]; then
		stages="$stages $results/$stage.json"
	else
		record "$stage runs" FAIL
	fi
}
before=

# The thread sanitizer of gcc 12 and clang 14 does not know the address layout of newer kernels.
without_randomisation() {
	if setarch -R true 2>/dev/null; then
		before="setarch -R"
	fi
}

# Everything temporary is below one folder. A script that was killed could not take down its tokens: what
# is left of them is found by the mark that tests/fixture puts into their environment.
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/hsmux-run.XXXXXX")
chmod 711 "$TMPDIR" # one scenario runs a program as somebody else
export TMPDIR
clean_up() {
	for environment in $(grep -lzs "^HSMUX_FIXTURE=$TMPDIR/" /proc/[0-9]*/environ); do
		process=${environment%/environ}
		kill -KILL "${process#/proc/}" 2>/dev/null || :
	done
	rm -rf "$TMPDIR"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

rm -rf "$results" build-*/meson-logs/*.json
mkdir -p "$results"
: >"$results/run.json"
prepare_machine

if build gcc gcc '' --buildtype=debugoptimized; then
	run gcc gcc 3 "unit lint badinput scenario differential conformance clients"
	run soak gcc 1 "soak"
fi
if [ -z "$quick" ]; then
	if build clang clang '' --buildtype=debugoptimized; then
		run clang clang 3 "unit badinput differential"
	fi
	if build fuzz clang fuzz-smoke -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false; then
		run fuzz fuzz 2 "fuzz-smoke" --timeout-multiplier 2
	fi
	if build asan gcc "unit badinput scenario differential conformance clients soak" --buildtype=debug \
		-Db_sanitize=address,undefined; then
		run asan asan 3 "unit badinput scenario differential conformance clients" --timeout-multiplier 3
		run soak-asan asan 1 "soak" --timeout-multiplier 3
	fi
	if build tsan gcc "threads soak" --buildtype=debug -Db_sanitize=thread; then
		without_randomisation
		run tsan tsan 2 "threads" --timeout-multiplier 5
		run soak-tsan tsan 1 "soak" --timeout-multiplier 5
		before=
	fi
	if [ -e build-gcc/build.ninja ]; then
		run valgrind gcc 3 "drivers" --setup valgrind
	fi
fi

say "results"
# shellcheck disable=SC2086
/usr/bin/python3 tests/count.py "$results/run.json" $stages
