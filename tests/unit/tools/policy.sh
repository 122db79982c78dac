#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# policy.sh HSMUX SNAPSHOTS CONF: the policy commands, and the verdicts of the built-in policies as committed
# text. With SNAPSHOT_WRITE=1 in the environment the texts are written anew.
set -u
hsmux=$1
snapshots=$2
conf=$3
work=$(mktemp -d "${TMPDIR:-/tmp}/hsmux-p.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
umask 077
failed=0

fail() {
	echo "FAIL: $*"
	failed=1
}

# expect CODE PATTERN ARGUMENTS...: exit code, and a line of the output, stdout and stderr
expect() {
	code=$1 pattern=$2
	shift 2
	"$hsmux" policy "$@" >out 2>&1
	got=$?
	[ "$got" = "$code" ] || fail "policy $*: exit $got, expected $code: $(head -n 3 out)"
	[ -z "$pattern" ] || grep -q -e "$pattern" out || fail "policy $*: no line with \"$pattern\": $(head -n 5 out)"
}

json() { /usr/bin/python3 -c "import json, sys; j = json.load(open('out')); sys.exit(0 if ($1) else 1)" || fail "json: $1: $(head -c 300 out)"; }

# On one day, so that no row of a profile comes into force by itself.
for policy in baseline strict fips cnsa2 code-signing-ca; do
	"$hsmux" policy show --table --as-of 2026-12-01 $policy >table || fail "show --table $policy"
	if [ -n "${SNAPSHOT_WRITE:-}" ]; then
		cp table "$snapshots/$policy.txt"
	elif ! diff -u "$snapshots/$policy.txt" table >difference; then
		fail "$policy decides otherwise than tests/snapshot/$policy.txt says: $(head -n 20 difference)"
	fi
	expect 0 "no errors" check $policy
	expect 0 "no errors" check "$conf/$policy.conf"
	expect 0 "" diff $policy "$conf/$policy.conf"
done

expect 0 '^baseline$' list
expect 0 policies list --json
json 'len(j["profiles"]) == 8 and "strict" in j["policies"]'
expect 0 'rule no-export' show fips
expect 0 name show fips --json
json 'j["profiles"] == ["fips"] and j["default"] == "allow" and len(j["rules"]) == 3'
expect 0 'not reviewed' show code-signing-ca

expect 1 'refused by profile "fips": SHA-1 in signatures' explain fips sign mech=CKM_SHA1_RSA_PKCS key=rsa:2048
expect 1 'CKR_MECHANISM_INVALID, and 0x4858' explain fips sign mech=CKM_SHA1_RSA_PKCS key=rsa:2048
expect 1 'allowed with mech=CKM_SHA256_RSA_PKCS' explain fips sign mech=CKM_SHA1_RSA_PKCS key=rsa:2048
expect 0 '^allowed' explain fips verify mech=CKM_SHA1_RSA_PKCS key=rsa:1024
expect 1 'allowed with key=rsa:2048' explain fips sign mech=CKM_SHA256_RSA_PKCS key=rsa:1024
expect 0 'deprecated' explain fips --as-of 2023-06-01 encrypt mech=CKM_DES3_CBC key=des3
expect 1 'triple DES' explain fips --as-of 2024-06-01 encrypt mech=CKM_DES3_CBC key=des3
expect 1 'hash functions' explain fips sign mech=CKM_RSA_PKCS_PSS key=rsa:2048 hash=SHA-256 mgf=SHA-1
expect 1 'iterations' explain fips generate mech=CKM_PKCS5_PBKD2 key=secret:256 CKA_SENSITIVE=true iterations=999
expect 1 'allowed with CKA_SENSITIVE=true' explain fips generate mech=CKM_AES_KEY_GEN key=aes:256
expect 1 'H:wrap-decrypt' explain baseline generate mech=CKM_AES_KEY_GEN key=aes:256 CKA_WRAP=true CKA_DECRYPT=true
expect 1 'P-256' explain code-signing-ca sign mech=CKM_ECDSA_SHA256 key=ec:P-256
expect 0 '^allowed' explain code-signing-ca sign mech=CKM_ECDSA_SHA384 key=ec:P-384
expect 1 '"code":"CKR_CURVE_NOT_SUPPORTED"' explain --json fips generate mech=CKM_EC_KEY_PAIR_GEN key=ec:secp256k1
json 'j["layer"] == "profile" and not j["allowed"] and len(j["steps"]) > 5'
expect 2 'did you mean "sign"' explain fips sing
expect 2 'did you mean "CKM_RSA_PKCS"' explain fips sign mech=CKM_RSA_PKSC
expect 2 'is not a curve: did you mean "P-256"' explain fips sign key=ec:P-265
expect 2 'is no part of a question: did you mean "label="' explain fips sign lable=x
expect 1 'there is no built-in policy "fisp": did you mean "fips"' explain fisp sign

expect 1 '^CKM_SHA1_RSA_PKCS sign: - ' diff baseline fips
expect 0 '' diff fips fips
[ ! -s out ] || fail "diff of one policy with itself says: $(head -n 3 out)"
expect 1 mechanism diff --json baseline fips
json 'any(d["mechanism"] == "CKM_DES3_KEY_GEN" and d["only_first"] for d in j) or len(j) > 100'

cat >mine.conf <<END
schema = 1; name = "mine"; serial = 1;
profiles = "fips"; default = "deny";
rules = (
  { id = "sign"; effect = "allow"; what = "sign"; who = { user = "ca"; }; on = { label = "CA_*"; }; },
  { id = "night"; effect = "deny"; what = "sign"; when = { from = "20:00"; to = "06:00"; }; }
);
END
cat >tests.conf <<END
tests = (
  { name = "the CA signs"; what = "sign"; mech = "CKM_SHA256_RSA_PKCS"; key = "rsa:3072"; label = "CA_1";
    user = "ca"; as_of = "2026-12-01T12:00:00Z"; expect = "allow"; },
  { name = "others do not"; what = "sign"; mech = "CKM_SHA256_RSA_PKCS"; key = "rsa:3072"; label = "CA_1";
    user = "web"; as_of = "2026-12-01T12:00:00Z"; expect = "deny"; rule = "default"; },
  { name = "not at night"; what = "sign"; mech = "CKM_SHA256_RSA_PKCS"; key = "rsa:3072"; label = "CA_1";
    user = "ca"; as_of = "2026-12-01T23:00:00Z"; expect = "deny"; rule = "night";
    code = "CKR_KEY_FUNCTION_NOT_PERMITTED"; }
);
END
expect 0 '^3 as expected, 0 not$' test mine.conf tests.conf
expect 0 passed test --json mine.conf tests.conf
json 'j["passed"] == 3 and j["failed"] == 0'
sed -i 's/rule = "night"/rule = "sign"/' tests.conf
expect 1 '^tests.conf:6: not at night: expected rule sign, is night$' test mine.conf tests.conf
sed -i 's/what = "sign"/what = "sing"/' tests.conf
expect 1 'did you mean "sign"' test mine.conf tests.conf
echo 'tests = ( );' >tests.conf
expect 1 '^0 as expected' test mine.conf tests.conf
expect 1 'no-such.conf: cannot be opened' test mine.conf ./no-such.conf
sed -i 's/effect = "allow"/effect = "alow"/' mine.conf
expect 1 'mine.conf:4: rule "sign": effect "alow" is not known: expected "allow", "deny"' check mine.conf
chmod 666 mine.conf
expect 1 'others can write it' check mine.conf
exit $failed
