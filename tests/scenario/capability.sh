#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# mode = "capability": each member offers what it can, and a request goes to the one that has mechanism and
# key.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b

# Halves of the set: RSA and the certificate on the first, the others on the second.
for name in ec aes mac; do
	by_hand a destroy $name || bail_out "the keys cannot be divided"
done
by_hand b destroy rsa || bail_out "the keys cannot be divided"

both_used() {
	app start 1234 op all found x load 3,4 true
	[ "$(counted a C_SignFinal ok)" -gt 0 ]
	[ "$(counted b C_EncryptFinal ok)" -gt 0 ]
	same "$(counted a C_EncryptFinal)" 0
}

# Keys of the other member are out of reach while that one is gone, ours are not.
one_gone() {
	app start 1234 op all plan "$work/b/plan=state gone CKR_DEVICE_REMOVED" \
		op sign-rsa op sign-rsa-parts op verify-rsa fails sign-ec=any fails encrypt-cbc=any \
		plan "$work/b/plan=" again sign-ec op all found x
}

# Not long: a key that is nowhere else is waited for until the budget is spent.
GLOBAL=$impatiently virtual capability a b
check "each key is used where it is" both_used
check "one member is gone: the other's keys still work" one_gone
done_testing
