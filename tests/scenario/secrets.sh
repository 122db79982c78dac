#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# PINs and key values are where they have to be, in locked memory, and nowhere else: not in other memory, in a
# child, in logs, in messages (secrets.c).
. "$(dirname "$0")/../lib.sh"
hostile=${HSMUX_TEST_HOSTILE:?the hostile token}
pin=pIn0q9KdwU2xpIn1Zr5beT8hpIn2jL4vCm7spIn3Fy6noX3g
needles='pIn0|pIn1|pIn2|pIn3|nEw0|nEw1|nEw2|nEw3|vAl0|vAl1|vAl2|vAl3|tOpSecret'
[ -z "$preload" ] || skip_all "the address sanitizer keeps what is freed"
[ -z "$wrap" ] || skip_all "valgrind keeps what is freed"
token softhsm soft LABEL=soft PIN="$pin"
cd "$work" || bail_out "no $work"
# A token that keeps nothing: every answer is good, nothing is stored.
export HOSTILE_LABEL=quiet HOSTILE_BAD=0 HOSTILE_SEED=1

write_conf() { # RELOGIN SYSLOG
	{
		echo 'version = 1;'
		echo "modules = ( { name = \"quiet\"; library = \"$hostile\"; env = { QUIET_PIN = \"tOpSecret0123456789\"; }; },"
		echo "  { name = \"soft\"; library = \"$(fact soft library)\"; } );"
		echo "tokens = ( { label = \"quiet\"; relogin = $1; members = ( { module = \"quiet\"; token = \"quiet\"; } ); },"
		echo "  { label = \"soft\"; relogin = $1; members = ( { module = \"soft\"; token = \"soft\"; } ); } );"
		echo "log = { level = \"debug\"; syslog = $2; };"
	} >hsmux.conf
	chmod 600 hsmux.conf
}
export HSMUX_CONF="$work/hsmux.conf"
export "$(fact soft variables)"

# quietly COMMAND...: it succeeds, and says nothing secret at level debug
quietly() {
	HSMUX_LOG=debug "$@" >said 2>&1 || { cat said; return 1; }
	grep -q 'hsmux: debug' said
	not grep -aE "$needles" said
}

speaks_of_nothing() {
	write_conf true true
	quietly driver secrets logged quiet
	quietly driver secrets wrong_pin soft
}

# The member's own copies are its maker's; hsmux adds none.
adds_no_copies() { # CASE
	direct=$("$drivers/secrets" "$(fact soft library)" "$1" soft 2>/dev/null)
	through=$(driver secrets "$1" soft 2>/dev/null)
	echo "pieces in ordinary memory, in use and after: directly $direct, through hsmux $through"
	[ "${through% *}" -le "${direct% *}" ]
	[ "${through#* }" -le "${direct#* }" ]
}

command_stars() {
	tool config show >said 2>&1
	tool config show --json >>said 2>&1
	tool config check >>said 2>&1
	HSMUX_LOG=debug tool status >>said 2>&1
	grep -q '\*\*\*' said
	not grep -aE "$needles" said
}

bad_conf_says_nothing() {
	write_conf true false
	sed -i 's/relogin = true/relogin = 7/; s/version = 1/version = "x"/' hsmux.conf
	not tool config check >said 2>&1
	HSMUX_LOG=debug not driver life again soft >>said 2>&1
	cat said
	grep -q relogin said
	not grep -aE "$needles" said
}

write_conf true false
check "the PIN is in locked memory while logged in, then nowhere" driver secrets pin_is_kept quiet
check "PINs that change leave nothing behind" driver secrets pins_change quiet
check "values in templates leave nothing behind" driver secrets templates quiet
check "secrets in mechanism parameters leave nothing behind" driver secrets parameters quiet
check "a forked child has no PIN" driver secrets forked quiet
check "hsmux adds no copies of the PIN to those of SoftHSM2" adds_no_copies count
check "nor of a plaintext that had to wait for its buffer" adds_no_copies count_plaintext
check "the command shows no secrets of the configuration" command_stars
write_conf false false
check "without relogin no PIN is kept" driver secrets pin_is_not_kept quiet
check "logs at level debug and syslog have no secrets" speaks_of_nothing
check "messages about a bad configuration have no secrets" bad_conf_says_nothing
done_testing
