#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What one process found out about a member, others know: a short-lived one does not pay for a member
# that is dead. The shared file is a hint; whatever becomes of it, applications work.
. "$(dirname "$0")/../lib.sh"
. "$tests/scenario/members.sh"
member fault a LABEL=a
member fault b LABEL=b
state=$work/state/$(id -u).state
# A dead member is left alone for long, so that the short-lived processes fall into that time.
patiently='health = { interval_ms = 1000; failures = 3; open_ms = 20000; open_max_ms = 30000; };
retry = { budget_ms = 2000; attempts = 3; };'
GLOBAL=$patiently virtual failover a,priority=1 b,priority=2
gone="$work/a/plan=state gone CKR_DEVICE_REMOVED"

# The first process finds the member dead; another one, afterwards and meanwhile, makes no call to it.
spared() {
	app start 1234 op all plan "$gone" op all \
		run "$drivers/failover '$module' virtual '$keys' start 1234 op all 2>&1 | cat >'$work/second'"
	before=$(all_counted a)
	app start 1234 op all
	same "$(($(all_counted a) - before))" 0
	plan a
}

# As pkcs11-tool: within a second although the member is not only dead but slow to say so.
quick() {
	plan a '* all delay 3000' 'state gone CKR_DEVICE_REMOVED'
	before=$(date +%s%N)
	app start 1234 op sign-ec
	took=$((($(date +%s%N) - before) / 1000000))
	plan a
	echo "took $took ms"
	[ "$took" -lt 1500 ]
}

# spoiled COMMAND: done to the shared file before and while the application runs
spoiled() {
	app start 1234 op all
	sh -c "$1"
	app start 1234 op all plan "$gone" op all run "$1" op all plan "$work/a/plan=" again read op all
	rm -rf "${work:?}/state"
	mkdir -m 700 "$work/state"
}

check "a process spares the member that another one found dead" spared
check "it does not wait for it either" quick
rm -f "$state"
virtual failover a,priority=1 b,priority=2
check "the shared file is cut off" spoiled "truncate -s 100 '$state'"
check "it is empty" spoiled ": >'$state'"
check "it is full of nonsense" spoiled "dd if=/dev/urandom of='$state' bs=4096 count=8 conv=notrunc 2>/dev/null"
check "it is gone" spoiled "rm -rf '$work/state'"
check "it is a folder" spoiled "rm -f '$state'; mkdir -p '$state'"
check "it is a symbolic link" spoiled "rm -rf '$state'; ln -s /etc/passwd '$state'"
check "others may write the folder" spoiled "chmod 777 '$work/state'"
if [ "$(id -u)" -eq 0 ]; then
	check "it is somebody else's" spoiled "chown 65534 '$work/state' '$state'"
else
	skip "it is somebody else's" "not root"
fi
done_testing
