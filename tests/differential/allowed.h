/* SPDX-License-Identifier: BSD-2-Clause */
/* Where an answer through hsmux may differ from the token's own. */
#ifndef HSMUX_TESTS_DIFFERENTIAL_ALLOWED_H
#define HSMUX_TESTS_DIFFERENTIAL_ALLOWED_H

#include <stdbool.h>
#include <stddef.h>

/* One allowance; kind, call ("scene/step C_Function") and both codes are fnmatch patterns. When the
 * codes match, length and data may differ as well. */
struct allowed {
	const char *kind;
	const char *call;
	const char *direct;
	const char *through;
	const char *why;
};

extern const struct allowed allowed[];
extern const size_t allowed_count;

#endif
