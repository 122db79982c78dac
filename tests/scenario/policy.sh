#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Policies refuse what they say, with the code that the standard has for it, over tokens of several makes;
# and what each refuses can be explained beforehand.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
token softhsm softhsm LABEL=softhsm
try_token nss nss LABEL=nss || no_nss=$why
try_token opencryptoki ock LABEL=ock && inside=$(fact ock enter) || no_ock=$why

# attempt CASE: an application tries
attempt() { driver policy "$1" virtual; }

# over MEMBER POLICY
over() {
	POLICY=$2
	virtual passthrough "$1"
}

# file TEXT...: a policy of our own
file() {
	printf 'schema = 1; name = "mine"; serial = 1;\n%s\n' "$*" >"$work/mine.conf"
	chmod 600 "$work/mine.conf"
}

# said PATTERN COMMAND...: it works, and says so on stderr
said() {
	pattern=$1
	shift
	"$@" 2>"$work/said" || {
		cat "$work/said"
		return 1
	}
	grep -e "$pattern" "$work/said" || {
		cat "$work/said"
		return 1
	}
}

# everywhere SENTENCE POLICY CASE MEMBER...
everywhere() {
	sentence=$1 policy=$2 case=$3
	shift 3
	for member; do
		eval "why=\${no_$member:-}"
		if [ -n "$why" ]; then
			skip "$policy: $sentence: $member" "$why"
			continue
		fi
		over "$member" "$policy"
		check "$policy: $sentence: $member" attempt "$case"
	done
}

everywhere "a key that wraps does not decrypt, now or later" baseline wrap-decrypt softhsm nss ock
everywhere "templates say one thing, and plainly" baseline templates softhsm nss ock
over softhsm baseline
check "baseline: sensitive keys leave no digests and no short keys" attempt leaks
# openCryptoki's soft token has no mechanism that hashes and signs.
everywhere "RSA keys are large enough, and sign with good hash functions" fips fips-rsa softhsm nss
over softhsm fips
check "fips: weak curves are known by name and by parameters" attempt fips-curves
check "fips: neither triple DES nor MD5 nor IVs of the caller" attempt fips-ciphers
check "fips: applications see what is left" attempt fips-list
over softhsm strict
check "strict: the security officer stays outside" attempt no-admin

file 'rules = (
  { id = "unseen"; effect = "deny"; what = "find"; on = { label = "hidden-*"; }; },
  { id = "unread"; effect = "deny"; what = "get-value"; on = { class = "secret"; }; },
  { id = "kept"; effect = "deny"; what = "destroy"; on = { label = "secret-*"; }; } );'
over softhsm "$work/mine.conf"
check "objects are hidden, values kept back, keys kept, by label and class" attempt rules
check "the log names the rule" said 'refused by rule "kept" of policy mine' attempt rules

file 'rules = ( { id = "name"; effect = "deny"; what = "sign"; on = { label = "denied-*"; }; } );'
over softhsm "$work/mine.conf"
check "a new label counts at once" attempt renamed

file 'profiles = "fips30";'
over softhsm "$work/mine.conf"
check "what is deprecated is allowed, and told" \
	said 'allowed, but deprecated by profile fips30: RSA keys' attempt fips-rsa

if [ -z "${no_nss:-}" ]; then
	over nss baseline
	check "keys that a derivation makes beside the first are looked at, too" attempt further
else
	skip "keys that a derivation makes beside the first are looked at, too" "$no_nss"
fi

file 'mode = "permissive"; profiles = "fips";'
over softhsm "$work/mine.conf"
check "permissive: nothing is refused" attempt permissive
check "permissive: what would be refused is told" \
	said 'would be refused by profile "fips" of policy mine' attempt permissive

file 'profiles = "fpis";'
refused() {
	sed "s|policy = \"[^\"]*\"|policy = \"$work/mine.conf\"|" "$work/hsmux.conf" >"$work/bad.conf"
	chmod 600 "$work/bad.conf"
	not "$hsmux" config check --conf "$work/bad.conf" 2>"$work/said"
	cat "$work/said"
	grep "mine.conf:2: profiles: \"fpis\" is not a profile: did you mean \"fips\"?" "$work/said"
}
check "a policy with a mistake is refused with its line" refused
done_testing
