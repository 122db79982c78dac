#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# OpenSSL 3 with libp11's engine: request, certificate, signature and decryption with token keys. The
# engine never finalises the module.
. "$(dirname "$0")/lib.sh"
require pkcs11-tool opensc
require_engine
client_token

engine_config "init = 0"
rsa="pkcs11:token=$label;object=rsa;type=private"
ec="pkcs11:token=$label;object=ec;type=private"

makes_keys() {
	make_key rsa:2048 01 rsa
	make_key EC:prime256v1 02 ec
	public_key 01 rsa.pem
	public_key 02 ec.pem
}

makes_a_request() {
	ssl req -new -engine pkcs11 -keyform engine -key "$1" -subj /CN=request -out request.pem
	openssl req -in request.pem -verify -noout
	openssl req -in request.pem -pubkey -noout >request.pub
	same "$(openssl pkey -pubin -in request.pub -outform DER | openssl sha256)" \
		"$(openssl pkey -pubin -in "$2" -outform DER | openssl sha256)"
}

makes_a_certificate() {
	ssl req -new -x509 -engine pkcs11 -keyform engine -key "$1" -subj /CN=self -days 2 -out self.pem
	openssl verify -CAfile self.pem self.pem
}

signs() {
	ssl dgst -engine pkcs11 -keyform engine -sha256 -sign "$1" -out text.sig text
	openssl dgst -sha256 -verify "$2" -signature text.sig text
}

signs_pss() {
	ssl dgst -engine pkcs11 -keyform engine -sha256 -sigopt rsa_padding_mode:pss \
		-sigopt rsa_pss_saltlen:32 -sign "$rsa" -out pss.sig text
	openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -verify rsa.pem \
		-signature pss.sig text
}

decrypts() {
	openssl pkeyutl -encrypt -pubin -inkey rsa.pem -in text -out text.enc
	ssl pkeyutl -decrypt -engine pkcs11 -keyform engine -inkey "$rsa" -in text.enc -out text.dec
	cmp text text.dec
}

signs_cms() {
	ssl cms -sign -nodetach -engine pkcs11 -keyform engine -inkey "$rsa" -signer rsa-self.pem -binary -in text \
		-outform DER -out text.cms
	openssl cms -verify -inform DER -in text.cms -CAfile rsa-self.pem -binary -out text.back
	cmp text text.back
}

rsa_certificate() {
	makes_a_certificate "$rsa"
	mv self.pem rsa-self.pem
}

check "keys are made for it" makes_keys
check "a request with the RSA key verifies" makes_a_request "$rsa" rsa.pem
check "a request with the EC key verifies" makes_a_request "$ec" ec.pem
check "a certificate with the RSA key verifies" rsa_certificate
check "a certificate with the EC key verifies" makes_a_certificate "$ec"
check "an RSA signature verifies" signs "$rsa" rsa.pem
check "an ECDSA signature verifies" signs "$ec" ec.pem
check "an RSA-PSS signature verifies" signs_pss
check "an RSA ciphertext is decrypted" decrypts
check "a CMS signature verifies" signs_cms
done_testing
