#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# private_copy: two independent instances of one library, so that two SoftHSM2 stores are two members.
. "$(dirname "$0")/../lib.sh"
token softhsm a LABEL=a
token softhsm b LABEL=b
cd "$work" || bail_out "no $work"

both_work() {
	conf a=a b=b,private_copy
	driver steps count 2 sign a sign b stop x start x sign b sign a
}

both_may_be_copies() {
	conf a=a,private_copy b=b,private_copy
	driver steps count 2 sign a sign b
}

# Objects made through one virtual token are in its own store and nowhere else.
keys_stay_apart() {
	conf a=a b=b,private_copy
	tool11() { client pkcs11-tool --module "$module" --login --pin 1234 "$@"; }
	tool11 --token-label a --keypairgen --key-type rsa:2048 --label only-in-a --id 0a
	tool11 --token-label b --keypairgen --key-type rsa:2048 --label only-in-b --id 0b
	for store in a b; do
		env "$(fact $store variables)" pkcs11-tool --module "$(fact $store library)" \
			--token-label $store --login --pin 1234 --list-objects >"objects.$store"
		cat "objects.$store"
		grep -q "only-in-$store" "objects.$store"
	done
	not grep only-in-b objects.a
	not grep only-in-a objects.b
}

# Without it the second store cannot be there, and hsmux says so instead of showing the first one twice.
without_it_one_is_absent() {
	conf a=a b=b
	HSMUX_LOG=warn logs 'member b.*no such token' driver steps count 1 sign a misses b
}

leaves_no_copy_behind() {
	conf a=a b=b,private_copy
	driver steps sign a sign b
	same "$(find "$work" /tmp -maxdepth 2 -name '*softhsm2*.so*' -newer hsmux.conf 2>/dev/null | wc -l)" 0
}

one_login_each() {
	conf a=a b=b,private_copy
	driver steps hold a hold b stop x start x hold b held b hold a held a
}

check "two stores are two tokens" both_work
check "both may be copies" both_may_be_copies
check "keys stay in their own store" keys_stay_apart
check "each has a login of its own" one_login_each
check "without private_copy the second is absent and the log says so" without_it_one_is_absent
check "no copy is left behind" leaves_no_copy_behind
done_testing
