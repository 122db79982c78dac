#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What an application is told when a new key cannot be everywhere where it has to be: an error; the log says which
# member, why, and what would help; and no member has anything of it.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
require pkcs11-tool opensc
token fault a LABEL=a
token fault b LABEL=b
. "$tests/scenario/kek_lib.sh"
# Who is back is asked again at once.
GLOBAL="health = { open_ms = 10; open_max_ms = 20; }; retry = { budget_ms = 300; attempts = 3; };"
TOKEN='replicate = "all";' virtual failover a b

app() { client pkcs11-tool --module "$module" --token-label virtual --login --pin 1234 "$@"; }
aes() { app --keygen --key-type AES:32 --label "$1" --sensitive; }
ec() { app --keypairgen --key-type EC:prime256v1 --label "$1"; }

# nothing_of LABEL: on any member, under this name or under that of something unfinished
nothing_of() {
	for member in a b; do
		by_itself "$member" --list-objects >objects || return 1
		! grep -E "'?($1|hsmux-pending)" objects || return 1
	done
}

# refused LABEL WORDS COMMAND...: with an error, and a line in the log that has the words; nothing is left
refused() {
	label=$1 words=$2
	shift 2
	if "$@" >answer 2>&1; then
		echo "it was made"
		return 1
	fi
	grep -E "hsmux: error: .*$words" answer || { cat answer; return 1; }
	nothing_of "$label"
}

# full MEMBER...: these have no room any more
full() {
	for member; do
		plan "$member" 'C_GenerateKey from 1 CKR_DEVICE_MEMORY' 'C_GenerateKeyPair from 1 CKR_DEVICE_MEMORY' \
			'C_UnwrapKey from 1 CKR_DEVICE_MEMORY' 'C_CreateObject from 1 CKR_DEVICE_MEMORY'
	done
}

roomy() {
	plan a
	plan b
}

# full_copy MAKER, full_all MAKER
full_copy() {
	full b
	result=0
	refused full 'member b.*CKR_DEVICE_MEMORY' "$1" full || result=$?
	roomy
	return $result
}

full_all() {
	full a b
	not "$1" full >answer 2>&1
	roomy
	grep CKR_DEVICE_MEMORY answer && nothing_of full
}

is_away() {
	plan b 'state gone CKR_DEVICE_REMOVED'
	result=0
	refused away 'missing: b' aes away || result=$?
	roomy
	return $result
}

# Somebody else is writing, and is killed: who waits for that goes on.
is_not_locked_out() {
	journal=$(find "$work/state" -name '*.journal')
	/usr/bin/python3 -c '
import fcntl, sys
with open(sys.argv[1], "r+b") as f:
    fcntl.lockf(f, fcntl.LOCK_EX)
    print("locked", flush=True)
    sys.stdin.read()' "$journal" <hold >locked &
	holder=$!
	exec 9>hold
	while [ ! -s locked ]; do kill -0 $holder || return 1; done
	aes waits >answer 2>&1 &
	waiting=$!
	# In /proc/locks a lock that is waited for is not seen: the writer polls. It has the journal open when it does.
	until [ "$(find /proc/[0-9]*/fd -lname "$journal" 2>/dev/null | wc -l)" -ge 2 ]; do
		kill -0 $waiting || { cat answer; return 1; }
	done
	kill -0 $waiting
	kill -KILL $holder
	exec 9>&-
	wait $waiting || { cat answer; return 1; }
}

works_again() {
	aes "$1" && ec "$1"
	for member in a b; do
		by_itself "$member" --list-objects >objects
		same "$(grep -c "label: *$1\$" objects)" 3
	done
}

check "without a KEK a pair is refused, and the command that makes one is named" refused early 'hsmux kek install' ec early
with_so install >output 2>&1 || bail_out "no KEK: $(cat output)"
check "with one it is made" works_again first
check "a member that has no room for the copy is named" full_copy aes
check "for a pair, too" full_copy ec
check "where none has room, that is the answer" full_all aes
check "for a pair, too" full_all ec
check "a member that is away, and has to have it, is named" is_away
mkfifo hold
check "a writer that is killed keeps nobody out" is_not_locked_out
check "then all is as before" works_again again
done_testing
