/* SPDX-License-Identifier: BSD-2-Clause */
/* Shorthand for the tables of fields in mech_layout.c and mech_layout_kdf.c; for nobody else. */
#ifndef HSMUX_CORE_BASE_MECH_FIELDS_H
#define HSMUX_CORE_BASE_MECH_FIELDS_H

#include "core/base/mech_layout.h"

/* clang-format off */

#define AT(type, field) offsetof(type, field)
#define BYTES(type, p, n) {.kind = FIELD_BYTES, .at = AT(type, p), .len = AT(type, n)}
#define BITS(type, p, n) {.kind = FIELD_BITS, .at = AT(type, p), .len = AT(type, n)}
#define BYTES_IF(type, p, n, ...) \
	{.kind = FIELD_BYTES, .at = AT(type, p), .len = AT(type, n), .when = {__VA_ARGS__}}
#define APP(type, p) {.kind = FIELD_APP, .at = AT(type, p)}
#define HANDLE(type, h) {.kind = FIELD_HANDLE, .at = AT(type, h)}
#define HANDLE_IF(type, h, ...) {.kind = FIELD_HANDLE, .at = AT(type, h), .when = {__VA_ARGS__}}
#define STRUCT(type, p, layout) {.kind = FIELD_STRUCT, .at = AT(type, p), .of = &(layout)}
#define ARRAY(type, p, n, layout) \
	{.kind = FIELD_ARRAY, .at = AT(type, p), .len = AT(type, n), .of = &(layout)}
#define MECH_AT(type, p) {.kind = FIELD_MECH, .at = AT(type, p)}
#define MADE(type, h) {.kind = FIELD_MADE, .at = AT(type, h)}
#define NONZERO {.test = WHEN_NONZERO}
#define NEVER {.test = WHEN_NEVER}
#define IS_TRUE(type, b) {.test = WHEN_TRUE, .at = AT(type, b)}
#define IS_EQUAL(type, n, v) {.test = WHEN_EQUAL, .at = AT(type, n), .value = (v)}

#define FIELDS(array) .fields = (array), .count = sizeof(array) / sizeof((array)[0])
#define LAYOUT(layout, type, array) \
	static const struct mech_layout layout = { \
		.name = #type, .size = sizeof(type), FIELDS(array)}
#define FLAT(layout, type) \
	static const struct mech_layout layout = {.name = #type, .size = sizeof(type)}

/* clang-format on */

/* The part of mech_form_layout that mech_layout_kdf.c has. */
const struct mech_layout *mech_kdf_layout(enum mech_form form, unsigned i);

#endif
