# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the scripts of this folder: one token named "work" for a client, through hsmux or direct.
# Afterwards: $module to load, $pin, $label; a file with the PIN in $work/pin.
# shellcheck shell=sh

. "$(dirname "$0")/../lib.sh"

label=work
pin=1234

# client_token [KIND]
client_token() {
	[ -z "${1:-}" ] || kind=$1
	token "${kind:-softhsm}" token LABEL=work PIN=$pin
	if [ -n "$direct" ]; then
		module=$(fact token library)
		for setting in $(fact token variables); do
			export "${setting?}"
		done
	else
		conf work=token
	fi
	(umask 077 && printf %s "$pin" >"$work/pin")
	printf 'what was promised' >"$work/text"
	cd "$work" || bail_out "no $work"
}

# make_key TYPE ID LABEL: with pkcs11-tool, which has a test of its own
make_key() {
	client pkcs11-tool --module "$module" --token-label "$label" --login --pin "$pin" \
		--keypairgen --key-type "$1" --id "$2" --label "$3" --usage-sign
}

# public_key ID FILE: as PEM
public_key() {
	client pkcs11-tool --module "$module" --token-label "$label" --read-object --type pubkey \
		--id "$1" --output-file "$2.der"
	openssl pkey -pubin -inform DER -in "$2.der" -out "$2"
}
