#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs file $1 as $2 (below DESTDIR) unless there is one already.
set -eu
target="${DESTDIR:-}$2"
if [ ! -e "$target" ]; then
	mkdir -p "$(dirname "$target")"
	install -m 644 "$1" "$target"
fi
