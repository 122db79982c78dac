#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# replicate.sh REPLICATE [ROUNDS]: what replication to two SoftHSM2 members adds to a new key, in ms, next to
# a third SoftHSM2 token that is used directly. Judges nothing.
replicate=$(realpath "$1")
. "$(dirname "$0")/../lib.sh"
export BENCH_PIN=1234
for name in a b alone; do
	token softhsm $name LABEL=$name
done
for protect in kek locked; do
	conf "$protect=a+b,mode=failover,priority.a=1,priority.b=2,replicate=all,protect=$protect"
	mv "$work/hsmux.conf" "$work/$protect.conf"
done
printf 76543210 >"$work/so-pin"
printf 1234 >"$work/pin"
chmod 600 "$work/so-pin" "$work/pin"
HSMUX_CONF=$work/kek.conf "$hsmux" kek install kek --pin-source "file:$work/pin" \
	--so-pin-source "file:$work/so-pin" >"$work/output" 2>&1 || { indent "$work/output"; bail_out "no KEK"; }
for protect in kek locked; do
	echo "protect = \"$protect\""
	# shellcheck disable=SC2046 # words
	env $(fact alone variables) HSMUX_CONF="$work/$protect.conf" HSMUX_LOG=error \
		"$replicate" "${2:-51}" "direct=$(fact alone library),alone" "all=$module,$protect" ||
		bail_out "nothing could be measured"
done
