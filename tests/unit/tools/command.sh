#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The command line of hsmux: exit codes, where results and errors go, JSON that a parser reads, and that
# `config show` prints what can be read again. $1 is the command, $2 the commented example of hsmux.conf.
set -u
hsmux=$1
example=$2
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset HSMUX_CONF HSMUX_LOG
failed=0

fail() {
	echo "FAIL: $*"
	failed=1
}

# expect CODE LINES_ON_STDERR ARGUMENTS...: runs the command and keeps its output.
expect() {
	code=$1
	lines=$2
	shift 2
	"$hsmux" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" = "$code" ] || fail "hsmux $*: exit $got, expected $code"
	[ "$(wc -l <"$dir/err")" = "$lines" ] || fail "hsmux $*: stderr: $(cat "$dir/err")"
}

# out TEXT: the output of the last command contains the text.
out() {
	grep -qF -- "$1" "$dir/out" || fail "not on stdout: $1"
}

err() {
	grep -qF -- "$1" "$dir/err" || fail "not on stderr: $1"
}

# json EXPRESSION: python's view of the last output, as `d`.
json() {
	python3 -c "import json,sys; d = json.load(open('$dir/out')); sys.exit(not ($1))" ||
		fail "JSON: $1: $(cat "$dir/out")"
}

cat >"$dir/good.conf" <<'CONF'
version = 1;
modules = (
  { name = "m"; library = "/nonexistent/m.so"; init_args = "a \"b\" $${c}";
    sha256 = "00ff00000000000000000000000000000000000000000000000000000000ab10"; },
  { name = "n"; library = "/nonexistent/n.so"; env = { SOME_PIN = "1234"; DIR = "/d"; }; }
);
tokens = (
  { label = "one"; members = ( { module = "m"; token = "t"; serial = "s"; slot = 3000000000L; } ); },
  { label = "two"; slot = 9; relogin = false; members = ( { name = "b"; module = "n"; slot = 1; } ); }
);
CONF
sed 's/version = 1/version = 2/; s/token = "t"/tokn = "t"/' "$dir/good.conf" >"$dir/bad.conf"
chmod 600 "$dir/good.conf" "$dir/bad.conf"

expect 0 0 --version
out "hsmux "
expect 0 0 help
out "hsmux config check"
out "hsmux status"
expect 0 0 help config
out "hsmux config show"
expect 0 0 --help
expect 2 1
expect 2 1 nonsense
expect 2 1 help nonsense
expect 2 1 config
expect 2 1 config nonsense
expect 2 1 config check more
expect 2 1 config check more still
expect 2 1 status --nonsense
expect 2 1 status --conf
expect 0 0 help member
out "hsmux member drain TOKEN MEMBER"
out "--wait SECONDS"
expect 2 1 status more
expect 2 1 status --wait 1
err 'bad option "--wait"'
expect 2 1 status --watch=x
expect 2 1 status --watch 0
expect 2 1 member
expect 2 1 member drain
expect 2 1 member drain one
err 'an argument is missing after "one"'
expect 2 1 member drain one a b
err 'unexpected argument "b"'
expect 2 1 member drain one a b c
expect 2 1 member drain one a --wait
expect 2 1 member drain one a --wait soon
expect 2 1 member drain one a --wait -1
expect 2 1 member undrain one a --force
expect 2 1 member drain one a --watch
expect 2 1 config check --force

expect 0 0 help key
out "hsmux key import-from TOKEN"
out "--dry-run"
expect 2 1 key
expect 2 1 key list
expect 2 1 key list one two
expect 2 1 key list one --dry-run
err 'bad option "--dry-run"'
expect 2 1 key generate one --label l
err "--type is missing"
expect 2 1 key generate one --type aes:256
err "--label"
expect 2 1 key generate one --type aes:256 --label l --id 1
err "--id 1: expected bytes in hexadecimal"
expect 2 1 key generate one --type aes:256 --label l --use sign,fly
err "--use fly: expected sign"
expect 2 1 key import-from one --all
err "--from is missing"
expect 2 1 key move one --from two
err "--label, --id or --all is missing"
expect 2 1 key annotate one
err 'an argument is missing after "one"'
# shellcheck disable=SC2046 # words
expect 2 1 key annotate one $(seq -f a=%g 24)
err 'unexpected argument "a=24"'

expect 0 2 config check --conf "$dir/good.conf"
out "no errors, 2 warnings"
err "warning: $dir/good.conf:3: module \"m\": library /nonexistent/m.so cannot be read"
expect 1 2 --conf "$dir/bad.conf" config check
err "$dir/bad.conf:1: version is 2: expected 1"
err "$dir/bad.conf:8: token \"one\": member 1: unknown key \"tokn\": did you mean \"token\"?"
expect 1 0 config check "--conf=$dir/bad.conf" --json
json 'd["ok"] is False and [e["line"] for e in d["errors"]] == [1, 8] and d["warnings"] == []'
expect 3 1 config check --conf "$dir/missing.conf"
chmod 666 "$dir/bad.conf"
expect 1 1 config check --conf "$dir/bad.conf"
err "others can write it"
sed -i 's/library = "\/nonexistent\/n.so";/& vendor = "nobody";/' "$dir/good.conf"
expect 1 3 config check --conf "$dir/good.conf"
err "vendor \"nobody\" is not known"
sed -i 's/ vendor = "nobody";//' "$dir/good.conf"

expect 0 0 config show --conf "$dir/good.conf"
grep -q 1234 "$dir/out" && fail "a PIN is shown"
grep -v '^#' "$dir/out" >"$dir/first"
cp "$dir/out" "$dir/shown.conf"
chmod 600 "$dir/shown.conf"
expect 0 0 config show --conf "$dir/shown.conf"
grep -v '^#' "$dir/out" | cmp -s - "$dir/first" || fail "what is shown reads back as something else"
expect 0 0 config show --json --conf "$dir/good.conf"
json 'd["modules"][0]["init_args"] == "a \"b\" ${c}"'
json 'd["modules"][1]["env"] == {"SOME_PIN": "***", "DIR": "/d"}'
json 'd["tokens"][0]["members"][0]["slot"] == 3000000000 and d["tokens"][1]["slot"] == 9'
json 'd["health"]["open_max_ms"] == 30000 and d["retry"]["attempts"] == 3 and d["state"] == {"directory": None, "journal": None}'
HSMUX_CONF="$dir/good.conf" "$hsmux" config show --json >"$dir/out"
json 'd["source"] == "HSMUX_CONF"'

sed 's/init_args = "[^;]*;/init_args = "configdir=\x27sql:\/d\x27 keyPrefix=\x27\x27";/; s/SOME_PIN/DB_PWD = "1234"; Auth_x = "1234"; api_token = "1234"; a_cred/' \
	"$dir/good.conf" >"$dir/secret.conf"
chmod 600 "$dir/secret.conf"
expect 0 0 config show --conf "$dir/secret.conf"
grep -q 1234 "$dir/out" && fail "a secret is shown"
out "init_args = \"configdir='sql:/d' keyPrefix=''\";"
for args in 'x tokenPassword=1234' '{"pin":"1234"}' 'keyPrefix=1234'; do
	quoted=$(printf '%s' "$args" | sed 's/"/\\\\"/g')
	sed "s/configdir='.*''/$quoted/" "$dir/secret.conf" >"$dir/args.conf"
	chmod 600 "$dir/args.conf"
	expect 0 0 config show --conf "$dir/args.conf"
	grep -q 1234 "$dir/out" && fail "a secret argument is shown: $args"
	expect 0 0 config show --json --conf "$dir/args.conf"
	json 'd["modules"][0]["init_args"] == "***"'
done

# Everything that a virtual token of several members can have.
cat >"$dir/several.conf" <<'CONF'
version = 1;
modules = ( { name = "m"; library = "/nonexistent/m.so"; } );
tokens = (
  { label = "f"; mode = "failover"; find = "first"; replicate = "none"; members = (
      { name = "a"; module = "m"; slot = 1; priority = 2; weight = 3; max_sessions = 16; },
      { name = "b"; module = "m"; slot = 2; role = "standby"; pin = "file:/pins/a \"b\" $${c}"; },
      { name = "c"; module = "m"; slot = 3; role = "fallback"; pin = "env:C_PIN"; } ); },
  { label = "b"; mode = "balanced"; balance = "round-robin"; members = (
      { name = "d"; module = "m"; slot = 4; pin = "credential:d"; } ); },
  { label = "l"; mode = "balanced"; replicate = "majority"; kek = "id:00ff"; members = (
      { module = "m"; slot = 5; } ); },
  { label = "c"; mode = "capability"; replicate = "all"; protect = "locked"; members = (
      { module = "m"; slot = 6; } ); }
);
health = { interval_ms = 100; failures = 5; open_ms = 20; open_max_ms = 40; };
retry = { budget_ms = 300; attempts = 4; };
state = { directory = "/some/where"; journal = "/else/where"; };
CONF
chmod 600 "$dir/several.conf"
expect 0 2 config check --conf "$dir/several.conf"
err "several.conf:6: token \"f\": member \"b\": pin file:/pins/a \"b\" \${c} cannot be opened: No such file"
expect 0 0 config show --conf "$dir/several.conf"
grep -v '^#' "$dir/out" >"$dir/first"
for setting in 'mode = "failover";' 'find = "first";' 'priority = 2;' 'weight = 3;' 'role = "standby";' \
	'role = "fallback";' 'pin = "file:/pins/a \"b\" $${c}";' 'pin = "env:C_PIN";' 'pin = "credential:d";' \
	'balance = "round-robin";' 'balance = "least-loaded";' 'interval_ms = 100;' 'failures = 5;' \
	'open_ms = 20;' 'open_max_ms = 40;' 'budget_ms = 300;' 'attempts = 4;' 'directory = "/some/where";' \
	'journal = "/else/where";' 'replicate = "none";' 'replicate = "majority";' 'kek = "id:00ff";' \
	'protect = "kek";' 'replicate = "all";' 'protect = "locked";' 'kek = "hsmux-kek";'; do
	out "$setting"
done
[ "$(grep -cE '(protect|kek) = ' "$dir/out")" = 4 ] || fail "protect is shown where nothing is replicated"
[ "$(grep -c balance "$dir/out")" = 4 ] || fail "balance is shown where it has no meaning"
cp "$dir/out" "$dir/shown.conf"
expect 0 2 config check --conf "$dir/shown.conf"
expect 0 0 config show --conf "$dir/shown.conf"
grep -v '^#' "$dir/out" | cmp -s - "$dir/first" || fail "what is shown of several members reads back as something else"
expect 0 0 config show --json --conf "$dir/several.conf"
json '[(m["priority"], m["weight"], m["role"], m["pin"]) for m in d["tokens"][0]["members"]] ==
	[(2, 3, "active", "same"), (1, 1, "standby", "file:/pins/a \"b\" ${c}"), (1, 1, "fallback", "env:C_PIN")]'
json '[t["balance"] for t in d["tokens"]] == [None, "round-robin", "least-loaded", None]'
json '[(t["replicate"], t["protect"], t["kek"]) for t in d["tokens"]] == [("none", None, None)] * 2 +
	[("majority", "kek", "id:00ff"), ("all", "locked", "hsmux-kek")]'
json '[t["find"] for t in d["tokens"]] == ["first", "union", "union", "union"]'
json 'd["health"] == {"interval_ms": 100, "failures": 5, "open_ms": 20, "open_max_ms": 40}'
umask 077
echo 1234 >"$dir/pin"
sed "s|file:/pins/[^;]*\";|file:$dir/pin\";|" "$dir/several.conf" >"$dir/pinned.conf"
expect 0 1 config check --conf "$dir/pinned.conf"
chmod 644 "$dir/pin"
expect 0 2 config check --conf "$dir/pinned.conf"
err "/pin is open to others (mode 0644)"
grep -q 1234 "$dir/err" && fail "a PIN is shown"
umask 022
expect 0 0 config show --json --conf "$dir/several.conf"
json 'd["retry"] == {"budget_ms": 300, "attempts": 4} and d["state"] == {"directory": "/some/where", "journal": "/else/where"}'

# What a terminal would obey is shown, not sent to it: U+009B begins a sequence, U+202E turns the text.
csi=$(printf '\302\233')
rlo=$(printf '\342\200\256')
newline='
'
odd="$dir/odd${csi}31m${newline}tokens = 1;"
sed "s|library = \"/nonexistent/m.so\"|library = \"/nonexistent/${csi}31m$rlo.so\"|" "$dir/good.conf" >"$odd"
chmod 600 "$odd"
quiet() {
	if grep -qaF "$csi" "$dir/$1" || grep -qaF "$rlo" "$dir/$1"; then fail "a terminal would obey: $(cat -v "$dir/$1")"; fi
}
expect 0 0 config show --conf "$odd"
quiet out
out "# --conf: $dir/odd?31m?tokens = 1;"
out 'library = "/nonexistent/\xc2\x9b31m\xe2\x80\xae.so";'
cp "$dir/out" "$dir/shown.conf"
expect 0 0 config show --json --conf "$dir/shown.conf"
quiet out
json 'd["modules"][0]["library"] == "/nonexistent/\u009b31m\u202e.so"'
expect 0 2 config check --conf "$odd"
quiet out
quiet err
expect 3 0 status --conf "$odd"
quiet out
out "/nonexistent/?31m?.so"

# Profiles beside the command are used only where nobody else could have put them.
planted() { # CODE: what `config check` says of a vendor that only the planted profile has
	install -m 644 "$dir/good.conf" "$dir/planted.conf"
	sed -i 's|name = "m";|& vendor = "planted";|' "$dir/planted.conf"
	"$dir/tree/tools/hsmux" config check --conf "$dir/planted.conf" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" = "$1" ] || fail "$2: exit $got, expected $1: $(cat "$dir/err")"
}
chmod 755 "$dir"
mkdir -p "$dir/tree/tools" "$dir/tree/conf/vendors"
chmod 755 "$dir/tree" "$dir/tree/tools" "$dir/tree/conf" "$dir/tree/conf/vendors"
install -m 755 "$hsmux" "$dir/tree/tools/hsmux"
echo 'title = "T"; source = "S"; tested = false; libraries = ( "planted" );' >"$dir/tree/conf/vendors/planted.conf"
chmod 644 "$dir/tree/conf/vendors/planted.conf"
planted 0 "a build tree"
chmod 757 "$dir/tree/conf/vendors"
planted 1 "a directory that everybody can write"
chmod 775 "$dir/tree/conf/vendors"
planted 1 "a directory that a group can write"
chmod 775 "$dir/tree/tools/hsmux"
planted 0 "a group that can write both"
chmod 755 "$dir/tree/conf/vendors" "$dir/tree/tools/hsmux"
chmod 757 "$dir/tree/conf"
planted 1 "a directory above that everybody can write"
chmod 755 "$dir/tree/conf"
mv "$dir/tree/conf" "$dir/tree/there"
ln -s there "$dir/tree/conf"
planted 1 "a link"
rm "$dir/tree/conf"
mv "$dir/tree/there" "$dir/tree/conf"
planted 0 "a build tree again"
if [ "$(id -u)" = 0 ]; then
	chown nobody "$dir/tree/conf/vendors"
	planted 1 "a directory of another user"
	chown nobody "$dir/tree/conf" "$dir/tree/conf/vendors/planted.conf" "$dir/tree/tools/hsmux"
	planted 0 "a tree of a developer, used by root"
	chmod 4755 "$dir/tree/tools/hsmux"
	if findmnt -no OPTIONS -T "$dir" | grep -q nosuid; then
		echo "skipped: a setuid program takes no profile beside it: needs a file system with setuid programs"
	else
		planted 1 "a setuid program"
	fi
else
	echo "skipped: profiles of other users: needs root"
fi

# The example is right as it is, and with everything in it that is commented out.
install -m 600 "$example" "$dir/example.conf"
"$hsmux" config check --conf "$dir/example.conf" >"$dir/out" 2>"$dir/err" || fail "$(cat "$dir/err")"
sed 's/^\( *\)#\([^ ]\|  \)/\1\2/' "$example" >"$dir/example.conf"
"$hsmux" config check --conf "$dir/example.conf" >"$dir/out" 2>"$dir/err" || fail "$(cat "$dir/err")"
"$hsmux" config show --json --conf "$dir/example.conf" >"$dir/out"
json 'len(d["modules"]) == 5 and d["tokens"][0]["members"][0]["serial"]'
json '[t["mode"] for t in d["tokens"]] == ["passthrough", "failover", "failover", "balanced", "capability"]'
json 'd["state"] == {"directory": "/run/hsmux", "journal": "/var/lib/hsmux"}'

expect 3 0 status --conf "$dir/good.conf"
out "one: slot 1, passthrough, not reachable"
out "/nonexistent/m.so"
expect 3 0 status --json --conf "$dir/good.conf"
json 'all(not t["reachable"] and t["members"][0]["reason"] for t in d["tokens"])'
expect 3 1 status --conf "$dir/missing.conf"

# Members of tokens whose libraries are not there can be drained as well.
cat >"$dir/pair.conf" <<CONF
version = 1;
modules = (
  { name = "m"; library = "/nonexistent/m.so"; },
  { name = "n"; library = "/nonexistent/n.so"; }
);
tokens = (
  { label = "pair"; mode = "failover"; members = (
    { name = "a"; module = "m"; token = "t"; }, { name = "b"; module = "n"; token = "t"; } ); },
  { label = "alone"; members = ( { name = "c"; module = "m"; token = "u"; } ); }
);
state = { directory = "$dir/state"; };
CONF
chmod 600 "$dir/pair.conf"
member() { # CODE LINES_ON_STDERR ARGUMENTS...
	code=$1
	lines=$2
	shift 2
	expect "$code" "$lines" member "$@" --conf "$dir/pair.conf"
}
member 1 1 drain nobody a
err 'unknown token "nobody" (tokens: pair, alone)'
member 1 1 drain pair nobody
err 'token "pair" has no member "nobody" (members: a, b)'
member 1 1 drain alone c --force
err 'no other member to go to'
member 0 0 drain pair a
out "pair, member a: drained: 0 processes followed"
grep -q "^pair	a	since 20" "$dir/state/drained" || fail "the list has no line for a"
member 0 0 drain pair a --wait 0
out "already drained"
member 1 1 drain pair b
err 'is the last one that is not drained'
member 0 0 undrain pair a --json
json 'd["member"] == "a" and not d["drained"] and d["changed"] and d["followed"] == 0'
member 0 0 undrain pair a --wait=1
out "already in service"
member 0 0 drain pair b
member 0 0 drain pair a --force --json
json 'd["drained"] and d["changed"] and d["waiting"] == []'
expect 1 0 status --conf "$dir/pair.conf"
out "pair: slot 1, failover, not tried, not serving, 0 of 2 members, 2 drained"
expect 1 0 status --json --conf "$dir/pair.conf"
json 'all(m["drained"] and not m["serving"] for m in d["tokens"][0]["members"])'
chmod 777 "$dir/state"
member 1 1 undrain pair a
err "$dir/state: others can write in it"
chmod 700 "$dir/state"
rm -r "$dir/state"
: >"$dir/state"
member 1 1 drain pair a
err "is no directory"
rm "$dir/state"

# It is printed again and again until somebody has seen enough.
: >"$dir/watched"
"$hsmux" status --watch 1 --json --conf "$dir/pair.conf" >"$dir/watched" 2>&1 &
watching=$!
turn=0
until [ "$(wc -l <"$dir/watched")" -ge 2 ]; do
	turn=$((turn + 1))
	[ "$turn" -lt 200 ] || break
	sleep 0.1
done
kill -TERM "$watching"
wait "$watching"
got=$?
[ "$got" = 3 ] || fail "status --watch: exit $got, expected 3: $(cat "$dir/watched")"
head -n 1 "$dir/watched" >"$dir/out"
json 'len(d["tokens"]) == 2'

"$hsmux" help >/dev/full 2>"$dir/err" && fail "a full disk is taken for success"
[ "$failed" = 0 ] && echo "all as expected"
exit "$failed"
