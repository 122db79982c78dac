#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# OpenSSH: ssh-keygen reads the public keys, signs through ssh-agent, which keeps the module loaded and
# one session open for its whole life.
. "$(dirname "$0")/lib.sh"
require pkcs11-tool opensc
require ssh-keygen openssh-client
require ssh-agent openssh-client
client_token

# The agent starts ssh-pkcs11-helper, which loads the module; both get what the client gets.
start_agent() {
	client ssh-agent -P '/*' >agent
	# shellcheck source=/dev/null
	. ./agent >/dev/null
	tokens_agent=$SSH_AGENT_PID
}
stop_agent() {
	[ -z "${tokens_agent:-}" ] || kill "$tokens_agent"
	clean_up
}

cat >askpass <<EOF
#!/bin/sh
cat "$work/pin"
EOF
chmod 700 askpass
export SSH_ASKPASS="$work/askpass" SSH_ASKPASS_REQUIRE=force DISPLAY=none

lists_public_keys() {
	make_key rsa:2048 01 rsa
	make_key EC:prime256v1 02 ec
	client ssh-keygen -D "$module" >keys
	cat keys
	grep -q '^ssh-rsa ' keys
	grep -q '^ecdsa-sha2-nistp256 ' keys
}

public_keys_are_the_tokens() {
	public_key 01 rsa.pem
	grep '^ssh-rsa' keys >rsa.pub
	ssh-keygen -e -m PKCS8 -f rsa.pub >rsa.ssh.pem
	same "$(openssl pkey -pubin -in rsa.ssh.pem -outform DER | openssl sha256)" \
		"$(openssl pkey -pubin -in rsa.pem -outform DER | openssl sha256)"
}

agent_takes_the_token() {
	client ssh-add -s "$module"
	ssh-add -L >held
	cat held
	same "$(wc -l <held)" 2
}

agent_signs() { # TYPE
	grep "^$1 " keys >"$1.pub"
	rm -f text.sig
	ssh-keygen -Y sign -n test -f "$1.pub" text
	{ printf 'tester '; cat "$1.pub"; } >allowed
	ssh-keygen -Y verify -n test -f allowed -I tester -s text.sig <text
}

agent_signs_a_certificate() {
	ssh-keygen -q -t ed25519 -N '' -f user
	ssh-keygen -U -s ssh-rsa.pub -I someone -n someone user.pub
	ssh-keygen -L -f user-cert.pub | grep -q 'Signing CA: RSA'
}

agent_signs_from_several_programs() {
	for turn in 1 2 3 4 5 6 7 8; do
		cp text "text.$turn"
		ssh-keygen -Y sign -n test -f ssh-rsa.pub "text.$turn" &
	done
	wait
	{ printf 'tester '; cat ssh-rsa.pub; } >allowed
	for turn in 1 2 3 4 5 6 7 8; do
		ssh-keygen -Y verify -n test -f allowed -I tester -s "text.$turn.sig" <"text.$turn"
	done
}

agent_lets_go() {
	ssh-add -e "$module"
	not ssh-add -L
	client ssh-add -s "$module"
	same "$(ssh-add -L | wc -l)" 2
}

check "ssh-keygen -D lists the token's keys" lists_public_keys
check "they are the keys of the token" public_keys_are_the_tokens
[ -z "$preload" ] || {
	skip "ssh-agent" "it is setgid, which drops a preloaded sanitizer"
	done_testing
}
start_agent
trap stop_agent EXIT
check "ssh-add -s gives the token to ssh-agent" agent_takes_the_token
check "the agent signs with the RSA key" agent_signs ssh-rsa
check "the agent signs with the EC key" agent_signs ecdsa-sha2-nistp256
check "the agent signs an SSH certificate" agent_signs_a_certificate
check "the agent signs for eight programs at once" agent_signs_from_several_programs
check "the agent lets the token go and takes it again" agent_lets_go
done_testing
