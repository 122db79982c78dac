#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run.sh BENCH NULL LOCKS MODULE FAULT: measures hsmux against the token used directly and against
# p11-kit-proxy, and prints a table with the goals. "hsmux" is a virtual token of two members (failover),
# "one" a virtual token that passes a single member through. Judges nothing: exit 0 unless something could
# not be measured.
#
# BENCH_POLICY in the environment: the policy of the virtual tokens (baseline).
#
# p11-kit reads a user's configuration for ordinary users only, so as root the measurements run as nobody.
set -eu
tests=$(cd "$(dirname "$0")/.." && pwd)
bench=$(realpath "$1")
null=$(realpath "$2")
locks=$(realpath "$3")
module=$(realpath "$4")
fault=$(realpath "$5")
work=$(mktemp -d "${TMPDIR:-/tmp}/hsmux-b.XXXXXX")
export LC_ALL=C BENCH_PIN=1234
unset HSMUX_CONF HSMUX_LOG BENCH_KEYS XDG_RUNTIME_DIR

clean_up() {
	for store in a b c; do
		[ ! -d "$work/$store" ] || "$tests/fixture/softhsm.sh" down "$work/$store"
	done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

chmod 755 "$work"
mkdir -p "$work/home/.config/pkcs11/modules" "$work/state" "$work/state-soft"
chmod 700 "$work/state" "$work/state-soft"
export HOME="$work/home" XDG_CONFIG_HOME="$work/home/.config"
nobody=
if [ "$(id -u)" -eq 0 ]; then
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	chown 65534:65534 "$work/state"
fi

# Each member gets a copy of its own: one file would be one instance.
for one in direct proxy n1 n2 n3 n4 n5 n6; do
	cp "$null" "$work/null-$one.so"
done
cp "$bench" "$locks" "$module" "$work"
bench=$work/$(basename "$bench")
locks=$work/$(basename "$locks")
module=$work/$(basename "$module")
echo 'user-config: only' >"$work/home/.config/pkcs11/pkcs11.conf"
echo "module: $work/null-proxy.so" >"$work/home/.config/pkcs11/modules/null.module"

# commas: joins the lines of its input
commas() { awk '{ printf "%s%s", (NR > 1 ? ",\n" : ""), $0 } END { print "" }'; }

# conf FILE MODULES TOKENS STATE: an hsmux.conf from lines of modules and tokens
conf() {
	{
		printf 'version = 1;\nmodules = (\n%s\n);\n' "$(echo "$2" | commas)"
		printf 'tokens = (\n%s\n);\n' "$(echo "$3" | commas)"
		printf 'state = { directory = "%s"; };\nlog = { level = "error"; };\n' "$4"
	} >"$1"
	chmod "$5" "$1"
}

# virtual LABEL MODE MEMBER[:TOKEN]...: a line of tokens; the token is called "null" unless it says so
virtual() {
	printf '{ label = "%s"; mode = "%s"; policy = "%s"; members = ( ' "$1" "$2" "${BENCH_POLICY:-baseline}"
	shift 2
	separator=
	for member; do
		name=${member%%:*}
		token=null
		[ "$name" = "$member" ] || token=${member#*:}
		printf '%s{ name = "%s"; module = "%s"; token = "%s"; }' "$separator" "$name" "$name" "$token"
		separator=', '
	done
	echo ' ); }'
}

# null_modules KEYS NAME...: lines of modules, null tokens with so many keys
null_modules() {
	keys=$1
	shift
	for name; do
		echo "{ name = \"$name\"; library = \"$work/null-$name.so\"; env = { NULL_TOKEN_KEYS = \"$keys\"; }; }"
	done
}

# null_conf FILE MODULES TOKENS
null_conf() { conf "$work/$1" "$2" "$3" "$work/state" 644; }

direct="direct=$work/null-direct.so,null"
through="hsmux=$module,pair"
one="one=$module,one"
proxy=$(ls /usr/lib/*/p11-kit-proxy.so /usr/lib64/p11-kit-proxy.so 2>/dev/null | head -n 1)
[ -z "$proxy" ] || proxy="proxy=$proxy,null"
null_conf pair.conf "$(null_modules 10 n1 n2)" "$(virtual pair failover n1 n2)"
null_conf one.conf "$(null_modules 10 n3)" "$(virtual one passthrough n3)"
null_conf both.conf "$(null_modules 10 n1 n2 n3)" "$(virtual pair failover n1 n2; virtual one passthrough n3)"
null_conf balanced.conf "$(null_modules 10 n1 n2)" "$(virtual pair balanced n1 n2)"
null_conf find.conf "$(null_modules 10 n1 n2 n5; null_modules 10000 n3 n4 n6)" \
	"$(virtual few failover n1 n2; virtual many failover n3 n4; virtual few-one passthrough n5
	virtual many-one passthrough n6)"

# on CONF COMMAND...: as nobody, with that configuration
on() {
	file=$1
	shift
	env HSMUX_CONF="$work/$file" $nobody "$@"
}

# alone COMMAND... SIDE: the same, with a configuration that has nothing but what the side needs
alone() {
	for last; do :; done
	case $last in
	one=*) on one.conf "$@" ;;
	*) on pair.conf "$@" ;;
	esac
}

# instructions ID WORK: for each side the instructions of one piece, as difference of 200 and 400 pieces
instructions() {
	base=
	for side in $direct $through $one $proxy; do
		for pieces in 200 400; do
			alone valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
				--toggle-collect=work_run "$bench" loop "$2" $pieces "$side" 2>"$work/callgrind.$pieces" ||
				return 1
		done
		few=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$work/callgrind.200")
		many=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$work/callgrind.400")
		each=$(((many - few) / 200))
		[ -n "$base" ] && each=$((each - base)) || base=$each
		echo "$1 ${side%%=*} $each"
	done
}

# Added memory is what hsmux has beyond the direct side; sessions stand alone.
memory() {
	for side in $direct $through $one; do
		alone "$bench" memory "$side"
	done >"$work/memory"
	awk '$1 == "P19-base" && $2 == "direct" { base = $3 }
		$1 == "P19-base" && $2 != "direct" { $3 -= base }
		{ print }' "$work/memory"
}

# soft_module NAME: a line of modules for a SoftHSM2 store
soft_module() {
	(
		. "$work/$1/facts"
		echo "{ name = \"$1\"; library = \"$library\"; private_copy = true; env = { SOFTHSM2_CONF = \"${variables#*=}\"; }; }"
	)
}

# fault_module NAME: the same store behind a fault token
fault_module() {
	(
		. "$work/$1/facts"
		cp "$library" "$work/soft-$1.so"
		printf '{ name = "%s"; library = "%s"; env = { SOFTHSM2_CONF = "%s"; ' "$1" "$fault" "${variables#*=}"
		echo "FAULT_TOKEN_LIBRARY = \"$work/soft-$1.so\"; FAULT_TOKEN_CONTROL = \"$work/plan\"; }; }"
	)
}

soft_conf() { conf "$work/$1" "$2" "$3" "$work/state-soft" 600; }

softhsm_tokens() {
	for store in a b c; do
		LABEL=$store "$tests/fixture/softhsm.sh" up "$work/$store"
		(
			. "$work/$store/facts"
			env "$variables" "$bench" key "key=$library,$store"
		)
	done
	soft_conf soft.conf "$(soft_module a; soft_module b; soft_module c)" \
		"$(virtual pair failover a:a b:b; virtual one passthrough c:c)"
	soft_conf soft-pair.conf "$(soft_module a; soft_module b)" "$(virtual pair failover a:a b:b)"
	soft_conf soft-one.conf "$(soft_module c)" "$(virtual one passthrough c:c)"
	soft_conf soft-down.conf "$(soft_module a; fault_module b)" "$(virtual pair failover a:a b:b)"
}

# on_soft CONF COMMAND...: with that configuration, and the first store for the direct side
on_soft() {
	file=$1
	shift
	env BENCH_KEYS=ec HSMUX_CONF="$work/$file" "SOFTHSM2_CONF=$work/a/softhsm2.conf" "$@"
}

starts() {
	for round in 1 2 3 4 5 6 7 8 9 10 11; do
		on_soft soft-pair.conf "$bench" start "$soft"
		on_soft soft-pair.conf "$bench" start "$through"
		on_soft soft-one.conf "$bench" start "$one"
	done >"$work/start"
	awk '$2 == "direct" { direct[++n] = $3; print } $2 != "direct" { print "P17", $2, $3 / direct[n] }' "$work/start"
}

# The second member's C_Initialize fails. The first process finds that out, the second one may know it.
starts_without() {
	for round in 1 2 3 4 5 6 7 8 9 10 11; do
		rm -f "$work/state-soft"/*
		: >"$work/plan"
		on_soft soft-down.conf "$bench" start "healthy=$module,pair"
		rm -f "$work/state-soft"/*
		echo 'C_Initialize all CKR_DEVICE_ERROR' >"$work/plan"
		on_soft soft-down.conf "$bench" start "down=$module,pair"
		on_soft soft-down.conf "$bench" start "known=$module,pair"
	done >"$work/without"
	awk '$2 == "healthy" { healthy = $3 } $2 != "healthy" { print "P18-" $2, "hsmux", ($3 - healthy) / 1000 }' \
		"$work/without"
}

softhsm() {
	soft="direct=$(. "$work/a/facts" && echo "$library"),a"
	on_soft soft.conf "$bench" ratio "$soft" "$through" "$one"
	on_soft soft.conf "$bench" rsa "$soft" "$through" "$one"
	on_soft soft.conf env BENCH_KEYS=rsa "$bench" parts "$soft" "$through" "$one"
	starts
	starts_without
}

all() {
	on both.conf "$bench" time $direct $through $one $proxy
	on both.conf "$bench" updates $direct $through $one $proxy
	on both.conf "$bench" contention $direct $through $one $proxy
	on both.conf env NULL_TOKEN_DELAY_US=5000 NULL_TOKEN_LIMIT=8 "$bench" threads $direct $through $one $proxy
	on balanced.conf env NULL_TOKEN_DELAY_US=5000 NULL_TOKEN_LIMIT=8 "$bench" balanced $direct $through
	on find.conf "$bench" find "hsmux=$module,few" "many=$module,many"
	on find.conf "$bench" find "one=$module,few-one" "many=$module,many-one"
	instructions P7 sign
	instructions P8 info
	for work_kind in sign info find open; do
		for side in $direct $through $one $proxy; do
			alone "$bench" calls "P14-$work_kind" "$work_kind" "$side"
		done
	done
	for work_kind in sign info; do
		for side in $direct $through $one $proxy; do
			alone env LD_PRELOAD="$locks" "$bench" locks "P13-$work_kind" "$work_kind" "$side"
		done
	done
	memory
	softhsm_tokens
	softhsm
}

all >"$work/values" || { echo "run.sh: a measurement failed" >&2; exit 1; }
awk -f "$tests/bench/table.awk" "$tests/bench/goals" "$work/values"
