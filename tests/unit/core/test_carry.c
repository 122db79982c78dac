/* SPDX-License-Identifier: BSD-2-Clause */
/* Which ways are tried, in which order; and what is remembered of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/carry.h"
#include "core/carry_memory.h"
#include "core/carry_ways.h"
#include "core/library.h"
#include "tests/unit/unit.h"

bool __wrap_member_offers(struct member *m, CK_MECHANISM_TYPE type);
bool __wrap_member_token_info(struct member *m, CK_TOKEN_INFO *info);

static struct member members[2];
static struct library libs[2];
static CK_MECHANISM_TYPE offers[2][8]; /* 0 ends */
static unsigned char firmware;
static char dir[] = "/tmp/hsmux-carry-XXXXXX";
static struct config conf;

bool __wrap_member_offers(struct member *m, CK_MECHANISM_TYPE type)
{
	const CK_MECHANISM_TYPE *o = offers[m - members];

	while (*o && *o != type)
		o++;
	return *o == type;
}

bool __wrap_member_token_info(struct member *m, CK_TOKEN_INFO *info)
{
	memset(info, ' ', sizeof *info);
	memcpy(info->manufacturerID, m == members ? "Maker\tA/\n" : "B", m == members ? 9 : 1);
	info->firmwareVersion = (CK_VERSION){firmware, 0};
	return true;
}

static void begin(void)
{
	for (size_t i = 0; i < 2; i++) {
		members[i].lib = &libs[i];
		pthread_mutex_init(&libs[i].lock, NULL);
	}
	memset(offers, 0, sizeof offers);
	firmware = 1;
	conf.state_journal = dir;
	carry_forget_everything(false);
}

static size_t list(const struct carry_need *need, unsigned out[CARRY_WAYS])
{
	return carry_ways_list(&members[0], &members[1], need, out);
}

static void ways_are_what_both_offer(void)
{
	struct carry_need need = {.has_kek = true, .first = CARRY_NO_WAY};
	unsigned out[CARRY_WAYS];

	begin();
	CU_ASSERT_EQUAL(list(&need, out), 0);
	offers[0][0] = CKM_AES_KEY_WRAP_PAD;
	offers[0][1] = CKM_AES_CBC_PAD;
	CU_ASSERT_EQUAL(list(&need, out), 0);
	offers[1][0] = CKM_AES_CBC_PAD;
	offers[1][1] = CKM_AES_KEY_WRAP_KWP;
	CU_ASSERT_EQUAL_FATAL(list(&need, out), 2);
	/* Key wrap comes first, whatever its number on the other side. */
	CU_ASSERT_EQUAL(carry_way(out[0])->out, CKM_AES_KEY_WRAP_PAD);
	CU_ASSERT_EQUAL(carry_way(out[0])->in, CKM_AES_KEY_WRAP_KWP);
	CU_ASSERT_EQUAL(carry_way(out[1])->in, CKM_AES_CBC_PAD);
	need.first = (int)out[1];
	CU_ASSERT_EQUAL_FATAL(list(&need, out), 2);
	CU_ASSERT_EQUAL(carry_way(out[0])->in, CKM_AES_CBC_PAD);
	need.has_kek = false;
	CU_ASSERT_EQUAL(list(&need, out), 0);
}

static void blocks_and_transport_are_for_secret_keys_that_fit(void)
{
	struct carry_need need = {.has_kek = true, .len = 32, .first = CARRY_NO_WAY};
	unsigned out[CARRY_WAYS];

	begin();
	offers[0][0] = offers[1][0] = CKM_AES_CBC;
	offers[0][1] = offers[1][1] = CKM_RSA_PKCS_OAEP;
	CU_ASSERT_EQUAL(list(&need, out), 0);
	need.is_secret = true;
	CU_ASSERT_EQUAL_FATAL(list(&need, out), 2);
	CU_ASSERT(!carry_way(out[0])->is_transport && carry_way(out[1])->is_transport);
	need.len = 20;
	CU_ASSERT_EQUAL_FATAL(list(&need, out), 1);
	CU_ASSERT(carry_way(out[0])->is_transport);
	need.len = 0; /* not known */
	CU_ASSERT_EQUAL(list(&need, out), 1);
	need.has_kek = false;
	CU_ASSERT_EQUAL(list(&need, out), 1);
	need.len = 500;
	CU_ASSERT_EQUAL(list(&need, out), 0);
}

static void a_way_is_found_by_its_mechanisms(void)
{
	char text[200];

	for (unsigned i = 0; i < CARRY_WAYS; i++)
		CU_ASSERT_EQUAL(carry_way_find(carry_way(i)->out, carry_way(i)->in), (int)i);
	CU_ASSERT_EQUAL(carry_way_find(CKM_AES_CBC, CKM_AES_KEY_WRAP), CARRY_NO_WAY);
	carry_way_text(1, text, sizeof text);
	CU_ASSERT_STRING_EQUAL(text, "CKM_AES_KEY_WRAP_PAD -> CKM_AES_KEY_WRAP_KWP");
}

static void routes(const char *text)
{
	char path[100];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/routes", dir);
	f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(fputs(text, f) >= 0);
	CU_ASSERT_EQUAL(fclose(f), 0);
}

static void other_firmware_is_another_pair(void)
{
	char pair[CARRY_PAIR], other[CARRY_PAIR];

	begin();
	CU_ASSERT(carry_pair(&members[0], &members[1], CARRY_RSA, pair));
	CU_ASSERT_STRING_EQUAL(pair, "Maker?A?"
				     "?//1.0/0.0\tB//1.0/0.0\trsa");
	firmware = 2;
	CU_ASSERT(carry_pair(&members[0], &members[1], CARRY_RSA, other));
	CU_ASSERT(strcmp(pair, other) != 0);
	CU_ASSERT(carry_pair(&members[1], &members[0], CARRY_RSA, pair));
	CU_ASSERT(strcmp(pair, other) != 0);
}

/* A child has nothing but the file. */
static bool is_found_in_a_child(const char *pair, int wanted)
{
	pid_t child = fork();
	int way = 77, status = 1;

	if (child == 0) {
		carry_forget_everything(true);
		_exit(carry_memory_find(&conf, pair, &way) && way == wanted ? 0 : 1);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void a_way_is_remembered_in_the_process_and_in_the_file(void)
{
	int way = 77;

	begin();
	CU_ASSERT(!carry_memory_find(&conf, "a\tb\trsa", &way));
	carry_memory_put(&conf, "a\tb\trsa", 3);
	carry_memory_put(&conf, "a\tb\tec", 4);
	CU_ASSERT(carry_memory_find(&conf, "a\tb\trsa", &way) && way == 3);
	carry_forget_everything(false);
	CU_ASSERT(carry_memory_find(&conf, "a\tb\trsa", &way) && way == 3);
	carry_memory_put(&conf, "a\tb\trsa", 5);
	CU_ASSERT(is_found_in_a_child("a\tb\trsa", 5));
	carry_forget_everything(false);
	CU_ASSERT(carry_memory_find(&conf, "a\tb\trsa", &way) && way == 5);
	CU_ASSERT(carry_memory_find(&conf, "a\tb\tec", &way) && way == 4);
	CU_ASSERT(!carry_memory_find(&conf, "a\tb\tr", &way));
}

static void that_there_is_no_way_is_forgotten_with_the_process(void)
{
	int way = 77;

	begin();
	carry_memory_put(&conf, "no\tway\trsa", CARRY_NO_WAY);
	CU_ASSERT(carry_memory_find(&conf, "no\tway\trsa", &way) && way == CARRY_NO_WAY);
	carry_forget_everything(false);
	CU_ASSERT(!carry_memory_find(&conf, "no\tway\trsa", &way));
}

static void what_is_damaged_counts_as_nothing(void)
{
	static const char *const texts[] = {"",
					    "p\tq\trsa",
					    "p\tq\trsa\t",
					    "p\tq\trsa\t0x2109 0x2109",
					    "p\tq\trsa\tnonsense\n",
					    "p\tq\trsa\t0x2109 0x2109 \n",
					    "p\tq\trsa\t0x2109 0x1\n",
					    "p\tq\trsa\n\n\n"};
	int way = 77;

	begin();
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		routes(texts[i]);
		CU_ASSERT(!carry_memory_find(&conf, "p\tq\trsa", &way));
	}
	routes("damage\np\tq\trsa\t0x2109 0x2109\n");
	CU_ASSERT(carry_memory_find(&conf, "p\tq\trsa", &way));
	CU_ASSERT_EQUAL(way, carry_way_find(CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP));
}

static void a_file_that_others_can_write_is_not_believed(void)
{
	char path[100];
	int way = 77;

	begin();
	routes("p\tq\trsa\t0x2109 0x2109\n");
	(void)snprintf(path, sizeof path, "%s/routes", dir);
	CU_ASSERT_EQUAL(chmod(path, 0666), 0);
	CU_ASSERT(!carry_memory_find(&conf, "p\tq\trsa", &way));
	carry_memory_put(&conf, "x\ty\trsa", 2);
	carry_forget_everything(false);
	CU_ASSERT(!carry_memory_find(&conf, "p\tq\trsa", &way));
	CU_ASSERT(carry_memory_find(&conf, "x\ty\trsa", &way) && way == 2);
	CU_ASSERT_EQUAL(unlink(path), 0);
}

static void without_a_directory_the_process_remembers(void)
{
	char nowhere[] = "/proc/hsmux-nowhere";
	int way = 77;

	begin();
	conf.state_journal = nowhere;
	carry_memory_put(&conf, "x\ty\trsa", 2);
	CU_ASSERT(carry_memory_find(&conf, "x\ty\trsa", &way) && way == 2);
	carry_forget_everything(false);
	CU_ASSERT(!carry_memory_find(&conf, "x\ty\trsa", &way));
}

static const struct unit_test tests[] = {
	UNIT(ways_are_what_both_offer),
	UNIT(blocks_and_transport_are_for_secret_keys_that_fit),
	UNIT(a_way_is_found_by_its_mechanisms),
	UNIT(other_firmware_is_another_pair),
	UNIT(a_way_is_remembered_in_the_process_and_in_the_file),
	UNIT(that_there_is_no_way_is_forgotten_with_the_process),
	UNIT(what_is_damaged_counts_as_nothing),
	UNIT(a_file_that_others_can_write_is_not_believed),
	UNIT(without_a_directory_the_process_remembers),
};

int main(void)
{
	int result;

	if (!mkdtemp(dir))
		return 1;
	result = unit_run("core/carry", tests, sizeof tests / sizeof tests[0]);
	carry_forget_everything(false);
	(void)rmdir(dir); /* the last test that uses it leaves it empty */
	return result;
}
