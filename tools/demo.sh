#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tools/demo.sh: builds hsmux and shows one virtual token over two private SoftHSM2 stores in a temporary
# directory, which goes on when either of them is taken away, and what a policy refuses. Installs missing packages (as root or with
# sudo; says so), leaves nothing behind but build/, touches neither your own tokens nor /etc.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
packages="meson ninja-build gcc pkg-config libconfig-dev libssl-dev libp11-kit-dev softhsm2 opensc openssl"

say() { printf '\n== %s\n' "$*"; }

# show COMMAND...: prints and runs it
show() {
	printf '$ %s\n' "$*"
	"$@"
}

missing_packages() {
	command -v dpkg-query >/dev/null || return 0
	for package in $packages; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
	done
}

install_missing() {
	wanted=$(missing_packages)
	[ -n "$wanted" ] || return 0
	say "installing missing packages: $wanted"
	as_root=
	[ "$(id -u)" -eq 0 ] || as_root=sudo
	# shellcheck disable=SC2086 # words
	$as_root apt-get -q update && $as_root apt-get -q -y --no-install-recommends install $wanted
}

build() {
	say "building in build/"
	[ -e build/build.ninja ] || meson setup build -Dtests=false >"$work/setup.log" || {
		cat "$work/setup.log"
		exit 1
	}
	meson compile -C build >"$work/compile.log" || {
		cat "$work/compile.log"
		exit 1
	}
}

# make_store NAME: a SoftHSM2 store of its own with one token
make_store() {
	mkdir "$work/$1"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$work/$1" \
		>"$work/$1.conf"
	SOFTHSM2_CONF=$work/$1.conf softhsm2-util --init-token --free --label "$1" --pin 1234 \
		--so-pin 12345678 >/dev/null
}

write_configuration() {
	cat >hsmux.conf <<-EOF
		version = 1;
		modules = (
		  { name = "red";  library = "$softhsm"; private_copy = true;
		    env = { SOFTHSM2_CONF = "$work/red.conf"; }; },
		  { name = "blue"; library = "$softhsm"; private_copy = true;
		    env = { SOFTHSM2_CONF = "$work/blue.conf"; }; }
		);
		tokens = (
		  { label = "signing"; mode = "failover"; replicate = "all";
		    members = ( { name = "red";  module = "red";  token = "red";  priority = 1; },
		                { name = "blue"; module = "blue"; token = "blue"; priority = 2; } ); }
		);
		state = { directory = "$work/state"; };
	EOF
	chmod 600 hsmux.conf
}

# kek: the key under which keys travel between the stores
kek() {
	printf 1234 >pin
	printf 12345678 >so-pin
	chmod 600 pin so-pin
	show "$hsmux" kek install signing --pin-source "file:$work/pin" --so-pin-source "file:$work/so-pin" 2>kek.log ||
		{ cat kek.log; exit 1; }
}

# make_key: made by an application that knows one token, and is in both stores when it hears of it
make_key() {
	tool --keypairgen --key-type rsa:2048 --label demo-key --id 01
	tool --read-object --type pubkey --id 01 --output-file public.der
	openssl pkey -pubin -inform DER -in public.der -pubout -out public.pem
	show "$hsmux" key list signing --pin-source "file:$work/pin"
}

# tool ARGUMENT...: pkcs11-tool, logged in to the virtual token
tool() {
	printf '$ pkcs11-tool --module hsmux.so --token-label signing --login %s\n' "$*"
	pkcs11-tool --module "$module" --token-label signing --login --pin 1234 "$@"
}

# sign FILE: the signature is FILE.sig
sign() {
	tool --sign --mechanism SHA256-RSA-PKCS --id 01 --input-file "$1" --output-file "$1.sig"
}

verify() { # FILE SIGNATURE
	show openssl dgst -sha256 -verify public.pem -signature "$2" "$1"
}

sign_and_verify() { # FILE
	sign "$1"
	verify "$1" "$1.sig"
}

# refused ARGUMENT...: pkcs11-tool does not get what it asks for
refused() {
	if tool "$@"; then
		echo "this should have been refused" >&2
		exit 1
	fi
}

# wait_until COMMAND...: half a minute at the most
wait_until() {
	turns=0
	until "$@"; do
		turns=$((turns + 1))
		[ $turns -lt 150 ] || {
			echo "waited in vain for: $*" >&2
			exit 1
		}
		sleep 0.2
	done
}

all_serve() { "$hsmux" status >/dev/null 2>&1; }
application_knows() { "$hsmux" status 2>/dev/null | grep -q 'process: down'; }

# The application has begun a signature, and waits for the second half of its input, when its token goes.
sign_while_red_goes() {
	mkfifo pipe
	# Should the application fail, the pipe still needs a reader, or we would wait for one.
	{ sign pipe || { timeout 10 cat pipe >/dev/null; exit 1; }; } &
	application=$!
	exec 3>pipe # opens when the application is logged in and has found its key
	head -c 50000 long >&3
	show mv red red.away
	wait_until application_knows
	show "$hsmux" status || echo "(exit status $?: a member is missing)"
	tail -c +50001 long >&3
	exec 3>&-
	wait $application
	verify long pipe.sig
}

work=
clean_up() { [ -z "$work" ] || rm -rf "$work"; }
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

install_missing
work=$(mktemp -d "${TMPDIR:-/tmp}/hsmux-demo.XXXXXX")
build
module=$root/build/module/hsmux.so
hsmux=$root/build/tools/hsmux
softhsm=
for file in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so /usr/lib64/pkcs11/libsofthsm2.so; do
	[ ! -e "$file" ] || softhsm=$file
done
[ -n "$softhsm" ] || {
	echo "SoftHSM2 is not installed (package softhsm2)" >&2
	exit 1
}

cd "$work"
say "two SoftHSM2 stores become one virtual token"
make_store red
make_store blue
write_configuration
export HSMUX_CONF="$work/hsmux.conf"
show cat hsmux.conf

say "one key-encryption key in both, which never leaves them"
kek

say "an application makes a key: it is in both stores, proven, before it hears of it"
make_key

say "an application sees one token, and the key once"
show pkcs11-tool --module "$module" --list-slots
tool --list-objects
show "$hsmux" status

say "it signs, and plain openssl verifies"
echo 'signed through hsmux' >text
sign_and_verify text

say "the store of \"red\" is taken away while an application is in the middle of a long message"
head -c 100000 /dev/zero | tr '\0' x >long
sign_while_red_goes

say "the next application signs, too"
sign_and_verify text

say "\"red\" is back; now \"blue\" is taken away"
show mv red.away red
wait_until all_serve
show "$hsmux" status
show mv blue blue.away
sign_and_verify text
show mv blue.away blue
wait_until all_serve

say "for maintenance a member is drained: nothing new begins there, and applications go on"
show "$hsmux" member drain signing red
sign_and_verify text
show "$hsmux" status
show "$hsmux" member undrain signing red

say "both stores have the same keys"
show "$hsmux" key compare signing --pin-source "file:$work/pin"
echo "(exit status 0: nothing differs)"

say "with policy = \"fips\" the same application may not sign with SHA-1, and is told why"
sed -i 's/mode = "failover";/& policy = "fips";/' hsmux.conf
refused --sign --mechanism SHA1-RSA-PKCS --id 01 --input-file text --output-file text.sha1
sign_and_verify text
show "$hsmux" policy explain fips sign mech=CKM_SHA1_RSA_PKCS key=rsa:2048 | tail -n 3

say "done; nothing is left but build/"
