#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# GnuTLS: p11tool lists, generates and writes, certtool signs a certificate with a token key. GnuTLS says
# with every initialisation that the module may not make threads.
. "$(dirname "$0")/lib.sh"
[ -z "$preload" ] || skip_all "p11tool with a preloaded sanitizer hangs at its end in p11-kit, whatever the module"
require p11tool gnutls-bin
require certtool gnutls-bin
require openssl openssl
client_token
export GNUTLS_PIN="$pin"
url="pkcs11:token=$label"

p11() { client p11tool --provider "$module" "$@"; }

lists_the_token() {
	p11 --list-token-urls >urls
	cat urls
	grep -q "token=$label" urls
	p11 --list-mechanisms "$url" | grep -q CKM_RSA_PKCS
}

generates_keys() {
	p11 --login --generate-privkey rsa --bits 2048 --label ca --id 11 --outfile ca.pub "$url"
	p11 --login --generate-privkey ecdsa --curve secp256r1 --label server --id 22 --outfile server.pub "$url"
	p11 --login --list-all "$url" >all
	cat all
	same "$(grep -c 'Type: Private key' all)" 2
}

signs_a_certificate() {
	printf 'cn = "token ca"\nca\ncert_signing_key\nexpiration_days = 2\nserial = 1\n' >ca.template
	client certtool --provider "$module" --generate-self-signed --template ca.template \
		--load-privkey "$url;object=ca;type=private" --load-pubkey ca.pub --outfile ca.pem
	openssl verify -CAfile ca.pem ca.pem
}

signs_for_a_second_token_key() {
	printf 'cn = "server"\ntls_www_server\nexpiration_days = 2\nserial = 2\n' >server.template
	client certtool --provider "$module" --generate-certificate --template server.template \
		--load-pubkey server.pub --load-ca-certificate ca.pem \
		--load-ca-privkey "$url;object=ca;type=private" --outfile server.pem
	openssl verify -CAfile ca.pem server.pem
}

request_signed_by_ec_key_verifies() {
	printf 'cn = "request"\n' >request.template
	client certtool --provider "$module" --generate-request --template request.template \
		--load-privkey "$url;object=server;type=private" --load-pubkey server.pub --outfile request.pem
	openssl req -verify -noout -in request.pem
}

stores_and_exports_a_certificate() {
	p11 --login --write --load-certificate server.pem --label server --id 22 "$url"
	p11 --export "$url;object=server;type=cert" --outfile back.pem
	same "$(openssl x509 -in back.pem -noout -fingerprint)" \
		"$(openssl x509 -in server.pem -noout -fingerprint)"
}

own_signature_test_passes() {
	p11 --login --test-sign "$url;object=ca;type=private"
	p11 --login --test-sign "$url;object=server;type=private"
}

deletes_objects() {
	p11 --login --batch --delete "$url;object=server;type=cert"
	p11 --login --list-all "$url" >all
	not grep -q X.509 all
}

check "p11tool lists the token and its mechanisms" lists_the_token
check "p11tool generates an RSA and an EC key" generates_keys
check "certtool signs a CA certificate with the token's RSA key" signs_a_certificate
check "certtool signs another certificate, verified by openssl" signs_for_a_second_token_key
check "certtool signs a request with the token's EC key" request_signed_by_ec_key_verifies
check "a certificate is stored and exported" stores_and_exports_a_certificate
check "p11tool --test-sign passes" own_signature_test_passes
check "an object is deleted" deletes_objects
done_testing
