#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Threads that do everything at once while the module starts, ends and forks under them (restless.c).
. "$(dirname "$0")/../lib.sh"
cd "$work" || bail_out "no $work"
cat >hsmux.conf <<END
version = 1;
modules = ({ name = "null"; library = "$drivers/../token/null.so"; });
tokens = ({ label = "null"; mode = "passthrough"; members = ({ name = "a"; module = "null"; token = "null"; }); });
END
chmod 600 hsmux.conf
export HSMUX_CONF="$work/hsmux.conf"

check "sixty lives of the module under six threads" driver restless lives null
check "threads that all start and end the module" driver restless anarchy null
sentence="sixty children of a process with six threads"
if [ -n "$preload" ]; then
	skip "$sentence" "the address sanitizer's allocator may be locked in a child of many threads"
elif [ -n "$wrap" ]; then
	skip "$sentence" "a child leaves alone what its parent's threads were changing: valgrind calls it lost"
else
	check "$sentence" driver restless children null
fi
done_testing
