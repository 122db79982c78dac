/* SPDX-License-Identifier: BSD-2-Clause */
/* Driver for kek.sh: keys cross between real members, and are told from each other.
 *
 *   kek MODULE transport TOKEN FROM TO   an AES key of one member is carried to another */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kek.h"
#include "core/login.h"
#include "core/member_op.h"
#include "core/mux.h"
#include "core/session.h"
#include "core/transport.h"

#define PIN          "1234"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NEED(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			(void)printf("line %d: %s\n", __LINE__, #what);                            \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static struct group *enter(const char *label)
{
	CK_SESSION_HANDLE session;

	for (size_t i = 0; i < mux_group_count(); i++) {
		struct group *g = mux_group(i);

		if (strcmp(g->conf->label, label) != 0)
			continue;
		NEED(session_open(g->conf->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				  &session) == CKR_OK);
		NEED(login_in(session, CKU_USER, (const CK_BYTE *)PIN, strlen(PIN), NULL, 0) ==
		     CKR_OK);
		return g;
	}
	(void)printf("no token %s\n", label);
	exit(1);
}

static struct member_session *take(struct group *g, const char *name)
{
	struct member_session *ms = NULL;

	for (size_t i = 0; i < g->member_count; i++)
		if (strcmp(g->members[i].conf->name, name) == 0)
			NEED(pool_take(&g->members[i], 0, 1000, &ms) == CKR_OK);
	NEED(ms);
	return ms;
}

/* A session key that can wrap, and be wrapped. */
static CK_OBJECT_HANDLE generate(struct member_session *ms)
{
	CK_ULONG len = 32;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {
		{CKA_TOKEN, &no, sizeof no},         {CKA_SENSITIVE, &yes, sizeof yes},
		{CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_WRAP, &yes, sizeof yes},
		{CKA_UNWRAP, &yes, sizeof yes},      {CKA_VALUE_LEN, &len, sizeof len}};
	struct mech mech = {.m = {CKM_AES_KEY_GEN, NULL, 0}};
	struct call call = {.id = CALL_C_GenerateKey,
			    .mech = &mech,
			    .tmpl = {tmpl},
			    .tmpl_count = {COUNT(tmpl)}};

	NEED(member_call(ms, &call, (const CK_OBJECT_HANDLE[2]){0, 0}) == CKR_OK);
	return call.made[0];
}

static void transport(const char *label, const char *one, const char *two)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE tmpl[] = {{CKA_CLASS, &class, sizeof class},
			       {CKA_KEY_TYPE, &type, sizeof type},
			       {CKA_TOKEN, &no, sizeof no},
			       {CKA_WRAP, &yes, sizeof yes},
			       {CKA_UNWRAP, &yes, sizeof yes}};
	struct group *g = enter(label);
	struct kek_place from = {.ms = take(g, one)}, to = {.ms = take(g, two)}, other = from;
	struct transport *t = NULL;
	bool same = false;
	CK_RV rv;

	from.real = generate(from.ms);
	other.real = generate(from.ms);
	rv = transport_open(to.ms, &t);
	(void)printf("open: 0x%lx\n", rv);
	NEED(rv == CKR_OK);
	rv = transport_carry(t, from.ms, from.real, tmpl, COUNT(tmpl), &to.real);
	(void)printf("carry: 0x%lx\n", rv);
	NEED(rv == CKR_OK && to.real);
	transport_close(t);
	rv = kek_is_same_key(&from, &to, &same);
	(void)printf("compare: 0x%lx, %s\n", rv, same ? "same" : "not the same");
	NEED(rv == CKR_OK && same);
	NEED(kek_is_same_key(&to, &from, &same) == CKR_OK && same);
	NEED(kek_is_same_key(&to, &other, &same) == CKR_OK && !same);
	NEED(kek_is_same_key(&from, &other, &same) == CKR_OK && !same);
	pool_give(from.ms, 0);
	pool_give(to.ms, 0);
}

int main(int argc, char **argv)
{
	NEED(argc == 6 && strcmp(argv[2], "transport") == 0 && mux_init(NULL) == CKR_OK);
	transport(argv[3], argv[4], argv[5]);
	NEED(mux_fini() == CKR_OK);
	return 0;
}
