/* SPDX-License-Identifier: BSD-2-Clause */
/* Profiles: constant tables, one a file, and the search in them. */
#include "policy/profile.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CELL(aspect, verdict, least, most, from, until, source, reviewed)                          \
	{ASPECT_##aspect, PROFILE_##verdict, least, most, from, until, source, reviewed},

static const struct profile_cell fips[] = {
#include "policy/profile_fips.def"
};
static const struct profile_cell fips30[] = {
#include "policy/profile_fips30.def"
};
static const struct profile_cell cnsa2[] = {
#include "policy/profile_cnsa2.def"
};
static const struct profile_cell bsi[] = {
#include "policy/profile_bsi.def"
};
static const struct profile_cell eccg[] = {
#include "policy/profile_eccg.def"
};
static const struct profile_cell pci[] = {
#include "policy/profile_pci.def"
};
static const struct profile_cell cabf_cs[] = {
#include "policy/profile_cabf_cs.def"
};
static const struct profile_cell cabf_tls[] = {
#include "policy/profile_cabf_tls.def"
};
#undef CELL

static const struct profile profiles[] = {
	{"fips", "NIST: approved today", "SP 800-131A r2, FIPS 186-5, 203 to 205", fips,
	 COUNT(fips)},
	{"fips30", "NIST: what is left after 2030", "SP 800-131A r3, draft of 2024-10-21", fips30,
	 COUNT(fips30)},
	{"cnsa2", "NSA: commercial national security algorithms", "CNSA 2.0, FAQ v2.1", cnsa2,
	 COUNT(cnsa2)},
	{"bsi", "BSI: recommended key lengths", "TR-02102-1, 2026-01", bsi, COUNT(bsi)},
	{"eccg", "ECCG: European agreed mechanisms (eIDAS)", "ACM v2, 2025-04", eccg, COUNT(eccg)},
	{"pci", "Payment cards", "PCI DSS v4.0.1, PCI PIN v3.1", pci, COUNT(pci)},
	{"cabf-cs", "CA/Browser Forum: code signing", "Baseline Requirements 3.10.0", cabf_cs,
	 COUNT(cabf_cs)},
	{"cabf-tls", "CA/Browser Forum: TLS", "Baseline Requirements 2.1", cabf_tls,
	 COUNT(cabf_tls)},
};

const struct profile *profile_at(size_t i)
{
	return i < COUNT(profiles) ? &profiles[i] : NULL;
}

const struct profile *profile_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(profiles); i++) {
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	}
	return NULL;
}

size_t profile_number(const struct profile *p)
{
	return (size_t)(p - profiles);
}

/* Two or four digits within bounds. */
static bool digits(const char *text, size_t count, int least, int most, int *out)
{
	int value = 0;

	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*out = value;
	return value >= least && value <= most;
}

/* Days since 1970-01-01 in the Gregorian calendar: whole years before, then the days of this one.
 * A year begins in March here, so that the leap day is its last. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool is_day_of_month(int year, int month, int day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return day <= lengths[month - 1] + (is_leap && month == 2 ? 1 : 0);
}

bool profile_day(const char *text, int64_t *seconds)
{
	int year, month, day, hour = 0, minute = 0, second = 0;
	size_t len = strlen(text);

	if ((len != 10 && len != 20) || !digits(text, 4, 1970, 9999, &year) || text[4] != '-' ||
	    !digits(text + 5, 2, 1, 12, &month) || text[7] != '-' ||
	    !digits(text + 8, 2, 1, 31, &day) || !is_day_of_month(year, month, day))
		return false;
	if (len == 20 &&
	    (text[10] != 'T' || !digits(text + 11, 2, 0, 23, &hour) || text[13] != ':' ||
	     !digits(text + 14, 2, 0, 59, &minute) || text[16] != ':' ||
	     !digits(text + 17, 2, 0, 59, &second) || text[19] != 'Z'))
		return false;
	*seconds = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
	return true;
}

/* Whether a row is in force; its days were written by us and are days. */
static bool is_in_force(const struct profile_cell *c, int64_t now)
{
	int64_t from = INT64_MIN, until = INT64_MAX;

	if (c->from[0] == '\0' && c->until[0] == '\0')
		return true;
	(void)profile_day(c->from, &from);
	(void)profile_day(c->until, &until);
	return now >= from && now < until;
}

/* The first row of an aspect: the table is sorted. */
static size_t first_cell(const struct profile *p, enum policy_aspect aspect)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (p->cells[middle].aspect < aspect)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void profile_ask(const struct profile *p, const struct aspect *a, int64_t now,
		 struct profile_answer *out)
{
	const struct profile_cell *nearest = NULL;

	*out = (struct profile_answer){PROFILE_DENY, NULL, 0};
	for (size_t i = first_cell(p, a->aspect); i < p->count; i++) {
		const struct profile_cell *c = &p->cells[i];

		if (c->aspect != a->aspect)
			break;
		if (!is_in_force(c, now))
			continue;
		if ((c->least == 0 || a->bits >= c->least) &&
		    (c->most == 0 || a->bits <= c->most)) {
			*out = (struct profile_answer){c->verdict, c, 0};
			return;
		}
		/* What is allowed outright is what a key should have been. */
		if (!nearest || c->verdict < nearest->verdict)
			nearest = c;
	}
	if (nearest)
		*out = (struct profile_answer){PROFILE_DENY, nearest, nearest->least};
	else if (!aspect_is_closed(a->aspect))
		out->verdict = PROFILE_ALLOW;
}

bool profile_lets(enum profile_verdict verdict, enum policy_act act, bool is_public, bool grace)
{
	switch (verdict) {
	case PROFILE_ALLOW:
	case PROFILE_WARN:
		return true;
	case PROFILE_PROCESS:
		return act == ACT_VERIFY || act == ACT_DECRYPT || act == ACT_UNWRAP ||
		       act == ACT_DECAPSULATE || (act == ACT_IMPORT && is_public);
	case PROFILE_GRACE:
		return grace;
	case PROFILE_DENY:
		break;
	}
	return false;
}

const char *profile_verdict_word(enum profile_verdict verdict)
{
	static const char *const words[] = {"allow", "warn", "process", "grace", "deny"};

	return words[verdict];
}
