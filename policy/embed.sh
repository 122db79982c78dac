#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# embed.sh FILE.conf...: a C table of the files' names (without .conf) and texts, on stdout.
set -eu
n=0
for file; do
	printf 'static const char text_%d[] = {' "$n"
	od -An -v -t u1 "$file" | tr -s ' \n' ',,' | sed 's/^,//; s/,$//'
	printf ',0};\n'
	n=$((n + 1))
done
n=0
printf 'static const struct { const char *name, *text; } builtins[] = {\n'
for file; do
	printf '\t{"%s", text_%d},\n' "$(basename "$file" .conf)" "$n"
	n=$((n + 1))
done
printf '};\n'
