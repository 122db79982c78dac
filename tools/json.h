/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON written to a stream, piece by piece. */
#ifndef HSMUX_TOOLS_JSON_H
#define HSMUX_TOOLS_JSON_H

#include <stdbool.h>
#include <stdio.h>

/* A document in the making; set `out`, the rest zero. The caller opens and closes in pairs. */
struct json {
	FILE *out;
	bool needs_comma; /* something precedes the next value on its level */
};

/* In an object `key` names the value; in a list, and for the document itself, it is NULL. */
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_list(struct json *j, const char *key);
void json_list_end(struct json *j);

/* Text as a string; bytes that are no UTF-8 become U+FFFD. NULL is written as null. */
void json_string(struct json *j, const char *key, const char *text);
void json_number(struct json *j, const char *key, unsigned long value);
void json_bool(struct json *j, const char *key, bool value);

#endif
