/* SPDX-License-Identifier: BSD-2-Clause */
/* The null token in bad weather. Handles of its synthetic keys are turned by the number of the
 * life: who uses one of an earlier life uses another key, which the test sees in the signature. */
#include "tests/unit/core/storm_token.h"

#include <stdbool.h>
#include <stdint.h>

/* Of the null token: see its null_object.c. */
#define KEY_BASE    0xb1e7000000000001UL
#define KEY_OBJECTS (3UL * STORM_KEYS)

struct storm_seen storm_seen;

static const CK_FUNCTION_LIST *null;
static _Atomic bool is_calm;
static _Atomic bool is_sick; /* until it is initialised anew */
static _Atomic int inside;

unsigned storm_random(unsigned n)
{
	static _Atomic uint32_t seed;
	static _Thread_local uint32_t x;

	if (x == 0)
		x = atomic_fetch_add(&seed, 1) * 2654435761U + 88675123U;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

static CK_OBJECT_HANDLE turned(CK_OBJECT_HANDLE h, unsigned long by)
{
	if (h < KEY_BASE || h >= KEY_BASE + KEY_OBJECTS)
		return h;
	return KEY_BASE + (h - KEY_BASE + 3 * by) % KEY_OBJECTS;
}

static CK_OBJECT_HANDLE out_of(CK_OBJECT_HANDLE h)
{
	return turned(h, atomic_load(&storm_seen.lives) % STORM_KEYS);
}

static CK_OBJECT_HANDLE into(CK_OBJECT_HANDLE h)
{
	return turned(h, STORM_KEYS - atomic_load(&storm_seen.lives) % STORM_KEYS);
}

/* Begins a call: what it answers instead of the token, or CKR_OK. */
static CK_RV enter(unsigned one_in)
{
	static const CK_RV codes[] = {CKR_DEVICE_REMOVED, CKR_SESSION_HANDLE_INVALID,
				      CKR_GENERAL_ERROR, CKR_DEVICE_ERROR};
	CK_RV rv;

	atomic_fetch_add(&inside, 1);
	if (atomic_load(&is_calm) || storm_random(one_in) != 0)
		return CKR_OK;
	atomic_fetch_add(&storm_seen.failures, 1);
	rv = codes[storm_random(4)];
	if (rv == CKR_DEVICE_REMOVED && storm_random(2) == 0)
		atomic_store(&is_sick, true);
	return rv;
}

static CK_RV leave(CK_RV rv)
{
	atomic_fetch_sub(&inside, 1);
	return rv;
}

static void must_be_alone(void)
{
	if (atomic_load(&inside) != 0)
		atomic_fetch_add(&storm_seen.rudeness, 1);
}

static CK_RV initialize(void *args)
{
	must_be_alone();
	atomic_fetch_add(&storm_seen.lives, 1);
	atomic_store(&is_sick, false);
	return null->C_Initialize(args);
}

static CK_RV finalize(void *reserved)
{
	must_be_alone();
	return null->C_Finalize(reserved);
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	return atomic_load(&is_sick) ? CKR_DEVICE_REMOVED : null->C_GetTokenInfo(slot, info);
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
			  CK_SESSION_HANDLE *session)
{
	CK_RV rv = enter(300);

	return leave(rv ? rv : null->C_OpenSession(slot, flags, application, notify, session));
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
	CK_RV rv = enter(~0U);

	return leave(rv ? rv : null->C_CloseSession(session));
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG len)
{
	CK_RV rv = enter(20);

	return leave(rv ? rv : null->C_Login(session, user, pin, len));
}

static CK_RV logout(CK_SESSION_HANDLE session)
{
	CK_RV rv = enter(20);

	return leave(rv ? rv : null->C_Logout(session));
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	CK_RV rv = enter(200);

	return leave(rv ? rv : null->C_FindObjectsInit(session, tmpl, count));
}

static CK_RV find_next(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *found, CK_ULONG max,
		       CK_ULONG *count)
{
	CK_RV rv = enter(300);

	if (rv == CKR_OK)
		rv = null->C_FindObjects(session, found, max, count);
	for (CK_ULONG i = 0; rv == CKR_OK && i < *count; i++)
		found[i] = out_of(found[i]);
	return leave(rv);
}

static CK_RV get_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *tmpl,
			    CK_ULONG count)
{
	CK_RV rv = enter(300);

	return leave(rv ? rv : null->C_GetAttributeValue(session, into(object), tmpl, count));
}

static CK_RV create(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count,
		    CK_OBJECT_HANDLE *object)
{
	CK_RV rv = enter(200);

	return leave(rv ? rv : null->C_CreateObject(session, tmpl, count, object));
}

static CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	CK_RV rv = enter(200);

	return leave(rv ? rv : null->C_DestroyObject(session, into(object)));
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	CK_RV rv = enter(100);

	return leave(rv ? rv : null->C_SignInit(session, m, into(key)));
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		  CK_ULONG *out_len)
{
	CK_RV rv = enter(100);

	return leave(rv ? rv : null->C_Sign(session, in, in_len, out, out_len));
}

static CK_RV generate_random(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG len)
{
	CK_RV rv = enter(100);

	return leave(rv ? rv : null->C_GenerateRandom(session, out, len));
}

void storm_begin(CK_FUNCTION_LIST *list, const CK_FUNCTION_LIST *real)
{
	null = real;
	list->C_Initialize = initialize;
	list->C_Finalize = finalize;
	list->C_GetTokenInfo = get_token_info;
	list->C_OpenSession = open_session;
	list->C_CloseSession = close_session;
	list->C_Login = login;
	list->C_Logout = logout;
	list->C_FindObjectsInit = find_init;
	list->C_FindObjects = find_next;
	list->C_GetAttributeValue = get_attributes;
	list->C_CreateObject = create;
	list->C_DestroyObject = destroy;
	list->C_SignInit = sign_init;
	list->C_Sign = sign;
	list->C_GenerateRandom = generate_random;
	atomic_store(&is_calm, false);
}

void storm_end(void)
{
	atomic_store(&is_calm, true);
	atomic_store(&is_sick, false);
}
