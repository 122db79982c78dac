# SPDX-License-Identifier: BSD-2-Clause
# Joins `goals` and the lines "ID SIDE VALUE" of all measurements; a value measured several times counts
# with its median. Prints one row a goal; what is judged is the side hsmux, a virtual token of two members.
# Exit 1 when a goal was not measured.

function median(list, n,    a, i, j, t) {
	split(list, a, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && a[j] + 0 < a[j - 1] + 0; j--) {
			t = a[j]; a[j] = a[j - 1]; a[j - 1] = t
		}
	return a[int((n + 1) / 2)]
}

function value(id, side) {
	return (id, side) in count ? median(values[id, side], count[id, side]) : ""
}

function verdict(better, got, wanted) {
	return (better == "less" ? got + 0 <= wanted + 0 : got + 0 >= wanted + 0) ? "yes" : "no"
}

FNR == NR && (/^#/ || NF == 0) { next }

FNR == NR {
	split($0, f, "|")
	id[++goals] = f[1]; what[goals] = f[2]; unit[goals] = f[3]
	must[goals] = f[4]; aim[goals] = f[5]; better[goals] = f[6]
	next
}

{
	split($0, f, " ")
	values[f[1], f[2]] = values[f[1], f[2]] " " f[3]
	count[f[1], f[2]]++
}

END {
	form = "%-15s %-78s %10s %10s %10s %10s %7s %-4s %7s %-4s\n"
	printf form, "goal", "what", "direct", "hsmux", "one", "proxy", "must", "", "aim", ""
	for (g = 1; g <= goals; g++) {
		got = value(id[g], "hsmux")
		if (got == "") {
			printf form, id[g], what[g], "-", "-", value(id[g], "one"), "-", must[g], "?", aim[g], "?"
			missing = 1
			continue
		}
		text = what[g] (unit[g] == "" ? "" : ", " unit[g])
		printf form, id[g], text, value(id[g], "direct"), got, \
			value(id[g], "one"), value(id[g], "proxy"), \
			must[g], verdict(better[g], got, must[g]), aim[g], verdict(better[g], got, aim[g])
	}
	exit missing
}
