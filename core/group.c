/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual token: label, serial, information, mechanisms.
 *
 * What an application keeps (label, serial, presence) never changes with the members' health; what
 * it reads as the token's state (PIN flags, versions, memory) comes from the members: here from the
 * one of a passthrough token, in group_many.c from several. */
#include "core/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "core/call.h"
#include "core/group_many.h"
#include "core/narrow.h"

/* Blank-padded text as in Cryptoki's information structures; longer text is cut. */
static void pad(unsigned char *field, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	memset(field, ' ', size);
	memcpy(field, text, len);
}

/* 16 hex digits from the label alone: stored PKCS#11 URIs name it, so that nothing else may change
 * it. */
static bool make_serial(const char *label, unsigned char serial[static 16])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char digits[17];

	if (EVP_Digest(label, strlen(label), hash, NULL, EVP_sha256(), NULL) != 1)
		return false;
	for (size_t i = 0; i < 8; i++)
		(void)snprintf(digits + 2 * i, 3, "%02x", hash[i]);
	memcpy(serial, digits, 16);
	return true;
}

struct group *group_new(const struct config *config, const struct config_token *conf,
			struct library *const *libraries)
{
	struct group *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	g->members = calloc(conf->member_count, sizeof *g->members);
	g->logins = calloc(conf->member_count, sizeof *g->logins);
	g->views = calloc(conf->member_count, sizeof *g->views);
	if (!g->members || !g->logins || !g->views || !make_serial(conf->label, g->serial)) {
		free(g->views);
		free(g->logins);
		free(g->members);
		free(g);
		return NULL;
	}
	g->config = config;
	g->conf = conf;
	g->is_multi = conf->mode != CONFIG_MODE_PASSTHROUGH;
	g->member_count = conf->member_count;
	pad(g->label, sizeof g->label, conf->label);
	pthread_mutex_init(&g->login_lock, NULL);
	pthread_mutex_init(&g->view_lock, NULL);
	for (unsigned i = 0; i < conf->member_count; i++)
		member_init(&g->members[i], g, i, libraries[conf->members[i].module]);
	return g;
}

void group_free(struct group *g)
{
	if (!g)
		return;
	secret_free(&g->pin);
	for (size_t i = 0; i < g->member_count; i++) {
		secret_free(&g->logins[i].refused);
		free(g->views[i].mechs);
	}
	pthread_mutex_destroy(&g->view_lock);
	pthread_mutex_destroy(&g->login_lock);
	free(g->views);
	free(g->logins);
	free(g->members);
	free(g);
}

bool group_present(struct group *g)
{
	bool present = false;

	if (g->is_multi)
		return group_many_present(g);
	for (size_t i = 0; i < g->member_count; i++)
		present = atomic_load(&g->members[i].state) != MEMBER_ABSENT ||
			  member_up(&g->members[i], false) || present;
	return present;
}

static bool slot_info_of(struct group *g, CK_SLOT_INFO *info)
{
	return g->is_multi ? group_many_slot_info(g, info) : member_slot_info(&g->members[0], info);
}

void group_slot_info(struct group *g, CK_SLOT_INFO *info)
{
	CK_SLOT_INFO real;
	char text[sizeof info->slotDescription + 1];

	memset(info, 0, sizeof *info);
	(void)snprintf(text, sizeof text, "hsmux virtual token %s", g->conf->label);
	pad(info->slotDescription, sizeof info->slotDescription, text);
	pad(info->manufacturerID, sizeof info->manufacturerID, "hsmux");
	if (!group_present(g) || !slot_info_of(g, &real))
		return;
	info->flags |= CKF_TOKEN_PRESENT | (real.flags & CKF_HW_SLOT);
	info->hardwareVersion = real.hardwareVersion;
	info->firmwareVersion = real.firmwareVersion;
}

static bool token_info_of(struct group *g, CK_TOKEN_INFO *info)
{
	return g->is_multi ? group_many_token_info(g, info)
			   : member_token_info(&g->members[0], info);
}

CK_RV group_token_info(struct group *g, CK_TOKEN_INFO *info)
{
	/* No clock is shown, states cannot be saved across members, and dual operations are done by
	 * hsmux itself whatever the member can. */
	const CK_FLAGS hidden =
		CKF_CLOCK_ON_TOKEN | CKF_RESTORE_KEY_NOT_NEEDED | CKF_DUAL_CRYPTO_OPERATIONS;
	CK_TOKEN_INFO real;

	if (!group_present(g) || !token_info_of(g, &real))
		return CKR_TOKEN_NOT_PRESENT;
	*info = real;
	memcpy(info->label, g->label, sizeof info->label);
	memcpy(info->serialNumber, g->serial, sizeof info->serialNumber);
	pad(info->manufacturerID, sizeof info->manufacturerID, "hsmux");
	pad(info->model, sizeof info->model, "virtual token");
	memset(info->utcTime, ' ', sizeof info->utcTime);
	info->flags &= ~hidden;
	info->ulMaxSessionCount = CK_EFFECTIVELY_INFINITE;
	info->ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
	info->ulSessionCount = atomic_load(&g->sessions);
	info->ulRwSessionCount = atomic_load(&g->rw_sessions);
	return CKR_OK;
}

static struct member_mech *mechanisms_of(struct group *g, CK_ULONG *count)
{
	struct member_mech *all = g->is_multi ? group_many_mechanisms(g, count)
					      : member_mechanisms(&g->members[0], count);

	*count = narrow_mechanisms(g->conf->policy, all, *count);
	return all;
}

CK_RV group_mechanisms(struct group *g, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
	struct member_mech *all;
	CK_ULONG n;
	CK_RV rv = CKR_OK;

	if (!group_present(g))
		return CKR_TOKEN_NOT_PRESENT;
	all = mechanisms_of(g, &n);
	if (list && *count < n)
		rv = CKR_BUFFER_TOO_SMALL;
	for (CK_ULONG i = 0; list && rv == CKR_OK && i < n; i++)
		list[i] = all[i].type;
	*count = n;
	free(all);
	return rv;
}

CK_RV group_mechanism_info(struct group *g, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	struct member_mech *all;
	CK_RV rv = CKR_MECHANISM_INVALID;
	CK_ULONG n;

	if (!group_present(g))
		return CKR_TOKEN_NOT_PRESENT;
	all = mechanisms_of(g, &n);
	for (CK_ULONG i = 0; i < n && rv != CKR_OK; i++) {
		if (all[i].type != type)
			continue;
		*info = all[i].info;
		rv = CKR_OK;
	}
	free(all);
	return rv;
}

CK_RV group_init_token(struct group *g, const CK_BYTE *pin, CK_ULONG pin_len, const CK_BYTE *label)
{
	struct call call = {
		.id = CALL_C_InitToken,
		.place = CALL_TOKEN,
		.group = g,
		.in = label,
		.in_len = sizeof g->label,
	};
	struct secret *secret;
	CK_RV rv = CKR_SESSION_EXISTS;

	/* What is on several members cannot be destroyed on all of them or on none. */
	if (g->is_multi)
		return CKR_FUNCTION_NOT_SUPPORTED;
	secret = pin ? secret_new(pin, pin_len) : NULL;
	call.pin[0] = secret;
	if (pin && !secret)
		return pin_len > SECRET_MAX_LEN ? CKR_PIN_INCORRECT : CKR_HOST_MEMORY;
	pthread_mutex_lock(&g->login_lock);
	if (atomic_load(&g->sessions) == 0)
		rv = call_run(&call);
	pthread_mutex_unlock(&g->login_lock);
	secret_free(&secret);
	return rv;
}
