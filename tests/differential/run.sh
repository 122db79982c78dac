#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run.sh KIND DRIVER COMPARE: plays the scenes on a token of this make directly and, on a second one made
# the same way, through hsmux; both transcripts must be equal but for the differences that allowed.c
# lists with their reasons. KIND: softhsm nss opencryptoki tpm2.
. "$(dirname "$0")/../lib.sh"
kind=$1
play=$2
judge=$3

# transcript NAME MODULE ARGUMENT...: the driver where the token NAME works; PINs stay out of argv
transcript() {
	name=$1
	library=$2
	shift 2
	enter=$(fact "$name" enter)
	DIFF_PIN=$(fact "$name" pin)
	DIFF_SO_PIN=$(fact "$name" so_pin)
	export DIFF_PIN DIFF_SO_PIN
	# shellcheck disable=SC2086 # one word or none
	client $enter "$play" "$library" "$kind" $options "$@"
}

directly() {
	for setting in $(fact a variables); do
		export "${setting?}"
	done
	transcript a "$(fact a library)" --init-args "$(fact a init_args)" >"$work/direct"
	cp "$work/direct" "$work/output"
}

through() { transcript b "$module" >"$work/through"; }

options=
case $kind in
nss) options="--messages --flat" ;;
tpm2) options=--reduced ;;
opencryptoki) options=--gentle ;;
esac

token "$kind" a
token "$kind" b
conf "$kind=b"
check "the scenes run directly on $kind" directly
check "the scenes run through hsmux on $kind" through
check "hsmux answers as $kind does" "$judge" "$kind" "$work/direct" "$work/through"
done_testing
