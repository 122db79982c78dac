#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# NSS with the module registered by modutil: certutil makes keys and certificates on the token, cmsutil
# signs. NSS brings mutex callbacks, forbids threads and passes a notify callback with every session.
. "$(dirname "$0")/lib.sh"
require modutil libnss3-tools
require certutil libnss3-tools
require cmsutil libnss3-tools
require openssl openssl
client_token
mkdir db
head -c 4096 /dev/urandom >noise
printf '%s:%s\nNSS Certificate DB:\n' "$label" "$pin" >pins

registers_the_module() {
	client certutil -N -d sql:db --empty-password
	client modutil -dbdir sql:db -force -add hsmux -libfile "$module"
	client modutil -dbdir sql:db -list >list
	cat list
	grep -q "token: *$label" list
}

makes_a_ca() {
	client certutil -S -d sql:db -h "$label" -f pins -n ca -s CN=ca -x -t CTu,CTu,CTu -k rsa -g 2048 \
		-m 1 -v 2 -z noise -2 <<-EOF
		y

		n
	EOF
	client certutil -L -d sql:db -h "$label" -f pins -n "$label:ca" -a >ca.pem
	openssl verify -CAfile ca.pem ca.pem
}

makes_an_ec_certificate() {
	client certutil -S -d sql:db -h "$label" -f pins -n signer -s CN=signer -x -t ,, -k ec -q nistp256 \
		-m 2 -v 2 -z noise
	client certutil -L -d sql:db -h "$label" -f pins -n "$label:signer" -a >signer.pem
	openssl x509 -in signer.pem -noout -text | grep 'Signature Algorithm: ecdsa-with-SHA256'
	openssl verify -CAfile signer.pem signer.pem
}

signs_a_request() {
	client certutil -R -d sql:db -h "$label" -f pins -s CN=request -k rsa -g 2048 -z noise -a -o request.pem
	openssl req -in request.pem -verify -noout
}

lists_its_keys() {
	client certutil -K -d sql:db -h "$label" -f pins >keys
	cat keys
	same "$(grep -c '^<' keys)" 3
	client certutil -L -d sql:db -h "$label" -f pins | grep -q "$label:signer"
}

signs_cms() {
	client cmsutil -S -d sql:db -f pins -N "$label:ca" -i text -o text.cms
	openssl cms -verify -inform DER -in text.cms -CAfile ca.pem -purpose any -binary -out text.back
	cmp text text.back
}

decrypts_cms() {
	openssl cms -encrypt -binary -in text -outform DER -out text.sealed -aes256 ca.pem
	client cmsutil -D -d sql:db -f pins -i text.sealed -o text.open
	cmp text text.open
}

deletes_a_key() {
	client certutil -F -d sql:db -h "$label" -f pins -n "$label:signer"
	client certutil -K -d sql:db -h "$label" -f pins >keys
	same "$(grep -c '^<' keys)" 2
}

check "modutil registers the module and sees the token" registers_the_module
check "certutil makes a CA with a key on the token" makes_a_ca
check "certutil makes a certificate with an EC key on the token" makes_an_ec_certificate
check "certutil makes a request, which verifies" signs_a_request
check "certutil lists the token's keys" lists_its_keys
check "cmsutil signs, openssl verifies" signs_cms
check "cmsutil decrypts what openssl encrypted" decrypts_cms
check "certutil deletes a key" deletes_a_key
done_testing
