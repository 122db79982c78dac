#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A library that is missing, is no library, has no Cryptoki in it or cannot start leaves the other tokens
# working, and one line of the log says which and why.
. "$(dirname "$0")/../lib.sh"
token softhsm good
token softhsm bad LABEL=bad
cd "$work" || bail_out "no $work"
echo 'this is no library' >text.so
export HSMUX_LOG=info

others_work() { # PATTERN CONF-OPTIONS
	conf good=good "bad=bad,$2"
	logs "$1" driver steps count 1 sees good misses bad sign good fails bad slots 2
}

status_tells() {
	conf good=good bad=bad,library=/nowhere/libvendor.so
	not tool status >status 2>&1
	cat status
	grep good status
	grep bad status
	grep -E '/nowhere/libvendor.so|No such file|not found|cannot open' status
}

member_token_is_missing() {
	conf good=good bad=bad
	sed -i 's/token = "bad"/token = "nobody"/' hsmux.conf
	logs '(bad|nobody)' driver steps count 1 sign good misses bad
}

all_broken_is_no_error() {
	conf one=good,library=/nowhere/libone.so two=bad,library=/nowhere/libtwo.so
	driver steps count 0 slots 2 misses one fails two
}

check "a library that is missing" others_work 'bad.*/nowhere/libvendor.so' library=/nowhere/libvendor.so
check "a file that is no library" others_work 'bad.*text.so' "library=$work/text.so"
libz=$(find /lib /usr/lib -name 'libz.so.1' 2>/dev/null | head -n 1)
if [ -n "$libz" ]; then
	check "a library without Cryptoki in it" others_work 'bad.*C_GetFunctionList' "library=$libz"
else
	skip "a library without Cryptoki in it" "libz.so.1 is not there"
fi
spy=$(find /usr/lib -name pkcs11-spy.so 2>/dev/null | head -n 1)
if [ -n "$spy" ]; then
	check "a library whose C_GetFunctionList fails" others_work 'bad.*(DEVICE_ERROR|C_GetFunctionList)' "library=$spy"
else
	skip "a library whose C_GetFunctionList fails" "package missing: opensc-pkcs11"
fi
rm -rf "$work/bad/tokens"
check "a library whose C_Initialize fails" others_work 'bad.*(CKR_GENERAL_ERROR|C_Initialize)' private_copy
token softhsm other LABEL=bad
rm -rf "$work/bad"
mv "$work/other" "$work/bad"
check "a token that its library does not have" member_token_is_missing
check "a module with all members broken still starts" all_broken_is_no_error
check "hsmux status names the broken one and why" status_tells
done_testing
