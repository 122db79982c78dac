#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Clients that run while a member of their token is lost: openssl signs a text of which the rest comes
# after the loss, a TLS server goes on answering. Both members are SoftHSM2 stores with the same keys; a
# store is lost by moving it away.
. "$(dirname "$0")/lib.sh"
require pkcs11-tool opensc
require_engine
[ -z "$direct" ] || skip_all "a token's own library has no members"
token softhsm a LABEL=a PIN="$pin"
token softhsm b LABEL=b PIN="$pin"
cd "$work" || bail_out "no $work"

key() { echo "pkcs11:token=$label;object=$1;type=private;pin-value=$pin"; }
trap end_with_server EXIT

engine_config

# import MEMBER LABEL ID: the private key and its public one, by the token's own library
import() {
	for type in privkey pubkey; do
		env "$(fact "$1" variables)" pkcs11-tool --module "$(fact "$1" library)" --token-label "$1" --login \
			--pin "$pin" --write-object "$2.$type" --type $type --id "$3" --label "$2" --usage-sign
	done
}

makes_keys() {
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
	for name in rsa ec; do
		openssl pkey -in $name.pem -outform DER -out $name.privkey
		openssl pkey -in $name.pem -pubout -outform DER -out $name.pubkey
		openssl pkey -in $name.pem -pubout -out $name.pub
	done
	openssl req -new -x509 -key rsa.pem -subj /CN=localhost -days 2 -out server.pem
	for member in a b; do
		import $member rsa 01
		import $member ec 02
	done
}

# lose MEMBER, restore MEMBER
lose() { mv "$work/$1/tokens" "$work/$1/away"; }
restore() { [ ! -d "$work/$1/away" ] || mv "$work/$1/away" "$work/$1/tokens"; }

# Whether the program has read what was written so far: then it waits for more.
is_read() {
	unread=$(/usr/bin/python3 -c 'import array, fcntl, termios
size = array.array("i", [0])
fcntl.ioctl(3, termios.FIONREAD, size)
print(size[0])')
	[ "$unread" -eq 0 ]
}

# signs KEY MEMBER: the member is lost between the two halves of the text. What the application before has
# told about members is forgotten: both serve at the start.
signs() {
	rm -rf state fifo text.sig
	mkfifo fifo
	printf 'the first half, ' >text
	ssl dgst -engine pkcs11 -keyform engine -sha256 -sign "$(key "$1")" -out text.sig fifo &
	signer=$!
	exec 3<>fifo
	cat text >&3
	eventually is_read
	lose "$2"
	printf 'and the second' | tee -a text >&3
	exec 3>&-
	wait $signer
	restore "$2"
	openssl dgst -sha256 -verify "$1.pub" -signature text.sig text
}

# The name of the socket is relative: s_server prints it through a buffer that a long one does not fit.
start_server() {
	OPENSSL_CONF="$work/engine.cnf" client openssl s_server -engine pkcs11 -keyform engine -key "$(key rsa)" \
		-cert server.pem -unix server -www >server.log 2>&1 </dev/null &
	server=$!
}

handshake() {
	openssl s_client -unix server -CAfile server.pem -verify_return_error -brief </dev/null >client 2>&1 || {
		cat client server.log
		return 1
	}
	grep -q 'Verification: OK' client
}

# serves: ten handshakes, none of which fails
serves() {
	for turn in 1 2 3 4 5 6 7 8 9 10; do
		handshake
	done
}

serves_throughout() {
	eventually handshake
	serves
	lose a
	serves
	restore a
	serves
	lose b
	serves
	restore b
}

check "two stores get the same keys" makes_keys
conf work=a+b,priority.a=1,priority.b=2
for name in rsa ec; do
	check "a signature that was begun before member a was lost ($name)" signs $name a
	restore a
	check "the same while member b is lost ($name)" signs $name b
	restore b
done
start_server
check "openssl s_server answers every client while a member is lost and returns" serves_throughout
stop_server
done_testing
