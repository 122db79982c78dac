#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Python with PyKCS11.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
$python -c 'import PyKCS11' 2>/dev/null || skip_all "package missing: python3-pykcs11"
require openssl openssl
client_token

case_of() { client $python "$tests/clients/pykcs11_client.py" "$module" "$label" pin "$1"; }

signs() {
	case_of sign
	openssl pkey -pubin -inform DER -in rsa.der -out rsa.pem
	openssl dgst -sha256 -verify rsa.pem -signature text.sig text
}

check "RSA and EC pairs are made and found" case_of keys
check "an RSA signature verifies with openssl" signs
check "a session's AES key encrypts and decrypts, CBC and GCM" case_of secret
check "a destroyed key is refused with the standard's code" case_of errors
check "objects are destroyed" case_of destroy
done_testing
