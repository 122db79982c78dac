#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# hsmux as its own member, under any name or through p11-kit's proxy, is refused instead of calling itself
# for ever; the other token works. And members keep their own functions when the application has hsmux in
# its global scope.
. "$(dirname "$0")/../lib.sh"
token softhsm good
cd "$work" || bail_out "no $work"

itself() { # FILE
	conf good=good "mirror=good,library=$1"
	logs 'mirror' driver steps count 1 sign good misses mirror
}

through_proxy() {
	proxy=$(find /usr/lib -name p11-kit-proxy.so | head -n 1)
	mkdir -p modules
	printf 'module: %s\n' "$module" >modules/hsmux.module
	conf good=good "mirror=good,library=$proxy"
	# shellcheck disable=SC2016 # expanded inside
	in_namespace 'mount --bind "$1" /usr/share/p11-kit/modules' "$work/modules" \
		"$drivers/steps" "$module" count 1 sign good misses mirror
}

# The other way round is what p11-kit is for.
as_module_of_proxy() {
	proxy=$(find /usr/lib -name p11-kit-proxy.so | head -n 1)
	mkdir -p modules
	printf 'module: %s\n' "$module" >modules/hsmux.module
	conf good=good
	# shellcheck disable=SC2016
	in_namespace 'mount --bind "$1" /usr/share/p11-kit/modules' "$work/modules" \
		"$drivers/steps" "$proxy" sees good sign good
}

in_namespace() { # MOUNT-COMMAND FOLDER COMMAND...
	as_root=
	[ "$(id -u)" -eq 0 ] || as_root=-Ur
	setup=$1
	shift
	# shellcheck disable=SC2086
	timeout 60 unshare -m $as_root --propagation private sh -ec "$setup"' && shift && exec "$@"' sh "$@"
}

namespaces() { in_namespace true "$work" true 2>/dev/null; }

in_global_scope() {
	conf good=good
	preload=${preload:+$preload:}$module
	client pkcs11-tool --module "$module" --token-label good --login --pin 1234 \
		--keypairgen --key-type rsa:2048 --id 77
	client pkcs11-tool --module "$module" --token-label good --login --pin 1234 --list-objects
}

ln -s "$module" link.so
cp "$module" copy.so
check "its own file" itself "$module"
check "a link to it" itself "$work/link.so"
check "a copy of it" itself "$work/copy.so"
if [ -z "$(find /usr/lib -name p11-kit-proxy.so)" ] || [ ! -d /usr/share/p11-kit/modules ]; then
	skip "p11-kit's proxy with hsmux behind it" "packages missing: p11-kit p11-kit-modules"
elif ! namespaces; then
	skip "p11-kit's proxy with hsmux behind it" "no mount namespaces here"
else
	check "p11-kit's proxy with hsmux behind it" through_proxy
	check "hsmux behind p11-kit's proxy works" as_module_of_proxy
fi
check "hsmux in the global scope does not take its members' functions" in_global_scope
done_testing
