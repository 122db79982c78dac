/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual token made by hand: no configuration is read, no library loaded, no lock is used but
 * the members' own. */
#include "tests/unit/core/trio.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/object.h"

struct config trio_config;
struct config_token trio_conf;
struct config_member trio_member_conf[TRIO];
struct vendor trio_vendor[TRIO];
struct library trio_library[TRIO];
struct member trio_member[TRIO];
struct group trio;

static char label[] = "t";
static char names[TRIO][3] = {"m0", "m1", "m2"};

static void begin_member(unsigned i)
{
	struct member *m = &trio_member[i];

	memset(m, 0, sizeof *m);
	trio_member_conf[i] = (struct config_member){.name = names[i], .priority = 1, .weight = 1};
	trio_vendor[i] = *vendor_generic();
	memset(&trio_library[i], 0, sizeof trio_library[i]);
	atomic_store(&trio_library[i].vendor, &trio_vendor[i]);
	m->conf = &trio_member_conf[i];
	m->group = &trio;
	m->index = i;
	m->group_label = label;
	m->lib = &trio_library[i];
	pthread_mutex_init(&m->map_lock, NULL);
	atomic_store(&m->state, MEMBER_UP);
	atomic_store(&m->epoch, 1);
	atomic_store(&m->serves, 1);
}

void trio_begin(enum config_mode mode)
{
	memset(&trio_config, 0, sizeof trio_config);
	config_defaults(&trio_config);
	trio_conf = (struct config_token){
		.label = label, .mode = mode, .members = trio_member_conf, .member_count = TRIO};
	memset(&trio, 0, sizeof trio);
	trio.config = &trio_config;
	trio.conf = &trio_conf;
	trio.is_multi = mode != CONFIG_MODE_PASSTHROUGH;
	trio.members = trio_member;
	trio.member_count = TRIO;
	for (unsigned i = 0; i < TRIO; i++)
		begin_member(i);
	clock_set_ms(1000000);
}

void trio_keep(unsigned count)
{
	trio.member_count = count;
	trio_conf.member_count = count;
}

void trio_end(void)
{
	for (unsigned i = 0; i < TRIO; i++)
		object_drop_epoch(&trio_member[i]);
	object_forget_everything(false);
	for (unsigned i = 0; i < TRIO; i++)
		pthread_mutex_destroy(&trio_member[i].map_lock);
	clock_set_ms(-1);
}

void trio_lose(unsigned i)
{
	atomic_store(&trio_member[i].serves, 0);
	atomic_store(&trio_member[i].state, MEMBER_DOWN);
	atomic_fetch_add(&trio_member[i].epoch, 1);
	object_drop_epoch(&trio_member[i]);
}

void trio_return(unsigned i)
{
	atomic_store(&trio_member[i].state, MEMBER_UP);
	atomic_store(&trio_member[i].serves, 1);
}
