#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Java's SunPKCS11: keytool makes keys on the token and lists them, a small program signs with them in
# many threads. Java never finalises the module.
. "$(dirname "$0")/lib.sh"
[ -z "$preload" ] || skip_all "Java's virtual machine does not run with a preloaded sanitizer"
require keytool openjdk-17-jdk-headless
require javac openjdk-17-jdk-headless
require openssl openssl
client_token

cat >token.cfg <<EOF
name = work
library = $module
slotListIndex = 0
EOF
signer="$(dirname "$0")/Signer.java"
case $signer in /*) ;; *) signer=$tests/clients/Signer.java ;; esac

tool() {
	client keytool -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -addprovider SunPKCS11 \
		-providerarg "$work/token.cfg" -storetype PKCS11 -storepass:file "$work/pin" "$@"
}

makes_key_pairs() {
	tool -genkeypair -alias rsa -keyalg RSA -keysize 2048 -sigalg SHA256withRSA -dname CN=rsa
	tool -genkeypair -alias ec -keyalg EC -groupname secp256r1 -sigalg SHA256withECDSA -dname CN=ec
}

lists_them() {
	tool -list >list
	cat list
	same "$(grep -c PrivateKeyEntry list)" 2
}

makes_a_request() {
	tool -certreq -alias "$1" -file "$1.csr"
	openssl req -in "$1.csr" -verify -noout
}

exports_a_certificate() {
	tool -exportcert -rfc -alias rsa -file rsa.pem
	openssl verify -CAfile rsa.pem rsa.pem
}

program_signs() { # ALIAS ALGORITHM
	client java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$signer" token.cfg "$1" "$2" text "$1.der" 8 <pin
	openssl x509 -inform DER -in "$1.der" -pubkey -noout >"$1.pub"
	openssl dgst -sha256 -verify "$1.pub" -signature text.sig text
}

deletes_a_key() {
	tool -delete -alias ec
	tool -list >list
	same "$(grep -c PrivateKeyEntry list)" 1
}

check "keytool makes an RSA and an EC key pair" makes_key_pairs
check "keytool lists them" lists_them
check "a request with the RSA key verifies" makes_a_request rsa
check "a request with the EC key verifies" makes_a_request ec
check "the certificate on the token verifies" exports_a_certificate
check "a program signs with the RSA key in eight threads" program_signs rsa SHA256withRSA
check "a program signs with the EC key in eight threads" program_signs ec SHA256withECDSA
check "keytool deletes a key" deletes_a_key
done_testing
