#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A token whose far side dies fails without taking the process or the others down, and works again in the
# same process, without C_Finalize, once the far side is back.
. "$(dirname "$0")/../lib.sh"
token softhsm steady
cd "$work" || bail_out "no $work"
fixture=$tests/fixture

# dies_and_returns KIND: while the application has sessions on it
dies_and_returns() {
	conf steady=steady token=token
	driver steps count 2 sign steady hold token held token \
		run "'$fixture/$1.sh' kill '$work/token'" \
		fails token sign steady \
		run "'$fixture/$1.sh' start '$work/token'" \
		signs-again token sign steady sign token
}

# starts_late KIND: the far side is down when the application starts
starts_late() {
	"$fixture/$1.sh" kill "$work/token"
	conf steady=steady token=token
	driver steps sign steady fails token \
		run "'$fixture/$1.sh' start '$work/token'" \
		returns token signs-again token sign token
}

# Three times over: what is rebuilt has to be whole.
dies_often() {
	conf token=token
	die="'$fixture/$1.sh' kill '$work/token'"
	rise="'$fixture/$1.sh' start '$work/token'"
	driver steps sign token \
		run "$die" fails token run "$rise" signs-again token \
		run "$die" fails token run "$rise" signs-again token \
		run "$die" fails token run "$rise" signs-again token
}

store_moves_away() {
	conf steady=steady token=token,private_copy
	driver steps count 2 sign steady sign token hold token \
		run "mv '$work/token/tokens' '$work/token/away'" \
		fails token sign steady \
		run "mv '$work/token/away' '$work/token/tokens'" \
		signs-again token sign steady
}

store_appears_late() {
	mv "$work/token/tokens" "$work/token/away"
	conf steady=steady token=token,private_copy
	driver steps count 1 sign steady misses token \
		run "mv '$work/token/away' '$work/token/tokens'" \
		returns token signs-again token
}

library_appears_late() {
	library=$(fact token library)
	conf steady=steady "token=token,library=$work/late.so"
	driver steps count 1 sign steady misses token \
		run "cp '$library' '$work/late.new' && mv '$work/late.new' '$work/late.so'" \
		returns token sign token
}

# A slot daemon that dies does not disturb running clients of openCryptoki, and must not be made to by us.
daemon_dies() {
	conf steady=steady token=token
	driver steps sign steady sign token hold token \
		run "'$fixture/opencryptoki.sh' kill '$work/token'" \
		held token sign steady \
		run "'$fixture/opencryptoki.sh' start '$work/token'" \
		held token signs-again token
}

drop() {
	"$fixture/$1.sh" down "$work/token"
}

if try_token p11kit token; then
	check "p11-kit server is killed and restarted" dies_and_returns p11kit
	check "p11-kit server is down at first" starts_late p11kit
	check "p11-kit server is killed three times" dies_often p11kit
	drop p11kit
else
	skip "p11-kit server is killed and restarted" "$why"
fi
if try_token tpm2 token; then
	check "the TPM is killed and restarted" dies_and_returns tpm2
	check "the TPM is down at first" starts_late tpm2
	drop tpm2
else
	skip "the TPM is killed and restarted" "$why"
fi
if try_token softhsm token LABEL=token; then
	check "SoftHSM2's store moves away and back" store_moves_away
	check "SoftHSM2's store appears late" store_appears_late
	check "a library appears late" library_appears_late
	drop softhsm
fi
if try_token opencryptoki token; then
	inside=$(fact token enter)
	check "openCryptoki's daemon dies and its clients do not notice" daemon_dies
	check "openCryptoki's daemon is down at first" starts_late opencryptoki
else
	skip "openCryptoki's daemon dies and its clients do not notice" "$why"
fi
done_testing
