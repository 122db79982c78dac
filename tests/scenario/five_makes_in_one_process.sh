#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Five makes of token behind one module in one process: every one is a slot, signs, and is checked outside.
. "$(dirname "$0")/../lib.sh"
makes=
for make in softhsm nss opencryptoki tpm2 p11kit; do
	if try_token $make $make; then
		makes="$makes $make=$make"
	else
		skip "$make is one of the tokens" "$why"
	fi
done
# shellcheck disable=SC2086 # words
conf $makes
number=$(echo "$makes" | wc -w)
case $makes in *opencryptoki*) inside=$(fact opencryptoki enter) ;; esac
cd "$work" || bail_out "no $work"

shows_every_token() {
	listed >slots
	cat slots
	same "$(grep -c '^Slot ' slots)" "$number"
	for make in $makes; do
		grep "token label *: ${make%%=*}\$" slots
	done
	same "$(grep -c 'token manufacturer *: hsmux' slots)" "$number"
}

in_the_order_of_the_file() {
	listed >slots
	# shellcheck disable=SC2086
	same "$(sed -n 's/.*token label *: //p' slots | tr '\n' ' ')" \
		"$(for make in $makes; do printf '%s ' "${make%%=*}"; done)"
}

python_signs_on_each() {
	# shellcheck disable=SC2086,SC2046
	client /usr/bin/python3 "$tests/scenario/sign_on_each.py" "$module" \
		$(for make in $makes; do echo "${make%%=*}"; done)
	for make in $makes; do
		openssl pkey -pubin -inform DER -in "${make%%=*}.der" -out key.pem
		openssl dgst -sha1 -verify key.pem -signature "${make%%=*}.sig" "${make%%=*}.text"
	done
}

driver_signs_on_each() {
	# shellcheck disable=SC2046
	driver steps count "$number" $(for make in $makes; do echo "sign ${make%%=*}"; done) \
		stop x start x $(for make in $makes; do echo "sign ${make%%=*}"; done)
}

status_reaches_each() {
	tool status >status
	cat status
	for make in $makes; do
		grep "${make%%=*}" status
	done
	tool status --json | /usr/bin/python3 -m json.tool >status.json
}

check "pkcs11-tool shows $number slots with their labels" shows_every_token
check "they stand in the order of the file" in_the_order_of_the_file
check "one application signs on each, also after starting anew" driver_signs_on_each
if /usr/bin/python3 -c 'import PyKCS11' 2>/dev/null; then
	check "one Python program signs on each; openssl verifies" python_signs_on_each
else
	skip "one Python program signs on each; openssl verifies" "package missing: python3-pykcs11"
fi
check "hsmux status reaches each" status_reaches_each
done_testing
