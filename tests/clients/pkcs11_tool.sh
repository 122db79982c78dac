#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# OpenSC's pkcs11-tool: its own test programs, and everyday use. Every signature and ciphertext is
# checked with plain openssl.
. "$(dirname "$0")/lib.sh"
require pkcs11-tool opensc
require openssl openssl
client_token

tool() { client pkcs11-tool --module "$module" --token-label "$label" "$@"; }
user() { tool --login --pin "$pin" "$@"; }

lists_the_token() {
	client pkcs11-tool --module "$module" --list-slots >slots
	cat slots
	grep -q "token label *: $label" slots
	tool --list-mechanisms | grep -q RSA-PKCS
}

makes_keys() {
	user --keypairgen --key-type rsa:2048 --id 01 --label rsa
	user --keypairgen --key-type EC:prime256v1 --id 02 --label ec
	user --keygen --key-type AES:32 --id 03 --label aes --sensitive
	user --list-objects >objects
	cat objects
	same "$(grep -c 'Private Key Object' objects)" 2
	same "$(grep -c 'Public Key Object' objects)" 2
	same "$(grep -c 'Secret Key Object' objects)" 1
}

rsa_signature_verifies() {
	public_key 01 rsa.pem
	user --sign --mechanism SHA256-RSA-PKCS --id 01 --input-file text --output-file rsa.sig
	openssl dgst -sha256 -verify rsa.pem -signature rsa.sig text
}

pss_signature_verifies() {
	openssl dgst -sha256 -binary -out text.sha256 text
	user --sign --mechanism RSA-PKCS-PSS --hash-algorithm SHA256 --mgf MGF1-SHA256 --salt-len 32 \
		--id 01 --input-file text.sha256 --output-file pss.sig
	openssl pkeyutl -verify -pubin -inkey rsa.pem -in text.sha256 -sigfile pss.sig \
		-pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32 -pkeyopt digest:sha256
}

long_input_is_signed_in_parts() {
	head -c 300000 /dev/urandom >long
	user --sign --mechanism SHA512-RSA-PKCS --id 01 --input-file long --output-file long.sig
	openssl dgst -sha512 -verify rsa.pem -signature long.sig long
}

ecdsa_signature_verifies() {
	public_key 02 ec.pem
	openssl dgst -sha256 -binary -out text.sha256 text
	user --sign --mechanism ECDSA --signature-format openssl --id 02 \
		--input-file text.sha256 --output-file ec.sig
	openssl dgst -sha256 -verify ec.pem -signature ec.sig text
}

rsa_decrypts_what_openssl_encrypted() {
	openssl pkeyutl -encrypt -pubin -inkey rsa.pem -in text -out rsa.enc
	user --decrypt --mechanism RSA-PKCS --id 01 --input-file rsa.enc --output-file rsa.dec
	cmp text rsa.dec
	openssl pkeyutl -encrypt -pubin -inkey rsa.pem -pkeyopt rsa_padding_mode:oaep -in text -out oaep.enc
	user --decrypt --mechanism RSA-PKCS-OAEP --hash-algorithm SHA-1 --mgf MGF1-SHA1 --id 01 \
		--input-file oaep.enc --output-file oaep.dec
	cmp text oaep.dec
}

aes_encrypts_and_decrypts() {
	iv=000102030405060708090a0b0c0d0e0f
	user --encrypt --mechanism AES-CBC-PAD --iv $iv --id 03 --input-file text --output-file aes.enc
	user --decrypt --mechanism AES-CBC-PAD --iv $iv --id 03 --input-file aes.enc --output-file aes.dec
	cmp text aes.dec
	not cmp -s text aes.enc
}

imported_aes_key_agrees_with_openssl() {
	iv=000102030405060708090a0b0c0d0e0f
	key=$(openssl rand -hex 32)
	printf %s "$key" | python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' >key.bin
	user --write-object key.bin --type secrkey --key-type AES:32 --id 04 --label given
	user --encrypt --mechanism AES-CBC-PAD --iv $iv --id 04 --input-file text --output-file given.enc
	openssl enc -d -aes-256-cbc -K "$key" -iv $iv -in given.enc -out given.dec
	cmp text given.dec
}

digests_equal_openssl() {
	tool --hash --mechanism SHA256 --input-file long --output-file long.sha256
	openssl dgst -sha256 -binary -out long.expected long
	cmp long.sha256 long.expected
}

certificate_and_data_are_stored() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=stored -outform DER \
		-out cert.der 2>/dev/null
	user --write-object cert.der --type cert --id 05 --label stored
	tool --read-object --type cert --id 05 --output-file cert.back
	cmp cert.der cert.back
	user --write-object text --type data --label note --application-label test
	user --read-object --type data --label note --output-file text.back
	cmp text text.back
}

objects_are_deleted() {
	user --delete-object --type cert --id 05
	user --delete-object --type secrkey --id 03
	user --list-objects >objects
	not grep -q 'label: *stored' objects
	not grep -q 'label: *aes$' objects
}

wrong_pin_is_refused() {
	not tool --login --pin 9999 --list-objects >refused 2>&1
	grep -q CKR_PIN_INCORRECT refused
}

pin_can_be_changed() {
	user --change-pin --new-pin 5678
	not user --list-objects
	tool --login --pin 5678 --list-objects
	tool --login --pin 5678 --change-pin --new-pin "$pin"
}

# SoftHSM2 has OAEP with SHA-1 only, which ends the tool's test there; what counts is that it ends the
# same way. The order in which SoftHSM2 finds keys is not stable, so there is one key.
own_test_says_what_it_says_directly() {
	user --delete-object --type privkey --id 02
	user --delete-object --type pubkey --id 02
	user --test --allow-sw >through 2>&1 || true
	cat through
	grep -q 'all 4 signature functions seem to work' through
	(
		for setting in $(fact token variables); do
			export "${setting?}"
		done
		pkcs11-tool --module "$(fact token library)" --token-label "$label" --login --pin "$pin" \
			--test --allow-sw >directly 2>&1 || true
	)
	diff directly through
}

# Threads that initialise and look around at once, as does the tool itself. "IN" alone ends with the
# answer of C_Initialize, which is CKR_OK in one of the two threads only. The tool waits half a minute when
# it ends before its threads.
own_thread_test_passes() {
	client pkcs11-tool --module "$module" --test-threads IN --list-slots >threads 2>&1
	grep -E 'all threads have ended|ALREADY_INITIALIZED' threads
	client pkcs11-tool --module "$module" --use-locking --test-threads ILGISLT0 --test-threads ILGISLT0 \
		--test-threads ILGISLT0 --test-threads ILGISLT0 --list-slots >threads 2>&1
	cat threads
	grep 'all threads have ended with CKR_OK' threads
}

own_fork_test_passes() {
	user --test-fork >forked 2>&1
	cat forked
	not grep -q CKR_ forked
}

# OpenSC's tracer writes into the interface that it is given, as if it were its own.
works_behind_the_tracer() {
	spy=$(find /usr/lib -name pkcs11-spy.so | head -n 1)
	[ -n "$spy" ]
	PKCS11SPY=$module PKCS11SPY_OUTPUT=$work/trace client pkcs11-tool --module "$spy" --token-label "$label" \
		--login --pin "$pin" --sign --mechanism SHA256-RSA-PKCS --id 01 --input-file text --output-file spied.sig
	openssl dgst -sha256 -verify rsa.pem -signature spied.sig text
	grep -q C_SignInit trace
}

check "the token and its mechanisms are listed" lists_the_token
check "RSA, EC and AES keys are made and listed" makes_keys
check "an RSA PKCS#1 signature verifies with openssl" rsa_signature_verifies
check "an RSA-PSS signature verifies with openssl" pss_signature_verifies
check "a long input is signed in parts" long_input_is_signed_in_parts
check "an ECDSA signature verifies with openssl" ecdsa_signature_verifies
check "PKCS#1 and OAEP ciphertexts from openssl are decrypted" rsa_decrypts_what_openssl_encrypted
check "AES-CBC-PAD encrypts and decrypts" aes_encrypts_and_decrypts
check "an imported AES key computes what openssl computes" imported_aes_key_agrees_with_openssl
check "a digest equals openssl's" digests_equal_openssl
check "certificates and data objects are stored and read back" certificate_and_data_are_stored
check "objects are deleted" objects_are_deleted
check "a wrong PIN is refused as such" wrong_pin_is_refused
check "the PIN can be changed" pin_can_be_changed
check "it works behind pkcs11-spy" works_behind_the_tracer
check "pkcs11-tool --test says what it says on the token directly" own_test_says_what_it_says_directly
if [ -n "$direct" ]; then
	skip "pkcs11-tool --test-threads passes" "SoftHSM2 alone crashes in it"
	skip "pkcs11-tool --test-fork passes" "SoftHSM2 alone fails it"
else
	check "pkcs11-tool --test-threads passes" own_thread_test_passes
	check "pkcs11-tool --test-fork passes" own_fork_test_passes
fi
done_testing
