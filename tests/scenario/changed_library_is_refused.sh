#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# sha256 pins a library: another file under the same name is not loaded.
. "$(dirname "$0")/../lib.sh"
token softhsm steady
token softhsm pinned LABEL=pinned
cd "$work" || bail_out "no $work"
cp "$(fact pinned library)" vendor.so
sum=$(sha256sum vendor.so | cut -d' ' -f1)

right_sum() {
	conf steady=steady "pinned=pinned,library=$work/vendor.so,sha256=$sum"
	driver steps count 2 sign steady sign pinned
}

with_private_copy() {
	conf steady=steady "pinned=pinned,library=$work/vendor.so,sha256=$sum,private_copy"
	driver steps count 2 sign steady sign pinned
}

# A byte after the last section: it would still load and work.
changed() { # OPTION
	cp "$(fact pinned library)" vendor.new
	printf x >>vendor.new
	mv vendor.new vendor.so
	conf steady=steady "pinned=pinned,library=$work/vendor.so$1"
	driver steps count 2 sign pinned
	conf steady=steady "pinned=pinned,library=$work/vendor.so,sha256=$sum$1"
	logs 'pinned.*(sha256|SHA-256)' driver steps count 1 sign steady misses pinned fails pinned
}

check "the right sum loads" right_sum
check "the right sum loads as a private copy" with_private_copy
check "a changed library is refused and named, the other token works" changed ''
check "the same for a private copy" changed ,private_copy
done_testing
