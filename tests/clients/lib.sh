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

# require_engine: OpenSSL and libp11's engine
require_engine() {
	require openssl openssl
	openssl engine pkcs11 >/dev/null 2>&1 || skip_all "package missing: libengine-pkcs11-openssl"
}

# engine_config [SETTING]...: engine.cnf with the engine over $module; settings to add to the engine's own
engine_config() {
	cat >"$work/engine.cnf" <<-EOF
		openssl_conf = start
		[start]
		engines = engines
		[engines]
		pkcs11 = token
		[req]
		distinguished_name = names
		[names]
		[token]
		engine_id = pkcs11
		MODULE_PATH = $module
		PIN = $pin
	EOF
	printf '%s\n' "$@" >>"$work/engine.cnf"
}

# ssl ARGUMENT...: openssl with that configuration
ssl() { OPENSSL_CONF="$work/engine.cnf" client openssl "$@"; }

# $server: the process of a server, ended with the script by `trap end_with_server EXIT`
server=

stop_server() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server" 2>/dev/null
	server=
}

end_with_server() {
	stop_server
	clean_up
}
