#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# seeds.sh DIR calls|mech|conf|policy: a first corpus in DIR (made if missing).
# shellcheck disable=SC2059 # the octal escapes are made here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"

case $2 in
conf)
	cat >full <<-'END'
		version = 1;
		modules = ( { name = "a"; library = "/usr/lib/a.so"; vendor = "auto"; private_copy = true;
		  env = { NAME = "value"; }; init_args = "x"; sha256 = "00"; } );
		tokens = ( { label = "one"; slot = 7; mode = "passthrough"; relogin = true;
		  members = ( { name = "m"; module = "a"; token = "t"; serial = "1"; slot = 0; max_sessions = 3; } ); } );
		log = { level = "warn"; syslog = false; };
	END
	cat >several <<-'END'
		version = 1;
		modules = ( { name = "a"; library = "/a.so"; }, { name = "b"; library = "b.so"; isolation = "none"; } );
		tokens = (
		  { label = "f"; mode = "failover"; replicate = "none"; find = "first"; members = (
		      { name = "m"; module = "a"; slot = 1; priority = 1; weight = 1; role = "active"; pin = "same"; },
		      { name = "n"; module = "b"; slot = 1; role = "standby"; pin = "file:/pin"; },
		      { name = "o"; module = "b"; slot = 2; role = "fallback"; pin = "credential:pin"; } ); },
		  { label = "b"; mode = "balanced"; balance = "round-robin"; find = "union"; members = (
		      { module = "a"; slot = 2; pin = "env:PIN"; } ); },
		  { label = "c"; mode = "capability"; members = ( { module = "a"; slot = 3; } ); } );
		health = { interval_ms = 2000; failures = 3; open_ms = 500; open_max_ms = 30000; };
		retry = { budget_ms = 1000; attempts = 3; };
		state = { directory = "/run/hsmux"; };
	END
	printf 'version = 1;\nmodules = ();\ntokens = ();\n' >empty
	printf 'version = 2; nonsense = ( 1, "two", { three = 3L; } );\n' >wrong
	# shellcheck disable=SC2016 # hsmux expands them
	printf 'version = 1; modules = ( { name = "${HOME}"; library = "${NO_SUCH}"; } );\n' >variables
	;;
policy)
	for name in baseline strict fips cnsa2 code-signing-ca; do
		cp "$here/../../conf/policy/$name.conf" "$name"
	done
	cat >all <<-'END'
		schema = 1; name = "a"; serial = 2; issued = "2026-01-01"; not_after = "2027-01-01T00:00:00Z";
		on_expiry = "deny-all"; mode = "permissive"; default = "deny"; trust_min = "self"; cnsa1_grace = true;
		relax = "H:sticky"; sets = { s = [ "CKM_ECDSA" ]; };
		rules = ( { id = "r"; effect = "deny"; mode = "permissive"; what = "use"; not_what = "sign";
		    who = { not_uid = "0"; exe = "/usr/*"; role = "user"; trust = "process"; };
		    on = { label = "a*"; not_id = "00ff"; class = "private"; key = "RSA"; local = true; age_max = "90d"; };
		    with = { mech = "@s"; hash = "SHA-1"; mgf = "SHA-256"; kdf = "null"; curve = "P-256"; pset = "ML-DSA-44";
		      bits_min = 1; bits_max = 9; iv = "caller"; salt_max = 3; hss_levels = 1; template_has = "CKA_TOKEN=true"; };
		    when = { days = "Mon"; from = "01:00"; to = "02:00"; tz = "UTC"; not_before = "2026-01-01"; };
		    unless = { what = "wrap"; who = { user = "a"; }; }; } );
		ceiling = ( { key = "EC"; hash = "SHA-1"; curves = "P-256"; pset = "ML-KEM-512"; ops = "sign"; min_bits = 1; } );
	END
	;;
mech)
	for form in 0 10 20 30 40 50 60 70 80 90 100 110 120 130 140; do
		printf "\\001\\$(printf %o "$form")abcdefghijklmnopqrstuvwxyz0123456789" >"mech-$form"
		printf "\\002\\$(printf %o "$form")abcdefghijklmnopqrstuvwxyz0123456789" >"tmpl-$form"
	done
	;;
calls)
	# The first byte of each call is its number in the function list: SignInit 42, Sign 43, ...
	for call in $(seq 0 91); do
		byte="\\$(printf %o "$call")"
		printf "$byte\\000\\001\\002\\003\\004\\005\\006\\007$byte\\000\\052\\000\\001\\053\\000\\010abcdefgh\\377\\377\\377" \
			>"call-$call"
	done
	# A session copy of a token key: made, read, found, changed, used, destroyed.
	{
		printf '\025\000\000\360\062\030\000\006\003\003\144\004\144\001\144\032\000\360\033\000\062\012'
		printf '\062\034\000\031\000\006\001\003\144\030\000\006\002\003\144\002\144\032\000\001\003\144'
		printf '\033\000\062\012\062\034\000\052\000\001\006\053\000\010\141\141\141\141\141\141\141\141'
		printf '\144\144\144\026\000\006'
	} >copy
	;;
*)
	echo "usage: seeds.sh DIR calls|mech|conf" >&2
	exit 2
	;;
esac
