#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run.sh BENCH NULL LOCKS MODULE: measures hsmux against the token used directly and against p11-kit-proxy,
# and prints a table with the goals. Judges nothing: exit 0 unless something could not be measured.
#
# p11-kit reads a user's configuration for ordinary users only, so as root the measurements run as nobody.
set -eu
tests=$(cd "$(dirname "$0")/.." && pwd)
bench=$(realpath "$1")
null=$(realpath "$2")
locks=$(realpath "$3")
module=$(realpath "$4")
work=$(mktemp -d "${TMPDIR:-/tmp}/hsmux-b.XXXXXX")
export LC_ALL=C BENCH_PIN=1234
unset HSMUX_CONF HSMUX_LOG

clean_up() {
	for store in a b; do
		[ ! -d "$work/$store" ] || "$tests/fixture/softhsm.sh" down "$work/$store"
	done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

chmod 755 "$work"
mkdir -p "$work/home/.config/pkcs11/modules"
export HOME="$work/home" XDG_CONFIG_HOME="$work/home/.config"
nobody=
[ "$(id -u)" -ne 0 ] || nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"

# Each side gets a copy of its own: one file would be one instance.
for side in direct hsmux proxy few many; do
	cp "$null" "$work/null-$side.so"
done
cp "$bench" "$locks" "$module" "$work"
bench=$work/$(basename "$bench")
locks=$work/$(basename "$locks")
module=$work/$(basename "$module")
echo 'user-config: only' >"$work/home/.config/pkcs11/pkcs11.conf"
echo "module: $work/null-proxy.so" >"$work/home/.config/pkcs11/modules/null.module"

# null_conf FILE NAME[:KEYS]...: an hsmux.conf with one virtual token for each null token
null_conf() {
	file=$1
	shift
	modules=
	tokens=
	comma=
	for one; do
		name=${one%%:*}
		label=$name
		[ "$name" != hsmux ] || label=null
		env=
		[ "$one" = "$name" ] ||
			env="env = { NULL_TOKEN_LABEL = \"$label\"; NULL_TOKEN_KEYS = \"${one#*:}\"; };"
		modules="$modules$comma{ name = \"$name\"; library = \"$work/null-$name.so\"; $env }"
		tokens="$tokens$comma{ label = \"$label\"; mode = \"passthrough\"; members =
			( { name = \"$name\"; module = \"$name\"; token = \"$label\"; } ); }"
		comma=", "
	done
	printf 'version = 1;\nmodules = ( %s );\ntokens = ( %s );\nlog = { level = "error"; };\n' \
		"$modules" "$tokens" >"$file"
	chmod 644 "$file"
}

direct="direct=$work/null-direct.so,null"
through="hsmux=$module,null"
proxy=$(ls /usr/lib/*/p11-kit-proxy.so /usr/lib64/p11-kit-proxy.so 2>/dev/null | head -n 1)
[ -z "$proxy" ] || proxy="proxy=$proxy,null"
null_conf "$work/null.conf" hsmux
null_conf "$work/find.conf" few:10 many:10000

# on_null COMMAND...: with the null token behind hsmux
on_null() { env HSMUX_CONF="$work/null.conf" $nobody "$@"; }

# instructions ID WORK: for each side the instructions of one piece, as difference of 200 and 400 pieces
instructions() {
	base=
	for side in $direct $through $proxy; do
		for pieces in 200 400; do
			on_null valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
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
	on_null "$bench" memory "$direct" >"$work/memory"
	on_null "$bench" memory "$through" >>"$work/memory"
	awk '$1 == "P19-base" && $2 == "direct" { base = $3 }
		$1 == "P19-base" && $2 == "hsmux" { $3 -= base }
		{ print }' "$work/memory"
}

softhsm_tokens() {
	for store in a b; do
		LABEL=$store "$tests/fixture/softhsm.sh" up "$work/$store"
		(
			. "$work/$store/facts"
			env "$variables" "$bench" key "key=$library,$store"
		)
	done
	"$tests/fixture/conf.sh" "a=$work/a,private_copy" "b=$work/b,private_copy" >"$work/softhsm.conf"
	echo 'log = { level = "error"; };' >>"$work/softhsm.conf"
	chmod 600 "$work/softhsm.conf"
}

# on_softhsm COMMAND...: with both stores behind hsmux, and the first one for the direct side
on_softhsm() { env HSMUX_CONF="$work/softhsm.conf" "SOFTHSM2_CONF=$work/a/softhsm2.conf" "$@"; }

softhsm() {
	soft="direct=$(. "$work/a/facts" && echo "$library"),a"
	on_softhsm "$bench" ratio "$soft" "hsmux=$module,a"
	on_softhsm "$bench" rsa "$soft" "hsmux=$module,a"
	for round in 1 2 3 4 5 6 7 8 9 10 11; do
		on_softhsm "$bench" start "$soft"
		on_softhsm "$bench" start "hsmux=$module,a"
	done >"$work/start"
	awk '$2 == "direct" { direct[++n] = $3 } $2 == "hsmux" { print "P17 hsmux", $3 / direct[n] }
		{ if ($2 == "direct") print }' "$work/start"
}

all() {
	on_null "$bench" time $direct $through $proxy
	on_null "$bench" contention $direct $through $proxy
	env NULL_TOKEN_DELAY_US=5000 NULL_TOKEN_LIMIT=8 HSMUX_CONF="$work/null.conf" $nobody \
		"$bench" threads $direct $through $proxy
	env HSMUX_CONF="$work/find.conf" $nobody "$bench" find "hsmux=$module,few" "many=$module,many"
	instructions P7 sign
	instructions P8 info
	for work_kind in sign info find open; do
		for side in $direct $through $proxy; do
			on_null "$bench" calls "P14-$work_kind" "$work_kind" "$side"
		done
	done
	for work_kind in sign info; do
		for side in $direct $through $proxy; do
			on_null env LD_PRELOAD="$locks" "$bench" locks "P13-$work_kind" "$work_kind" "$side"
		done
	done
	memory
	softhsm_tokens
	softhsm
}

all >"$work/values" || { echo "run.sh: a measurement failed" >&2; exit 1; }
awk -f "$tests/bench/table.awk" "$tests/bench/goals" "$work/values"
