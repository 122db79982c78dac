/* SPDX-License-Identifier: BSD-2-Clause */
/* What members are asked about logins and PINs: a function for each member, because a function of
 * Cryptoki does not know in whose list it is. */
#include "tests/unit/core/script.h"

#include <stdio.h>
#include <string.h>

struct script script_login[WORLD_MEMBERS];
struct script script_logout[WORLD_MEMBERS];
struct script script_init_pin[WORLD_MEMBERS];
struct script script_set_pin[WORLD_MEMBERS];

/* What is answered instead of the token; CKR_OK: the token is asked. */
static CK_RV next_answer(struct script *s, const CK_BYTE *pin, CK_ULONG len)
{
	unsigned before = s->calls++;

	(void)snprintf(s->pin, sizeof s->pin, "%.*s", (int)len, pin ? (const char *)pin : "");
	if (before < s->after || (s->counts && before >= s->after + s->counts))
		return CKR_OK;
	return s->answer;
}

static CK_RV login(unsigned i, CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin,
		   CK_ULONG len)
{
	CK_RV rv = next_answer(&script_login[i], pin, len);

	return rv == CKR_OK ? world_real_at(i)->C_Login(session, user, pin, len) : rv;
}

static CK_RV logout(unsigned i, CK_SESSION_HANDLE session)
{
	CK_RV rv = next_answer(&script_logout[i], NULL, 0);

	return rv == CKR_OK ? world_real_at(i)->C_Logout(session) : rv;
}

static CK_RV init_pin(unsigned i, CK_SESSION_HANDLE session, CK_BYTE *pin, CK_ULONG len)
{
	CK_RV rv = next_answer(&script_init_pin[i], pin, len);

	return rv == CKR_OK ? world_real_at(i)->C_InitPIN(session, pin, len) : rv;
}

static CK_RV set_pin(unsigned i, CK_SESSION_HANDLE session, CK_BYTE *from, CK_ULONG from_len,
		     CK_BYTE *to, CK_ULONG to_len)
{
	CK_RV rv = next_answer(&script_set_pin[i], to, to_len);

	return rv == CKR_OK ? world_real_at(i)->C_SetPIN(session, from, from_len, to, to_len) : rv;
}

#define MEMBER(i)                                                                                  \
	static CK_RV login_##i(CK_SESSION_HANDLE s, CK_USER_TYPE u, CK_BYTE *p, CK_ULONG n)        \
	{                                                                                          \
		return login(i, s, u, p, n);                                                       \
	}                                                                                          \
	static CK_RV logout_##i(CK_SESSION_HANDLE s)                                               \
	{                                                                                          \
		return logout(i, s);                                                               \
	}                                                                                          \
	static CK_RV init_pin_##i(CK_SESSION_HANDLE s, CK_BYTE *p, CK_ULONG n)                     \
	{                                                                                          \
		return init_pin(i, s, p, n);                                                       \
	}                                                                                          \
	static CK_RV set_pin_##i(CK_SESSION_HANDLE s, CK_BYTE *o, CK_ULONG on, CK_BYTE *p,         \
				 CK_ULONG n)                                                       \
	{                                                                                          \
		return set_pin(i, s, o, on, p, n);                                                 \
	}

MEMBER(0)
MEMBER(1)
MEMBER(2)

static const struct {
	CK_RV (*login)(CK_SESSION_HANDLE, CK_USER_TYPE, CK_BYTE *, CK_ULONG);
	CK_RV (*logout)(CK_SESSION_HANDLE);
	CK_RV (*init_pin)(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG);
	CK_RV (*set_pin)(CK_SESSION_HANDLE, CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG);
} members[WORLD_MEMBERS] = {
	{login_0, logout_0, init_pin_0, set_pin_0},
	{login_1, logout_1, init_pin_1, set_pin_1},
	{login_2, logout_2, init_pin_2, set_pin_2},
};

void script_begin(unsigned count)
{
	memset(script_login, 0, sizeof script_login);
	memset(script_logout, 0, sizeof script_logout);
	memset(script_init_pin, 0, sizeof script_init_pin);
	memset(script_set_pin, 0, sizeof script_set_pin);
	for (unsigned i = 0; i < count; i++) {
		CK_FUNCTION_LIST *list = world_list_at(i);

		list->C_Login = members[i].login;
		list->C_Logout = members[i].logout;
		list->C_InitPIN = members[i].init_pin;
		list->C_SetPIN = members[i].set_pin;
	}
}

unsigned script_logins(void)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < WORLD_MEMBERS; i++)
		sum += script_login[i].calls;
	return sum;
}
