/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux.conf: how objects are replicated, and which templates ask for the KEK. */
#include <stdio.h>
#include <string.h>

#include "core/config.h"
#include "core/kek.h"
#include "tests/unit/core/files.h"
#include "tests/unit/unit.h"

#define VERSION "version = 1;\n"
#define MODULES "modules = ( { name = \"m\"; library = \"/m.so\"; } );\n"

static struct config *good(const char *text)
{
	struct diag diag = {0};
	struct config *c =
		config_parse(files_write("good.conf", text, 0600), CONFIG_FROM_OPTION, &diag);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(diag.count, 0);
	return c;
}

static void replication_is_read(void)
{
	struct config *c =
		good(VERSION MODULES
		     "tokens = (\n"
		     "  { label = \"a\"; mode = \"failover\"; replicate = \"all\";\n"
		     "    members = ( { module = \"m\"; slot = 1; } ); },\n"
		     "  { label = \"b\"; mode = \"balanced\"; replicate = \"majority\"; kek = "
		     "\"other\";\n"
		     "    protect = \"locked\"; members = ( { module = \"m\"; slot = 2; } ); },\n"
		     "  { label = \"c\"; mode = \"capability\"; replicate = \"first\"; protect = "
		     "\"kek\";\n"
		     "    kek = \"id:00fF\"; members = ( { module = \"m\"; slot = 3; } ); } );\n"
		     "state = { journal = \"/var/lib/hsmux\"; };\n");
	const struct config_token *t = c->tokens;

	CU_ASSERT_EQUAL(t[0].replicate, CONFIG_REPLICATE_ALL);
	CU_ASSERT_EQUAL(t[0].protect, CONFIG_PROTECT_KEK);
	CU_ASSERT_PTR_NULL(t[0].kek);
	CU_ASSERT_EQUAL(t[1].replicate, CONFIG_REPLICATE_MAJORITY);
	CU_ASSERT_EQUAL(t[1].protect, CONFIG_PROTECT_LOCKED);
	CU_ASSERT_STRING_EQUAL(t[1].kek, "other");
	CU_ASSERT_EQUAL(t[2].replicate, CONFIG_REPLICATE_FIRST);
	CU_ASSERT_STRING_EQUAL(t[2].kek, "id:00fF");
	CU_ASSERT_STRING_EQUAL(c->state_journal, "/var/lib/hsmux");
	CU_ASSERT_PTR_NULL(c->state_directory);
	config_free(c);
}

/* The group of a token with that KEK; NULL: the default. */
static struct group group_of(const char *kek)
{
	static struct config_token token;

	token.kek = (char *)(uintptr_t)kek;
	return (struct group){.conf = &token, .is_multi = true};
}

/* Whether a template asks for the KEK of that group. */
static bool asks(const char *kek, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	struct group g = group_of(kek);

	return kek_is_asked(&g, tmpl, count);
}

#define TEXT(type, text)                                                                           \
	{                                                                                          \
		type, (char *)(uintptr_t)(text), sizeof(text) - 1                                  \
	}

static void a_template_asks_for_the_kek_by_any_of_its_names(void)
{
	const CK_ATTRIBUTE plain[] = {TEXT(CKA_LABEL, "wrapper")};
	const CK_ATTRIBUTE first[] = {TEXT(CKA_LABEL, "wrapper"), TEXT(CKA_LABEL, "x")};
	const CK_ATTRIBUTE last[] = {TEXT(CKA_LABEL, "x"), TEXT(CKA_LABEL, "wrapper")};
	const CK_ATTRIBUTE longer[] = {TEXT(CKA_LABEL, "wrapper2")};
	const CK_ATTRIBUTE id[] = {TEXT(CKA_ID, "\x00\xff"), TEXT(CKA_ID, "\x01")};
	const CK_ATTRIBUTE by_default[] = {TEXT(CKA_LABEL, KEK_LABEL)};
	const CK_ATTRIBUTE nothing[] = {{CKA_LABEL, NULL, 7}};

	CU_ASSERT_TRUE(asks("wrapper", plain, 1));
	CU_ASSERT_TRUE(asks("wrapper", first, 2));
	CU_ASSERT_TRUE(asks("wrapper", last, 2));
	CU_ASSERT_FALSE(asks("wrapper", longer, 1));
	CU_ASSERT_FALSE(asks("wrapper", id, 2));
	CU_ASSERT_FALSE(asks("wrapper", nothing, 1));
	CU_ASSERT_FALSE(asks("wrapper", NULL, 0));
	CU_ASSERT_TRUE(asks("id:00Ff", id, 2));
	CU_ASSERT_FALSE(asks("id:00Fe", id, 2));
	CU_ASSERT_FALSE(asks("id:00Ff", plain, 1));
	CU_ASSERT_TRUE(asks(NULL, by_default, 1));
	CU_ASSERT_FALSE(asks(NULL, plain, 1));
}

static void a_template_of_another_class_does_not_ask_for_it(void)
{
	CK_OBJECT_CLASS secret = CKO_SECRET_KEY, data = CKO_DATA;
	const CK_ATTRIBUTE is_secret = {CKA_CLASS, &secret, sizeof secret};
	const CK_ATTRIBUTE is_data = {CKA_CLASS, &data, sizeof data};
	const CK_ATTRIBUTE is_odd = {CKA_CLASS, &data, 1};
	const CK_ATTRIBUTE label = TEXT(CKA_LABEL, "wrapper");

	CU_ASSERT_TRUE(asks("wrapper", (CK_ATTRIBUTE[]){label, is_secret}, 2));
	CU_ASSERT_FALSE(asks("wrapper", (CK_ATTRIBUTE[]){label, is_data}, 2));
	CU_ASSERT_TRUE(asks("wrapper", (CK_ATTRIBUTE[]){is_secret, label, is_data}, 3));
	CU_ASSERT_TRUE(asks("wrapper", (CK_ATTRIBUTE[]){is_odd, label}, 2));
}

static void a_passthrough_token_has_no_kek(void)
{
	struct group g = group_of("wrapper");
	const CK_ATTRIBUTE label = TEXT(CKA_LABEL, "wrapper");
	struct identity id = {.class = CKO_SECRET_KEY,
			      .label = {.data = (unsigned char *)(uintptr_t) "wrapper", .len = 7}};

	CU_ASSERT_TRUE(kek_is_named(&g, &id));
	g.is_multi = false;
	CU_ASSERT_FALSE(kek_is_named(&g, &id));
	CU_ASSERT_FALSE(kek_is_asked(&g, &label, 1));
	g.is_multi = true;
	id.class = CKO_DATA;
	CU_ASSERT_FALSE(kek_is_named(&g, &id));
}

static const struct unit_test tests[] = {
	UNIT(replication_is_read),
	UNIT(a_template_asks_for_the_kek_by_any_of_its_names),
	UNIT(a_template_of_another_class_does_not_ask_for_it),
	UNIT(a_passthrough_token_has_no_kek),
};

int main(void)
{
	int code;

	(void)files_begin();
	code = unit_run("core/config_replicate", tests, sizeof tests / sizeof tests[0]);
	files_end();
	return code;
}
