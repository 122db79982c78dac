#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tools/demo.sh: builds hsmux and shows it at work on two private SoftHSM2 tokens in a temporary directory.
# Installs missing packages (as root or with sudo; says so), leaves nothing behind but build/, touches
# neither your own tokens nor /etc.
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
	cat >"$work/hsmux.conf" <<-EOF
		version = 1;
		log = { level = "error"; };
		modules = (
		  { name = "red";  library = "$softhsm"; env = { SOFTHSM2_CONF = "$work/red.conf"; }; },
		  { name = "blue"; library = "$softhsm"; env = { SOFTHSM2_CONF = "$work/blue.conf"; };
		    private_copy = true; }
		);
		tokens = (
		  { label = "signing"; members = ( { name = "red-1";  module = "red";  token = "red";  } ); },
		  { label = "archive"; members = ( { name = "blue-1"; module = "blue"; token = "blue"; } ); }
		);
	EOF
	chmod 600 "$work/hsmux.conf"
}

# tool TOKEN ARGUMENT...: pkcs11-tool on a virtual token
tool() {
	token=$1
	shift
	printf '$ pkcs11-tool --module hsmux.so --token-label %s --login %s\n' "$token" "$*"
	pkcs11-tool --module "$module" --token-label "$token" --login --pin 1234 "$@"
}

sign_and_verify() { # TOKEN
	tool "$1" --sign --mechanism SHA256-RSA-PKCS --id 01 --input-file text --output-file text.sig
	tool "$1" --read-object --type pubkey --id 01 --output-file key.der
	show openssl dgst -sha256 -keyform DER -verify key.der -signature text.sig text
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

say "two SoftHSM2 stores, each with a token, become two tokens of one module"
make_store red
make_store blue
write_configuration
export HSMUX_CONF="$work/hsmux.conf"
cd "$work"
echo 'signed through hsmux' >text
show cat hsmux.conf

say "an application sees two tokens"
show pkcs11-tool --module "$module" --list-slots

say "a key is made on each, signs, and plain openssl verifies"
for token in signing archive; do
	tool "$token" --keypairgen --key-type rsa:2048 --id 01 --label demo-key
	sign_and_verify "$token"
done

say "the store behind \"archive\" is taken away"
mv blue blue.away
show "$hsmux" status || echo "(exit status $?: something is not reached)"
say "\"signing\" goes on as if nothing had happened"
sign_and_verify signing

say "the store is back, and so is the token with its key"
mv blue.away blue
show "$hsmux" status
sign_and_verify archive

say "done; nothing is left but build/"
