#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The KEK: the same on all members, of every make; made, shown, replaced; never an application's.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
token softhsm a LABEL=a
token softhsm b LABEL=b
makes="a b"
for make in nss opencryptoki; do
	if is_short && [ $make = opencryptoki ]; then
		skip "$make takes part" "left out where programs are slower"
	elif try_token $make $make LABEL=$make; then
		makes="$makes $make"
	else
		skip "$make takes part" "$why"
	fi
done
case $makes in *opencryptoki*) inside=$(fact opencryptoki enter) ;; esac
. "$tests/scenario/kek_lib.sh"

none_is_there() {
	exits 1 kek status
	status_says "not any(x['present'] for x in all)"
}

is_installed() {
	with_so install
	exits 0 kek status
	status_says "[x['count'] for x in all] == [1] * len(all)"
	status_says "not any(x['extractable'] or x['finding'] for x in all)"
	status_says "[x['sensitive'] and x['same'] for x in all] == [True] * len(all)"
	status_says "m['a']['trusted'] == m['b']['trusted'] == 'yes'"
}

is_installed_once() {
	exits 1 with_so install
	exits 0 kek status
}

is_rotated() {
	with_so rotate
	exits 0 kek status
	status_says "m['a']['trusted'] == m['b']['trusted'] == 'yes'"
}

wrong_so_pin() {
	exits 1 kek install --so-pin-source "file:$work/wrong-pin" 2>errors
	cat errors
	grep -q 'security officer: CKR_PIN_INCORRECT' errors
	exits 1 kek install --so-pin-source "file:$work/so-pin" --so-pin-source "b=file:$work/wrong-pin"
	none_is_there
	nothing_is_left a
	nothing_is_left b
}

app_tool() { client pkcs11-tool --module "$module" --token-label virtual --login --pin 1234 "$@"; }

# The id of the KEK on a member.
kek_id() { by_itself "$1" --list-objects --type secrkey | sed -n '/label: *hsmux-kek/,/ID:/s/.*ID: *//p'; }

is_not_shown() {
	app_tool --list-objects >shown
	cat shown
	not grep -q hsmux shown
	id=$(kek_id a)
	same "${#id}" 32
	app_tool --list-objects --type secrkey --id "$id" >shown
	not grep -q "Secret Key" shown
	not app_tool --delete-object --type secrkey --label hsmux-kek
	not app_tool --delete-object --type secrkey --id "$id"
	not app_tool --keygen --key-type AES:32 --label hsmux-kek
	not app_tool --keygen --key-type AES:32 --label hsmux-kek-2
	exits 0 kek status
}

# routes_say EXPRESSION: of `way`, the routes by (from, to, kind)
routes_say() {
	/usr/bin/python3 -c "
import json, sys
routes = json.load(open('routes.json'))['routes']
way = {(x['from'], x['to'], x['kind']): x for x in routes}
sys.exit(not ($1))" || { cat routes.json; return 1; }
}

routes_are_shown() {
	code=0
	tool key routes virtual --pin-source "file:$work/pin" --again --json >routes.json || code=$?
	# openCryptoki makes no EC key to try with, and says so.
	routes_say "all(x['tried'] == ((x['from'], x['kind']) != ('opencryptoki', 'ec')) for x in routes)"
	routes_say "all(x['way'] if x['open'] else x['reason'] for x in routes)"
	routes_say "all(way['a', 'b', kind]['open'] for kind in ('secret', 'rsa', 'ec'))"
	same $code "$(/usr/bin/python3 -c "
import json
print(int(not all(x['open'] for x in json.load(open('routes.json'))['routes'])))")"
	case $makes in *nss*)
		routes_say "all(way[x, y, kind]['open'] for x, y in (('a', 'nss'), ('nss', 'a'))
			for kind in ('secret', 'rsa', 'ec'))" ;;
	esac
	case $makes in *nss\ opencryptoki*)
		routes_say "all(way[x, y, kind]['open'] for kind in ('secret', 'rsa')
			for x, y in (('a', 'opencryptoki'), ('opencryptoki', 'a'), ('nss', 'opencryptoki')))"
		routes_say "way['a', 'opencryptoki', 'rsa']['over'] == way['opencryptoki', 'b', 'rsa']['over'] == 'nss'"
		routes_say "not way['a', 'opencryptoki', 'ec']['open'] and way['a', 'opencryptoki', 'ec']['reason']" ;;
	esac
	tool key routes virtual --pin-source "file:$work/pin" >shown || :
	cat shown
	same "$(wc -l <shown)" "$(($(/usr/bin/python3 -c "
import json
print(len(json.load(open('routes.json'))['routes']))") + 1))"
}

# component NAME: a file with a random one
component() {
	/usr/bin/python3 -c "
import hashlib, os
c = os.urandom(32)
print(c.hex()[:10], c.hex()[10:], hashlib.sha256(c).hexdigest()[:6])" >"$1"
	chmod 600 "$1"
}

of_components() {
	with_so install --component-source "file:$work/$1" --component-source "file:$work/$2"
}

is_made_of_components() {
	component one
	component two
	component three
	of_components one two
	exits 0 kek status
	status_says "m['a']['trusted'] == m['b']['trusted'] == 'yes'"
}

# A member that was added, or lost it.
is_extended() {
	by_itself b --delete-object --type secrkey --label hsmux-kek-two
	exits 1 kek status
	status_says "not m['b']['present'] and m['a']['present']"
	exits 1 with_so install
	exits 1 of_components one three
	nothing_is_left b
	status_says "not m['b']['present']"
	of_components two one
	exits 0 kek status
}

wrong_components() {
	sed 's/.$/x/' one >bad
	printf '%s\n' "$(cut -c 1-30 one)" >short
	sed 's/[0-9]/5/2' one >typo
	chmod 600 bad short typo
	for file in bad short typo; do
		exits 1 of_components $file two 2>errors
		cat errors
		not grep -q "$(cut -c 3-20 one)" errors
	done
	exits 1 of_components one one
	exits 1 with_so install --component-source "file:$work/one"
	exits 0 kek status
}

# Without --no-trust the officer's PIN is asked for, and there is no terminal.
without_officer() {
	exits 1 $inside setsid "$hsmux" kek rotate virtual --pin-source "file:$work/pin" 2>errors
	cat errors
	grep -q 'no terminal' errors
	exits 0 kek status
	kek rotate --no-trust 2>errors
	grep -q 'warning: member a: the key is not trusted' errors
	exits 1 kek status
	status_says "m['a']['trusted'] == 'no' and m['a']['same'] and m['b']['same']"
	with_so rotate
	exits 0 kek status
}

# Nothing of it is echoed.
is_typed() {
	cat >typed.py <<-'END'
		import os, pty, sys
		pid, tty = pty.fork()
		if pid == 0:
		    os.execvp(sys.argv[2], sys.argv[2:])
		out, sent = b"", False
		while True:
		    try:
		        piece = os.read(tty, 4096)
		    except OSError:
		        break
		    if not piece:
		        break
		    out += piece
		    if not sent and b": " in out:
		        os.write(tty, sys.argv[1].encode().decode("unicode_escape").encode())
		        sent = True
		print(out.decode(errors="replace"))
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	exits 0 /usr/bin/python3 typed.py '1234\n' $inside "$hsmux" kek status virtual >typed
	cat typed
	grep -q 'PIN of token "virtual"' typed
	not grep -q 1234 typed
	exits 1 /usr/bin/python3 typed.py '12\x03' $inside "$hsmux" kek status virtual
	exits 0 /usr/bin/python3 typed.py '' "$hsmux" kek component >typed
	/usr/bin/python3 -c "
import hashlib, sys
t = open('typed').read().replace(' ', '').strip()
sys.exit(not (len(t) == 70 and hashlib.sha256(bytes.fromhex(t[:64])).hexdigest()[:6] == t[64:]))"
	exits 1 tool kek component >typed
	same "$(wc -c <typed)" 0
}

no_kek_is_needed() {
	exits 1 kek install 2>errors
	grep -q 'not replicated' errors
	exits 1 kek status
	exits 1 tool kek status nonsense
	exits 2 tool kek install
	exits 2 tool kek status virtual --no-trust
}

by_id_is_hidden_too() {
	with_so install
	exits 0 kek status
	app_tool --list-objects >shown
	not grep -q "Secret Key" shown
	not app_tool --keygen --key-type AES:32 --label mine --id cafe01
	app_tool --keygen --key-type AES:32 --label mine --id cafe02
	not app_tool --set-id cafe01 --type secrkey --label mine
	with_so rotate
	exits 0 kek status
}

# shellcheck disable=SC2086 # words
virtual failover $makes
check "a token that does not replicate needs none" no_kek_is_needed
TOKEN='replicate = "all";'
virtual failover $makes
check "before an installation there is none" none_is_there
check "a wrong PIN of the security officer leaves nothing" wrong_so_pin
check "it is installed on all members, the same, locked, trusted where the maker knows that" is_installed
check "a second installation is refused and changes nothing" is_installed_once
check "a rotation puts another one in its place" is_rotated
check "no application sees it, finds it, makes one, or destroys it" is_not_shown
check "ways between members are shown" routes_are_shown
check "without the security officer it is not trusted, and that is said" without_officer
check "a PIN is typed without being shown, a component is shown to a terminal only" is_typed
TOKEN='replicate = "all"; kek = "hsmux-kek-two";'
# shellcheck disable=SC2086 # words
virtual failover $makes
check "it is made of two components" is_made_of_components
check "what was typed wrong is refused, and not repeated" wrong_components
check "a member that lacks it gets it of the same components only" is_extended
TOKEN='replicate = "all"; kek = "id:cafe01";'
virtual failover a b
inside=
check "one that is named by its id is hidden, too" by_id_is_hidden_too
done_testing
