#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# lint.sh [BUILD]: rules of the project that a compiler does not check. BUILD (default: build) holds
# module/hsmux.so. Prints TAP.
#
# A rule NAME is a pair of functions: find_NAME looks at the tree in the current folder and prints every
# violation, one a line; break_NAME plants a violation in an empty tree. Each rule is run on the project,
# where it has to print nothing, and on its own violation, where it has to print something.
set -u
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:-$root/build}" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/hsmux-lint.XXXXXX")
trap 'rm -rf "$work"' EXIT
count=0
bad=0

# Our sources without tests, below the current folder.
sources() { find core policy module tools -name '*.c' -o -name '*.h' 2>/dev/null | sort; }

# Everything that is or could be committed.
everything() {
	if [ -e .git ]; then
		git ls-files -co --exclude-standard
	else
		find . -type f | sed 's|^\./||'
	fi
}

# in_code PATTERN FILE...: grep -E without comments of whole lines
in_code() {
	[ $# -gt 1 ] || return 0
	grep -nHE "$@" | grep -vE '^[^:]+:[0-9]+:[[:space:]]*(/\*|\*)'
}

# Layers: core/base < policy < core < module, tools. Nobody includes module/; tools and module not each
# other; ours are included from the root.
find_layers() {
	# shellcheck disable=SC2046
	grep -nE '^#include "' $(sources) /dev/null | sed 's/"$//' | awk -F: '
		function layer(path) {
			if (path ~ /^core\/base\//) return "base"
			sub(/\/.*/, "", path)
			return path
		}
		BEGIN {
			split("base:base policy:base policy:policy core:base core:policy core:core", pair, " ")
			for (i in pair) allowed[pair[i]] = 1
			split("base policy core", lower, " ")
			for (i in lower) allowed["module:" lower[i]] = allowed["tools:" lower[i]] = 1
			allowed["tools:tools"] = allowed["module:module"] = 1
		}
		{
			included = $3
			sub(/^#include "/, "", included)
			if (!((layer($1) ":" layer(included)) in allowed)) print $1 ":" $2 ": includes " included
		}'
}
break_layers() {
	mkdir -p core/base
	echo '#include "core/session.h"' >core/base/buf.c
}

# Each header compiles alone, with both compilers.
find_headers() {
	flags=$(pkg-config --cflags p11-kit-1)
	for compiler in gcc clang; do
		command -v $compiler >/dev/null || continue
		for header in $(sources | grep '\.h$'); do
			# shellcheck disable=SC2086
			$compiler -std=gnu11 -D_GNU_SOURCE -DHSMUX_VERSION='""' -I. $flags -Wall -Wextra \
				-fsyntax-only -x c "$header" >"$work/compiler" 2>&1 </dev/null ||
				echo "$header: does not compile alone with $compiler: $(grep -m 1 error "$work/compiler")"
		done
	done
}
break_headers() {
	mkdir core
	echo 'int pool_take(struct pool *pool, size_t n);' >core/pool.h
}

# The module exports the three discovery functions and nothing else.
find_exports() {
	nm -D --defined-only module/hsmux.so 2>&1 | awk '{ print $NF }' | sort >"$work/exports"
	printf 'C_GetFunctionList\nC_GetInterface\nC_GetInterfaceList\n' | diff - "$work/exports" | grep '^[<>]'
}
break_exports() {
	mkdir module
	echo 'int C_GetFunctionList, C_GetInterface, C_GetInterfaceList, C_Sign;' |
		gcc -shared -x c -o module/hsmux.so -
}

# Who may call a member's functions, besides core/member_op.c, and which: life and state, never an
# application's work. probe.c asks tokens that may hang or be gone, with random numbers and a key of our own;
# C_InitToken stands where it does because it needs the pool to be empty.
member_calls() {
	cat <<-'EOF'
		core/library.c C_Initialize C_Finalize C_GetInfo C_GetSlotList C_GetTokenInfo
		core/member.c C_GetTokenInfo
		core/member_slot.c C_GetSlotInfo
		core/member_info.c C_GetMechanismList C_GetMechanismInfo C_InitToken
		core/probe.c C_OpenSession C_CloseSession C_GetSessionInfo C_GetTokenInfo C_GenerateRandom
		core/probe.c C_FindObjectsInit C_FindObjects C_FindObjectsFinal C_CreateObject C_DestroyObject
		core/probe.c C_SignInit C_Sign
		core/pool_real.c C_OpenSession C_CloseSession C_GetSessionInfo
		core/login.c C_Login C_Logout C_LoginUser
	EOF
}
find_member_calls() {
	member_calls >"$work/allowed"
	# shellcheck disable=SC2046
	in_code -o -- '->[[:space:]]*C_[A-Za-z]+[[:space:]]*\(' $(sources) |
		grep -v '^core/member_op\.c:' | awk -F: '
		NR == FNR { split($0, word, " "); for (i = 2; i in word; i++) allowed[word[1] " " word[i]]; next }
		{
			name = $3
			gsub(/[^A-Za-z_]/, "", name)
			if (!(($1 " " name) in allowed)) print $1 ":" $2 ": calls a member by " name
		}' "$work/allowed" -
}
break_member_calls() {
	mkdir core
	printf 'CK_RV f(void)\n{\n\treturn m->f->C_Sign(1, 2, 3);\n}\n' >core/library.c
}

# One gate: policy, audit and counters are asked in call.c only, by call_run() and what it asks first.
find_gate() {
	# shellcheck disable=SC2046
	in_code '\<(policy_check|audit_add|stats_add)[[:space:]]*\(' $(sources | grep '\.c$') |
		grep -vE '^core/call\.c:|^policy/|^[^:]+:[0-9]+:[a-z].*\)$'
	[ ! -e core/call.c ] || awk '
		/^[a-zA-Z].*\(/ { function_name = $0 }
		/(policy_check|audit_add|stats_add)[ \t]*\(/ && !/^[ \t]*\/?\*/ && function_name !~ /call_(run|decide)\(/ {
			print FILENAME ":" FNR ": not in call_run() or call_decide(): " $0
		}' core/call.c
}
break_gate() {
	mkdir core
	printf 'void f(void)\n{\n\tstruct verdict v = policy_check(&facts);\n}\n' >core/route.c
}

# Functions that are easy to use wrongly.
find_functions() {
	# shellcheck disable=SC2046
	in_code '\<(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|atoi|atol|strtok|alloca|setjmp|system)[[:space:]]*\(' \
		$(sources)
}
break_functions() {
	mkdir core
	printf 'void f(char *a)\n{\n\tstrcpy(a, "b");\n}\n' >core/a.c
}

# Secrets are compared in constant time.
find_compare() {
	for file in core/base/secret.c core/secret.c core/login.c; do
		[ ! -e $file ] || in_code '\<(memcmp|strcmp)[[:space:]]*\(' $file
	done
}
break_compare() {
	mkdir core
	printf 'int f(void)\n{\n\treturn memcmp(a, b, 4);\n}\n' >core/login.c
}

# Nothing is left for later, in any file of ours.
find_later() {
	everything | grep -E '\.(c|h|sh|py|build|def|conf|md|java|[157])$' | grep -v '^tests/lint\.sh$' |
		tr '\n' '\0' | xargs -0 -r grep -nE '\<(TODO|FIXME|XXX|HACK)\>' /dev/null
}
break_later() {
	mkdir core
	echo '/* TODO: think */' >core/a.c
}

# Every source names its licence and says what it is for.
find_heads() {
	everything | grep -E '\.(c|h|sh|py|def|java)$|meson\.build$' | while read -r file; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' || echo "$file: no SPDX line"
	done
	everything | grep -E '\.[ch]$' | while read -r file; do
		sed -n 2p "$file" | grep -q '^/\*' || echo "$file: no head comment"
	done
}
break_heads() {
	mkdir core
	printf '/* SPDX-License-Identifier: BSD-2-Clause */\n#include <stdio.h>\n' >core/a.c
}

# A file is one noun. The standard's numbers are one list.
find_length() {
	everything | grep -E '\.(c|h|sh|py)$' | grep -v '^core/base/pkcs11_[a-z]*\.h$' | tr '\n' '\0' | xargs -0 -r wc -l |
		awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines" }'
}
break_length() {
	mkdir core
	seq 501 >core/a.c
}

# Nothing that is true on one machine only.
find_places() {
	everything | grep -v '^tests/lint\.sh$' | tr '\n' '\0' |
		xargs -0 -r grep -nIE '(^|[^A-Za-z0-9_.}])/home/[a-z]+/|/root/' /dev/null
}
break_places() { echo 'see /home/someone/notes' >README.md; }

# Keys of the configuration and of vendor profiles are in the manual, and the reverse.
find_keys() {
	[ -e core/config_parse.c ] || return 0
	sed -nE 's/^[[:space:]]*\{"([a-z0-9_]+)", SETTING_.*/\1/p' core/config_*.c core/vendor.c |
		sort -u >"$work/code"
	sed -nE 's/^\.(It )?Va ([a-z0-9_]+)( .*)?$/\2/p' conf/hsmux.conf.5 | sort -u >"$work/manual"
	grep -oE '\<[a-z][a-z0-9_]+\>' conf/hsmux.conf.5 | sort -u >"$work/words"
	comm -23 "$work/code" "$work/words" | sed 's/$/: a key that hsmux.conf(5) does not have/'
	comm -13 "$work/code" "$work/manual" | sed 's/$/: in hsmux.conf(5), but no key/'
}
break_keys() {
	mkdir core conf
	echo '	{"colour", SETTING_STRING, false},' | tee core/config_parse.c >core/vendor.c
	echo '.It Va color' >conf/hsmux.conf.5
}

# Options, commands and environment variables are in the manuals, and the reverse.
find_options() {
	grep -ohE '"--?[a-z][a-z-]*' tools/*.c | tr -d '"' | sort -u >"$work/code"
	grep -oE 'Fl -?[a-z][a-z-]*( , -?[a-z][a-z-]*)*' tools/hsmux.1 | sed 's/^Fl //; s/ , /\n/g' |
		sed 's/^/-/' | sort -u >"$work/manual"
	comm -23 "$work/code" "$work/manual" | sed 's/$/: an option that hsmux(1) does not have/'
	comm -13 "$work/code" "$work/manual" | sed 's/$/: in hsmux(1), but no option/'
	sed -nE 's/^[[:space:]]*\{"([a-z]+)", ("([a-z-]+)"|NULL), tool_.*/\1 \3/p' tools/*.c | sed 's/ $//' |
		sort -u >"$work/code"
	sed -nE 's/^\.It Cm ([a-z]+( [a-z-]+)?).*/\1/p' tools/hsmux.1 | grep -v '^help' | sort -u >"$work/manual"
	comm -23 "$work/code" "$work/manual" | sed 's/$/: a command that hsmux(1) does not have/'
	comm -13 "$work/code" "$work/manual" | sed 's/$/: in hsmux(1), but no command/'
	# shellcheck disable=SC2046
	grep -ohE 'getenv\("[A-Z_]+"' $(sources) /dev/null | grep -oE '[A-Z_]+' | sort -u |
		while read -r name; do
			grep -q "Ev $name" tools/hsmux.1 module/hsmux.7 conf/hsmux.conf.5 2>/dev/null ||
				echo "$name: a variable of the environment that no manual has"
		done
}
break_options() {
	mkdir tools module conf
	echo '	if (strcmp(word, "--quiet") == 0)' >tools/hsmux.c
	echo '.It Fl -silent' >tools/hsmux.1
}

# Manuals are well formed.
find_manuals() {
	for manual in $(find . -path './build*' -prune -o -name '*.[157]' -print | sort); do
		mandoc -T lint -W warning "$manual"
	done
}
break_manuals() {
	mkdir tools
	printf '.Dd today\n.Sh NAME\n.Nosuchmacro\n' >tools/hsmux.1
}

# Scripts have no mistakes that shellcheck knows.
find_scripts() {
	command -v shellcheck >/dev/null || return 0
	everything | grep -E '\.sh$|^\.ci/run$' | tr '\n' '\0' |
		xargs -0 -r shellcheck -S warning -f gcc -e SC1090,SC1091,SC2034,SC2154
}
break_scripts() {
	# shellcheck disable=SC2016
	printf '#!/bin/sh\ncd $1\nrm -rf $2/*\n[[ a == b ]]\n' >a.sh
}

# With set -e a command behind "!" ends nothing, and a check goes on: tests/lib.sh has not().
find_negations() {
	find tests -name '*.sh' ! -path 'tests/fixture/*' ! -name run.sh ! -name lint.sh | sort |
		xargs -r grep -nE '^[[:space:]]+!|&& !' /dev/null | grep -vE '\|\| |; (then|do)$'
}
break_negations() {
	mkdir tests
	printf 'f() {\n\t! grep -q no file\n}\n' >tests/t.sh
}

report() { # SENTENCE GOOD
	count=$((count + 1))
	if [ "$2" -eq 1 ]; then
		echo "ok $count - $1"
	else
		bad=$((bad + 1))
		echo "not ok $count - $1"
		sed 's/^/#   /' "$work/found"
	fi
}

# rule NAME SENTENCE
rule() {
	cd "$root" || exit 1
	[ "$1" != exports ] || cd "$build" || exit 1
	"find_$1" >"$work/found" 2>&1
	report "$2" "$([ -s "$work/found" ] && echo 0 || echo 1)"
	mkdir "$work/sample" && cd "$work/sample" || exit 1
	"break_$1" >/dev/null 2>&1
	"find_$1" >"$work/found" 2>&1
	report "… and a violation is found" "$([ -s "$work/found" ] && echo 1 || echo 0)"
	cd "$root" && rm -rf "$work/sample"
}

rule layers "layers include only themselves and lower ones"
rule headers "each header compiles alone"
rule exports "the module exports the three discovery functions"
rule member_calls "only core/member_op.c calls members for operations"
rule gate "policy, audit and counters are asked in core/call.c only"
rule functions "no function that is easy to use wrongly"
rule compare "secrets are compared in constant time"
rule later "nothing is left for later"
rule heads "every source has its licence and head comment"
rule length "no file is longer than 500 lines"
rule negations "no check goes on where a command that has to fail succeeds"
rule places "no path of one machine"
rule keys "keys and their manual agree"
rule options "options, commands, variables and their manual agree"
if command -v mandoc >/dev/null; then
	rule manuals "manuals are well formed"
else
	count=$((count + 1))
	echo "ok $count - manuals are well formed # SKIP package missing: mandoc"
fi
if command -v shellcheck >/dev/null; then
	rule scripts "scripts pass shellcheck"
else
	count=$((count + 1))
	echo "ok $count - scripts pass shellcheck # SKIP package missing: shellcheck"
fi
echo "1..$count"
[ "$bad" -eq 0 ]
