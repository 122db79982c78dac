/* SPDX-License-Identifier: BSD-2-Clause */
/* Vendor profiles: the files that are installed, the mistakes in others, and who is recognised as
 * whom. */
#include "core/vendor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/core/files.h"
#include "tests/unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* What every profile needs, without the list of libraries. */
#define HEAD "title = \"T\"; source = \"S\"; tested = false;\n"

/* The profiles as the build tree has them, which must all be right. */
static struct vendor_set *installed(void)
{
	struct diag diag = {0};
	struct vendor_set *set = vendor_load(VENDORS_BUILT, &diag);

	for (size_t i = 0; i < diag.count; i++) {
		char line[1024];

		diag_format(&diag, i, line, sizeof line);
		puts(line);
	}
	CU_ASSERT_EQUAL(diag.count, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	diag_free(&diag);
	return set;
}

static void all_installed_profiles_are_right(void)
{
	struct vendor_set *set = installed();

	CU_ASSERT_EQUAL(set->count, VENDORS_COUNT);
	for (size_t i = 0; i < set->count; i++) {
		const struct vendor *v = &set->vendors[i];

		CU_ASSERT_PTR_EQUAL(vendor_by_name(set, v->name), v);
		CU_ASSERT_TRUE(v->library_count > 0);
		CU_ASSERT_TRUE(strlen(v->source) > 10);
	}
	vendor_free(set);
}

/* Library, manufacturer in CK_INFO (NULL: not asked), and who that is (NULL: nobody). */
struct row {
	const char *library;
	const char *manufacturer;
	const char *name;
};

static const struct row rows[] = {
	{"/usr/lib/softhsm/libsofthsm2.so", NULL, "softhsm2"},
	{"/usr/lib/x86_64-linux-gnu/libopencryptoki.so.0", NULL, "opencryptoki"},
	{"PKCS11_API.so", NULL, "opencryptoki"},
	{"/usr/lib/x86_64-linux-gnu/nss/libsoftokn3.so", NULL, "nss"},
	{"/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so", NULL, "tpm2"},
	{"/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so", NULL, "p11-kit-client"},
	{"/usr/lib/x86_64-linux-gnu/caml-crush/libp11clientunix.so", NULL, "caml-crush"},
	{"/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so", NULL, "opensc"},
	{"/usr/lib/libnethsm_pkcs11.so", NULL, "nethsm"},
	{"/usr/lib/x86_64-linux-gnu/pkcs11/yubihsm_pkcs11.so", NULL, "yubihsm2"},
	{"/usr/safenet/lunaclient/lib/libCryptoki2_64.so", NULL, "luna"},
	{"/opt/nfast/toolkits/pkcs11/libcknfast.so", NULL, "nshield"},
	{"/opt/utimaco/lib/libcs_pkcs11_R3.so", NULL, "utimaco"},
	{"/opt/cloudhsm/lib/libcloudhsm_pkcs11.so", NULL, "cloudhsm"},
	{"/usr/lib/libkmsp11.so", NULL, "kmsp11"},
	{"/lib/libnethsm.so", NULL, "proteccio"},
	{"/usr/lib/libzk_pkcs11.so", NULL, "zymbit"},
	{"/opt/fortanix/fortanix_pkcs11.so", NULL, "fortanix"},
	{"/usr/local/primus/lib/libprimusP11.so", NULL, "securosys"},
	{"/usr/lib/renamed.so", NULL, NULL},
	{"/usr/lib/renamed.so", "SoftHSM", "softhsm2"},
	{"/usr/lib/renamed.so", "nCipher Corp. Ltd", "nshield"},
	{"/usr/lib/renamed.so", "nobody", NULL},
	/* A client library shows the manufacturer of the far side. */
	{"p11-kit-client.so", "SoftHSM", "p11-kit-client"},
	/* Only the file name is matched, not its directory. */
	{"/usr/lib/libsofthsm2.so/other.so", NULL, NULL},
};

static void makers_are_recognised(void)
{
	struct vendor_set *set = installed();

	for (size_t i = 0; i < COUNT(rows); i++) {
		CK_INFO info;
		const struct vendor *v;
		const char *got;

		memset(&info, 0, sizeof info);
		memset(info.manufacturerID, ' ', sizeof info.manufacturerID);
		if (rows[i].manufacturer != NULL)
			memcpy(info.manufacturerID, rows[i].manufacturer,
			       strlen(rows[i].manufacturer));
		v = vendor_recognise(set, rows[i].library,
				     rows[i].manufacturer != NULL ? &info : NULL);
		got = v != NULL ? v->name : "nobody";
		if (strcmp(got, rows[i].name != NULL ? rows[i].name : "nobody") == 0)
			continue;
		printf("\n%s: got %s\n", rows[i].library, got);
		CU_FAIL("recognised as somebody else");
	}
	vendor_free(set);
}

static void what_backends_showed_is_in_their_profiles(void)
{
	struct vendor_set *set = installed();
	const struct vendor *nss = vendor_by_name(set, "nss");
	const struct vendor *client = vendor_by_name(set, "p11-kit-client");
	const struct vendor *crush = vendor_by_name(set, "caml-crush");

	CU_ASSERT_PTR_NOT_NULL_FATAL(nss);
	CU_ASSERT_PTR_NOT_NULL_FATAL(client);
	CU_ASSERT_PTR_NOT_NULL_FATAL(crush);
	CU_ASSERT_EQUAL(vendor_by_name(set, "softhsm2")->fork, VENDOR_FORK_FINALIZE_THEN_INIT);
	CU_ASSERT_EQUAL(vendor_by_name(set, "tpm2")->fork, VENDOR_FORK_NEVER);
	CU_ASSERT_TRUE(vendor_by_name(set, "opencryptoki")->reinit_breaks);
	CU_ASSERT_TRUE(vendor_by_name(set, "cloudhsm")->writes_iv_late);
	CU_ASSERT_TRUE(nss->attributes_overflow && nss->flat_templates);
	CU_ASSERT_TRUE(nss->short_buffer_ends);
	CU_ASSERT_TRUE(nss->unwrap_ec_point && nss->replaces_same_id && nss->no_data_objects);
	CU_ASSERT_TRUE(nss->trust_3_0);
	CU_ASSERT_TRUE(client->instance_per_list);
	CU_ASSERT_TRUE(client->raises_sigpipe);
	CU_ASSERT_TRUE(client->serial);
	CU_ASSERT_FALSE(nss->serial);
	CU_ASSERT_EQUAL(client->fork, VENDOR_FORK_INIT);
	CU_ASSERT_TRUE(crush->reload_to_recover);
	CU_ASSERT_TRUE(vendor_lacks(crush, CKM_AES_GCM));
	CU_ASSERT_FALSE(vendor_lacks(crush, CKM_AES_CBC));
	CU_ASSERT_FALSE(vendor_lacks(nss, CKM_AES_GCM));
	CU_ASSERT_EQUAL_FATAL(crush->code_count, 1);
	CU_ASSERT_EQUAL(crush->codes[0].code, ~0UL);
	CU_ASSERT_EQUAL(crush->codes[0].outcome, VENDOR_MEMBER_DEAD);
	vendor_free(set);
}

static void every_key_is_read(void)
{
	struct diag diag = {0};
	const char *dir = files_begin();
	struct vendor_set *set;
	const struct vendor *v;

	(void)files_write(
		"all.conf",
		"title = \"T\"; source = \"S\"; tested = true; libraries = ( \"a*.so\", \"b\" );\n"
		"manufacturer = \"M*\"; fork = \"never\"; flat_templates = true;\n"
		"raises_sigpipe = true; instance_per_list = true; reinit_breaks = true;\n"
		"reload_to_recover = true; writes_iv_late = true; short_buffer_ends = true;\n"
		"unwrap_ec_point = true; replaces_same_id = true; no_data_objects = true;\n"
		"trust_3_0 = false; codes = ( { code = \"CKR_DEVICE_ERROR\"; outcome = \"busy\"; "
		"},\n"
		"{ code = \"0x80000001\"; outcome = \"session-lost\"; } );\n",
		0644);
	(void)files_write(".hidden.conf", "nonsense", 0644);
	(void)files_write("README", "nonsense", 0644);
	set = vendor_load(dir, &diag);
	CU_ASSERT_EQUAL(diag.count, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	CU_ASSERT_EQUAL_FATAL(set->count, 1);
	v = &set->vendors[0];
	CU_ASSERT_STRING_EQUAL(v->name, "all");
	CU_ASSERT_STRING_EQUAL(v->title, "T");
	CU_ASSERT_STRING_EQUAL(v->source, "S");
	CU_ASSERT_TRUE(v->is_tested);
	CU_ASSERT_EQUAL_FATAL(v->library_count, 2);
	CU_ASSERT_STRING_EQUAL(v->libraries[1], "b");
	CU_ASSERT_STRING_EQUAL(v->manufacturer, "M*");
	CU_ASSERT_EQUAL(v->fork, VENDOR_FORK_NEVER);
	CU_ASSERT_TRUE(v->flat_templates && v->raises_sigpipe && v->instance_per_list);
	CU_ASSERT_TRUE(v->reinit_breaks && v->reload_to_recover && v->writes_iv_late);
	CU_ASSERT_TRUE(v->short_buffer_ends);
	CU_ASSERT_TRUE(v->unwrap_ec_point && v->replaces_same_id && v->no_data_objects);
	CU_ASSERT_FALSE(v->trust_3_0);
	CU_ASSERT_EQUAL_FATAL(v->code_count, 2);
	CU_ASSERT_EQUAL(v->codes[0].code, CKR_DEVICE_ERROR);
	CU_ASSERT_EQUAL(v->codes[0].outcome, VENDOR_BUSY);
	CU_ASSERT_EQUAL(v->codes[1].code, 0x80000001UL);
	CU_ASSERT_EQUAL(v->codes[1].outcome, VENDOR_SESSION_LOST);
	vendor_free(set);
	files_end();
}

static void profiles_are_taken_literally(void)
{
	struct diag diag = {0};
	const char *dir = files_begin();
	struct vendor_set *set;

	(void)files_write(
		"a.conf",
		"title = \"${HOME} $${X}\"; source = \"${\"; tested = true; libraries = ( "
		"\"${PATH}\" );",
		0644);
	set = vendor_load(dir, &diag);
	CU_ASSERT_EQUAL(diag.count, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	CU_ASSERT_EQUAL_FATAL(set->count, 1);
	CU_ASSERT_STRING_EQUAL(set->vendors[0].title, "${HOME} $${X}");
	CU_ASSERT_STRING_EQUAL(set->vendors[0].source, "${");
	CU_ASSERT_STRING_EQUAL(set->vendors[0].libraries[0], "${PATH}");
	vendor_free(set);
	files_end();
}

static void a_profile_of_another_user_is_left_out(void)
{
	struct diag diag = {0};
	const char *dir = files_begin();
	const char *file = files_write("a.conf", HEAD "libraries = ( \"a\" );", 0644);
	struct vendor_set *set;

	if (chown(file, 12345, (gid_t)-1) != 0) {
		puts("skipped: only root can give a file to another user");
	} else {
		set = vendor_load(dir, &diag);
		CU_ASSERT_PTR_NOT_NULL_FATAL(set);
		CU_ASSERT_EQUAL(set->count, 0);
		CU_ASSERT_EQUAL_FATAL(diag.count, 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(diag.lines[0].text, "belongs to user 12345"));
		vendor_free(set);
		diag_free(&diag);
	}
	files_end();
}

/* A profile with mistakes, and its messages. */
struct bad {
	const char *text;
	mode_t mode;
	const char *messages[3];
};

static const struct bad bad_files[] = {
	{"",
	 0644,
	 {"key \"title\" is missing", "key \"source\" is missing", "key \"tested\" is missing"}},
	{HEAD "libraries = ( 1, \"x\" );", 0644, {"libraries: element 1 has the wrong type"}},
	{HEAD "libraries = ( \"x\" );\nfork = \"maybe\";", 0644, {"fork \"maybe\" is not known"}},
	{HEAD "libraries = ( \"x\" );\nraises_sigpip = true;",
	 0644,
	 {"did you mean \"raises_sigpipe\"?"}},
	{HEAD
	 "libraries = ( \"x\" );\ncodes = ( { code = \"CKR_NOTHING\"; outcome = \"busy\"; } );",
	 0644,
	 {"code \"CKR_NOTHING\": is no error code: expected CKR_... or 0x..."}},
	{HEAD "libraries = ( \"x\" );\ncodes = ( { code = \"CKR_OK\"; outcome = \"busy\"; } );",
	 0644,
	 {"code \"CKR_OK\": is no error code"}},
	{HEAD "libraries = ( \"x\" );\ncodes = ( 3 );",
	 0644,
	 {"codes: element 1 has the wrong type"}},
	{HEAD "libraries = ( \"x\" );", 0646, {"others can write it"}},
};

static void a_bad_profile_is_reported_and_left_out(void)
{
	for (size_t i = 0; i < COUNT(bad_files); i++) {
		struct diag diag = {0};
		const char *dir = files_begin();
		struct vendor_set *set;

		(void)files_write("a.conf", HEAD "libraries = ( \"a\" );", 0644);
		(void)files_write("bad.conf", bad_files[i].text, bad_files[i].mode);
		(void)files_write("c.conf", HEAD "libraries = ( \"c\" );", 0644);
		set = vendor_load(dir, &diag);
		CU_ASSERT_PTR_NOT_NULL_FATAL(set);
		CU_ASSERT_EQUAL(set->count, 2);
		CU_ASSERT_PTR_NULL(vendor_by_name(set, "bad"));
		CU_ASSERT_PTR_NOT_NULL(vendor_by_name(set, "c"));
		CU_ASSERT_TRUE_FATAL(diag.count > 0);
		for (size_t k = 0; k < COUNT(bad_files[i].messages); k++) {
			if (bad_files[i].messages[k] != NULL && k < diag.count)
				CU_ASSERT_PTR_NOT_NULL(
					strstr(diag.lines[k].text, bad_files[i].messages[k]));
		}
		CU_ASSERT_PTR_NOT_NULL(strstr(diag.lines[0].file, "/bad.conf"));
		vendor_free(set);
		diag_free(&diag);
		files_end();
	}
}

static void a_missing_directory_is_reported(void)
{
	struct diag diag = {0};
	struct vendor_set *set = vendor_load("/nonexistent/vendors", &diag);

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	CU_ASSERT_EQUAL(set->count, 0);
	CU_ASSERT_EQUAL(diag.count, 1);
	CU_ASSERT_PTR_NULL(vendor_recognise(set, "libsofthsm2.so", NULL));
	vendor_free(set);
	diag_free(&diag);
}

static void nobody_in_particular_follows_the_standard(void)
{
	const struct vendor *v = vendor_generic();

	CU_ASSERT_EQUAL(v->fork, VENDOR_FORK_INIT);
	CU_ASSERT_TRUE(v->trust_3_0);
	CU_ASSERT_FALSE(v->flat_templates);
	CU_ASSERT_EQUAL(v->code_count, 0);
	vendor_free(NULL);
}

static void without_memory_no_profile_is_half_read(void)
{
	const char *dir = files_begin();
	size_t count = 0;
	unsigned long n = 0;

	(void)files_write("a.conf",
			  HEAD "libraries = ( \"x\" ); codes = ( { code = \"CKR_DEVICE_ERROR\"; "
			       "outcome = \"busy\"; } );",
			  0644);
	while (count == 0 && n < 200) {
		struct diag diag = {0};
		struct vendor_set *set;

		n++;
		alloc_fail_at(n);
		set = vendor_load(dir, &diag);
		alloc_fail_at(0);
		count = set != NULL ? set->count : 0;
		CU_ASSERT_EQUAL(count == 0, diag.count > 0);
		vendor_free(set);
		diag_free(&diag);
	}
	CU_ASSERT_EQUAL(count, 1);
	CU_ASSERT_TRUE(n > 5);
	files_end();
}

static const struct unit_test tests[] = {
	UNIT(all_installed_profiles_are_right),
	UNIT(makers_are_recognised),
	UNIT(what_backends_showed_is_in_their_profiles),
	UNIT(every_key_is_read),
	UNIT(profiles_are_taken_literally),
	UNIT(a_profile_of_another_user_is_left_out),
	UNIT(a_bad_profile_is_reported_and_left_out),
	UNIT(a_missing_directory_is_reported),
	UNIT(nobody_in_particular_follows_the_standard),
	UNIT(without_memory_no_profile_is_half_read),
};

UNIT_MAIN("core/vendor", tests)
