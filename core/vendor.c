/* SPDX-License-Identifier: BSD-2-Clause */
/* Vendor: profiles of makers, read from the *.conf files of one directory, and their recognition.
 *
 * A profile with a mistake is left out and reported; the others are used, because a typing error in
 * one maker's file must not take the tokens of another away. The set is built by one thread and
 * immutable from then on. Profiles are data: nothing here may name a maker. */
#include "core/vendor.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/names.h"
#include "core/base/scope.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define SUFFIX       ".conf"

static const struct setting_key vendor_keys[] = {
	{"title", SETTING_STRING, true},
	{"source", SETTING_STRING, true},
	{"tested", SETTING_BOOL, true},
	{"libraries", SETTING_LIST, true},
	{"manufacturer", SETTING_STRING, false},
	{"fork", SETTING_STRING, false},
	{"raises_sigpipe", SETTING_BOOL, false},
	{"serial", SETTING_BOOL, false},
	{"instance_per_list", SETTING_BOOL, false},
	{"reinit_breaks", SETTING_BOOL, false},
	{"reload_to_recover", SETTING_BOOL, false},
	{"writes_iv_late", SETTING_BOOL, false},
	{"short_buffer_ends", SETTING_BOOL, false},
	{"attributes_overflow", SETTING_BOOL, false},
	{"flat_templates", SETTING_BOOL, false},
	{"unwrap_ec_point", SETTING_BOOL, false},
	{"no_data_objects", SETTING_BOOL, false},
	{"replaces_same_id", SETTING_BOOL, false},
	{"trust_3_0", SETTING_BOOL, false},
	{"lacks", SETTING_LIST, false},
	{"codes", SETTING_LIST, false},
};

static const struct setting_key code_keys[] = {
	{"code", SETTING_STRING, true},
	{"outcome", SETTING_STRING, true},
};

static const struct setting_word fork_words[] = {
	[VENDOR_FORK_INIT] = {"init", false},
	[VENDOR_FORK_FINALIZE_THEN_INIT] = {"finalize-then-init", false},
	[VENDOR_FORK_NEVER] = {"never", false},
};

static const struct setting_word outcome_words[] = {
	[VENDOR_VERDICT] = {"verdict", false},
	[VENDOR_SESSION_LOST] = {"session-lost", false},
	[VENDOR_MEMBER_DEAD] = {"member-dead", false},
	[VENDOR_BUSY] = {"busy", false},
};

static char generic_name[] = "generic";
static char generic_title[] = "unknown maker";
static char generic_source[] = "PKCS #11 Specification 3.0";

static const struct vendor generic = {
	.name = generic_name,
	.title = generic_title,
	.source = generic_source,
	.fork = VENDOR_FORK_INIT,
	.trust_3_0 = true,
};

const struct vendor *vendor_generic(void)
{
	return &generic;
}

static void fini(struct vendor *v)
{
	for (size_t i = 0; i < v->library_count; i++)
		free(v->libraries[i]);
	free(v->libraries);
	free(v->name);
	free(v->title);
	free(v->source);
	free(v->manufacturer);
	free(v->lacks);
	free(v->codes);
}

void vendor_free(struct vendor_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++)
		fini(&set->vendors[i]);
	free(set->vendors);
	free(set);
}

/* The patterns of file names; each element is a string. */
static void read_libraries(const struct scope *scope, struct vendor *v)
{
	const config_setting_t *list = scope_list(scope, "libraries");
	int length = list != NULL ? config_setting_length(list) : 0;

	if (length <= 0)
		return;
	v->libraries = calloc((size_t)length, sizeof(v->libraries[0]));
	if (v->libraries == NULL) {
		scope_no_memory(scope);
		return;
	}
	for (int i = 0; i < length; i++) {
		const config_setting_t *setting = config_setting_get_elem(list, (unsigned)i);

		if (config_setting_type(setting) != CONFIG_TYPE_STRING)
			scope_error(scope, setting,
				    "libraries: element %d has the wrong type: expected "
				    "a string in quotes",
				    i + 1);
		else
			v->libraries[v->library_count++] = scope_expand(scope, setting);
	}
}

/* One return code with its meaning. */
static void read_code(const struct scope *outer, const config_setting_t *group, size_t i,
		      struct vendor_code *code)
{
	struct scope scope;
	CK_ULONG number = CKR_OK;
	size_t outcome;
	char *text;

	if (config_setting_type(group) != CONFIG_TYPE_GROUP) {
		scope_error(outer, group,
			    "codes: element %zu has the wrong type: expected a group "
			    "{ ... }",
			    i + 1);
		return;
	}
	scope_init(&scope, outer, group, "code", "code", i + 1);
	scope_keys(&scope, code_keys, COUNT(code_keys));
	text = scope_string(&scope, "code");
	if (text != NULL && (!name_value(NAME_RV, text, &number) || number == CKR_OK))
		scope_error(&scope, NULL, "is no error code: expected CKR_... or 0x...");
	free(text);
	outcome =
		scope_word(&scope, "outcome", outcome_words, COUNT(outcome_words), VENDOR_VERDICT);
	code->code = number;
	code->outcome = (enum vendor_outcome)outcome;
}

static void read_lack(const struct scope *scope, const config_setting_t *setting, struct vendor *v)
{
	char *name = config_setting_type(setting) == CONFIG_TYPE_STRING
			     ? scope_expand(scope, setting)
			     : NULL;

	if (name != NULL && name_value(NAME_MECHANISM, name, &v->lacks[v->lack_count]))
		v->lack_count++;
	else
		scope_error(scope, setting,
			    "lacks: element is no mechanism: expected a name like "
			    "\"CKM_AES_GCM\" in quotes");
	free(name);
}

static void read_lacks(const struct scope *scope, struct vendor *v)
{
	const config_setting_t *list = scope_list(scope, "lacks");
	int length = list != NULL ? config_setting_length(list) : 0;

	if (length <= 0)
		return;
	v->lacks = calloc((size_t)length, sizeof(v->lacks[0]));
	if (v->lacks == NULL) {
		scope_no_memory(scope);
		return;
	}
	for (int i = 0; i < length; i++)
		read_lack(scope, config_setting_get_elem(list, (unsigned)i), v);
}

bool vendor_lacks(const struct vendor *v, CK_MECHANISM_TYPE type)
{
	for (size_t i = 0; i < v->lack_count; i++)
		if (v->lacks[i] == type)
			return true;
	return false;
}

static void read_codes(const struct scope *scope, struct vendor *v)
{
	const config_setting_t *list = scope_list(scope, "codes");
	int length = list != NULL ? config_setting_length(list) : 0;

	if (length <= 0)
		return;
	v->codes = calloc((size_t)length, sizeof(v->codes[0]));
	if (v->codes == NULL) {
		scope_no_memory(scope);
		return;
	}
	v->code_count = (size_t)length;
	for (size_t i = 0; i < v->code_count; i++)
		read_code(scope, config_setting_get_elem(list, (unsigned)i), i, &v->codes[i]);
}

static void read_flags(const struct scope *scope, struct vendor *v)
{
	v->is_tested = scope_bool(scope, "tested", false);
	v->raises_sigpipe = scope_bool(scope, "raises_sigpipe", false);
	v->serial = scope_bool(scope, "serial", false);
	v->instance_per_list = scope_bool(scope, "instance_per_list", false);
	v->reinit_breaks = scope_bool(scope, "reinit_breaks", false);
	v->reload_to_recover = scope_bool(scope, "reload_to_recover", false);
	v->writes_iv_late = scope_bool(scope, "writes_iv_late", false);
	v->short_buffer_ends = scope_bool(scope, "short_buffer_ends", false);
	v->flat_templates = scope_bool(scope, "flat_templates", false);
	v->unwrap_ec_point = scope_bool(scope, "unwrap_ec_point", false);
	v->no_data_objects = scope_bool(scope, "no_data_objects", false);
	v->replaces_same_id = scope_bool(scope, "replaces_same_id", false);
	v->attributes_overflow = scope_bool(scope, "attributes_overflow", false);
	v->trust_3_0 = scope_bool(scope, "trust_3_0", generic.trust_3_0);
}

/* Fills all but the name, which is the file's. */
static void read_vendor(struct settings *s, struct vendor *v)
{
	struct scope scope;
	size_t fork;

	scope_root(&scope, s);
	scope_keys(&scope, vendor_keys, COUNT(vendor_keys));
	v->title = scope_string(&scope, "title");
	v->source = scope_string(&scope, "source");
	v->manufacturer = scope_string(&scope, "manufacturer");
	fork = scope_word(&scope, "fork", fork_words, COUNT(fork_words), generic.fork);
	v->fork = (enum vendor_fork)fork;
	read_flags(&scope, v);
	read_libraries(&scope, v);
	read_lacks(&scope, v);
	read_codes(&scope, v);
}

/* Reads one file into the next place of the set; a file with errors leaves it free. */
static void load_file(struct vendor_set *set, const char *dir, const char *file, uid_t owner,
		      struct diag *diag)
{
	struct vendor v = {0};
	struct settings s = {0};
	char *path = NULL;

	v.name = strndup(file, strlen(file) - strlen(SUFFIX));
	if (v.name == NULL || asprintf(&path, "%s/%s", dir, file) < 0) {
		diag_add(diag, file, 0, "out of memory");
		free(v.name);
		return;
	}
	if (settings_open(&s, path, SETTINGS_DATA, owner, diag))
		read_vendor(&s, &v);
	settings_sort(&s);
	settings_close(&s);
	if (s.failed)
		fini(&v);
	else
		set->vendors[set->count++] = v;
	free(path);
}

/* Names that can be written in hsmux.conf: NAME.conf without a leading dot. */
static int is_profile(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > strlen(SUFFIX) &&
	       strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) == 0;
}

/* Reads all files of the directory, in the order of their names. */
static void load_dir(struct vendor_set *set, const char *dir, uid_t owner, struct diag *diag)
{
	struct dirent **entries = NULL;
	int count = scandir(dir, &entries, is_profile, alphasort);

	if (count < 0) {
		diag_add(diag, dir, 0,
			 "cannot be read: %s: expected a directory of vendor profiles",
			 strerror(errno));
		return;
	}
	set->vendors = calloc(count > 0 ? (size_t)count : 1, sizeof(set->vendors[0]));
	if (set->vendors == NULL)
		diag_add(diag, dir, 0, "out of memory");
	for (int i = 0; i < count; i++) {
		if (set->vendors != NULL)
			load_file(set, dir, entries[i]->d_name, owner, diag);
		free(entries[i]);
	}
	free(entries);
}

/* The file that this code was loaded from: hsmux.so, or the executable. False when unknown. */
static bool own_file(char path[static PATH_MAX])
{
	Dl_info info;
	ssize_t len;

	/* For an executable dladdr knows only argv[0], which the caller chose. */
	if (dladdr(&generic, &info) != 0 && info.dli_fname != NULL && info.dli_fname[0] == '/' &&
	    strstr(info.dli_fname, ".so") != NULL && realpath(info.dli_fname, path) != NULL)
		return true;
	len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (len <= 0)
		return false;
	path[len] = '\0';
	return true;
}

/* True for a directory that nobody could have made or changed who could not change `self`, our own
 * file: the profiles in it decide how modules are treated. */
static bool is_ours(const char *path, const struct stat *self)
{
	struct stat st;

	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return false;
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != self->st_uid)
		return false;
	/* A developer's umask may let a group write, which then can write our file as well. */
	if ((st.st_mode & S_IWGRP) != 0 &&
	    ((self->st_mode & S_IWGRP) == 0 || st.st_gid != self->st_gid))
		return false;
	return (st.st_mode & S_IWOTH) == 0;
}

/* Makes of our own path that of conf/vendors beside the directory of hsmux.so or hsmux in a build
 * tree. False outside of one. */
static bool build_dir(char path[static PATH_MAX], const struct stat *self)
{
	static const char conf[] = "/../conf";
	static const char vendors[] = "/vendors";
	char *slash = strrchr(path, '/');

	/* In a setuid program only what was installed counts. */
	if (getauxval(AT_SECURE) != 0)
		return false;
	if (slash == NULL || (strcmp(slash, "/hsmux.so") != 0 && strcmp(slash, "/hsmux") != 0) ||
	    (size_t)(slash - path) + sizeof(conf) + sizeof(vendors) > PATH_MAX)
		return false;
	memcpy(slash, conf, sizeof(conf));
	if (!is_ours(path, self))
		return false;
	memcpy(slash + sizeof(conf) - 1, vendors, sizeof(vendors));
	return is_ours(path, self);
}

/* Loads from `dir`, or when it is NULL from where the profiles of this hsmux are. */
static void load(struct vendor_set *set, const char *dir, char self_path[static PATH_MAX],
		 struct diag *diag)
{
	struct stat self;
	bool is_known = own_file(self_path) && stat(self_path, &self) == 0;

	if (dir == NULL)
		dir = is_known && build_dir(self_path, &self) ? self_path : HSMUX_VENDOR_DIR;
	/* Who owns our file could do anything to us in an easier way. */
	load_dir(set, dir, is_known ? self.st_uid : 0, diag);
}

struct vendor_set *vendor_load(const char *dir, struct diag *diag)
{
	struct vendor_set *set = calloc(1, sizeof(*set));
	char *path = malloc(PATH_MAX);

	if (set == NULL || path == NULL) {
		diag_add(diag, NULL, 0, "out of memory");
		free(path);
		free(set);
		return NULL;
	}
	load(set, dir, path, diag);
	free(path);
	return set;
}

const struct vendor *vendor_by_name(const struct vendor_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->vendors[i].name, name) == 0)
			return &set->vendors[i];
	}
	return NULL;
}

/* Whether the file name of the library is one of the maker's. */
static bool has_library(const struct vendor *v, const char *file)
{
	for (size_t i = 0; i < v->library_count; i++) {
		if (fnmatch(v->libraries[i], file, 0) == 0)
			return true;
	}
	return false;
}

/* Copies a blank padded field of Cryptoki to a string. */
static void unpad(const CK_UTF8CHAR *field, size_t len, char *out)
{
	while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\0'))
		len--;
	memcpy(out, field, len);
	out[len] = '\0';
}

const struct vendor *vendor_recognise(const struct vendor_set *set, const char *library,
				      const CK_INFO *info)
{
	const char *slash = strrchr(library, '/');
	const char *file = slash != NULL ? slash + 1 : library;
	char manufacturer[sizeof(info->manufacturerID) + 1] = "";
	const struct vendor *best = NULL;
	int best_score = 0;

	if (info != NULL)
		unpad(info->manufacturerID, sizeof(info->manufacturerID), manufacturer);
	/* The file name counts more: a client library shows the manufacturer of the far side, but
	 * behaves like itself. */
	for (size_t i = 0; i < set->count; i++) {
		const struct vendor *v = &set->vendors[i];
		int score = has_library(v, file) ? 2 : 0;

		if (info != NULL && v->manufacturer != NULL &&
		    fnmatch(v->manufacturer, manufacturer, FNM_CASEFOLD) == 0)
			score++;
		if (score > best_score) {
			best_score = score;
			best = v;
		}
	}
	return best;
}
