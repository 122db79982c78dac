/* SPDX-License-Identifier: BSD-2-Clause */
/* Narrowing of mechanisms: each flag stands for an act, which the policy is asked about. */
#include "core/narrow.h"

#include "core/base/clock.h"

/* The flags that say what a mechanism is for; CK_MECHANISM_INFO.flags has others, too. */
static const struct {
	CK_FLAGS flag;
	enum policy_act act;
} functions[] = {
	{CKF_ENCRYPT, ACT_ENCRYPT},
	{CKF_DECRYPT, ACT_DECRYPT},
	{CKF_DIGEST, ACT_DIGEST},
	{CKF_SIGN, ACT_SIGN},
	{CKF_SIGN_RECOVER, ACT_SIGN},
	{CKF_VERIFY, ACT_VERIFY},
	{CKF_VERIFY_RECOVER, ACT_VERIFY},
	{CKF_GENERATE, ACT_GENERATE},
	{CKF_GENERATE_KEY_PAIR, ACT_GENERATE},
	{CKF_WRAP, ACT_WRAP},
	{CKF_UNWRAP, ACT_UNWRAP},
	{CKF_DERIVE, ACT_DERIVE},
	{CKF_MESSAGE_ENCRYPT, ACT_ENCRYPT},
	{CKF_MESSAGE_DECRYPT, ACT_DECRYPT},
	{CKF_MESSAGE_SIGN, ACT_SIGN},
	{CKF_MESSAGE_VERIFY, ACT_VERIFY},
};

/* Sizes of AES keys are given in bytes, all others that are bounded in bits. */
static unsigned in_unit(CK_MECHANISM_TYPE type, unsigned bits)
{
	struct algorithm a;

	algorithm_of_type(type, ACT_NONE, &a);
	return algorithm_key(a.family) == ASPECT_KEY_AES ? bits / 8 : bits;
}

/* Adds what one act leaves to the widest bounds of all. */
static void widen(struct policy_bounds *all, const struct policy_bounds *one, bool is_first)
{
	if (is_first || one->least < all->least)
		all->least = one->least;
	if (is_first || one->most == 0 || (all->most != 0 && one->most > all->most))
		all->most = one->most;
}

/* 0 in both bounds of a mechanism means that it has no sizes. */
static bool clamp(struct member_mech *m, const struct policy_bounds *bounds)
{
	CK_ULONG least = in_unit(m->type, bounds->least), most = in_unit(m->type, bounds->most);

	if (m->info.ulMinKeySize == 0 && m->info.ulMaxKeySize == 0)
		return true;
	if (least > m->info.ulMinKeySize)
		m->info.ulMinKeySize = least;
	if (most != 0 && most < m->info.ulMaxKeySize)
		m->info.ulMaxKeySize = most;
	return m->info.ulMinKeySize <= m->info.ulMaxKeySize;
}

/* Whether anything is left of one mechanism. */
static bool narrow_one(const struct policy *policy, struct member_mech *m, int64_t now)
{
	struct policy_bounds all = {0, 0};
	bool had_function = false, has_function = false;

	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		struct policy_bounds one;

		if (!(m->info.flags & functions[i].flag))
			continue;
		had_function = true;
		if (!policy_leaves(policy, m->type, functions[i].act, now, &one)) {
			m->info.flags &= ~functions[i].flag;
			continue;
		}
		widen(&all, &one, !has_function);
		has_function = true;
	}
	return (has_function || !had_function) && clamp(m, &all);
}

CK_ULONG narrow_mechanisms(const struct policy *policy, struct member_mech *all, CK_ULONG count)
{
	int64_t now = clock_wall();
	CK_ULONG kept = 0;

	if (!policy || policy->mode != POLICY_ENFORCE)
		return count;
	for (CK_ULONG i = 0; i < count; i++) {
		struct member_mech m = all[i];

		if (narrow_one(policy, &m, now))
			all[kept++] = m;
	}
	return kept;
}
