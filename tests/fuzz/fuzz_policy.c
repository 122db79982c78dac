/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the reader of policies, and decides with what it reads. Either a policy comes back and no
 * message, or messages and no policy; a refusal always has a code, a rule and a reason, and what a
 * permissive copy of the policy says differs in nothing else. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/describe.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 leaks the text of a string that a syntax error leaves open (strbuf_append). */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

/* One call made of a few bytes of the text, so that what was found can be looked at. */
static void decide(struct policy *p, const uint8_t *data, size_t size)
{
	static const struct caller caller = {.uid = 1000,
					     .gid = 1000,
					     .user = "a",
					     .group = "g",
					     .exe = "/x",
					     .unit = "u",
					     .cgroup = "/",
					     .label = "l",
					     .trust = TRUST_PROCESS};
	CK_MECHANISM mech = {0, NULL, 0};
	struct facts facts = {.function = "",
			      .token = "t",
			      .role = "user",
			      .caller = &caller,
			      .mech = &mech,
			      .now = 1796126400};
	struct verdict hard, soft;
	struct described d;
	size_t turn = size > 8 ? data[size / 2] : 0;

	(void)algorithm_at(turn * 2, &mech.mechanism);
	facts.act = (enum policy_act)(data[size / 3] % ACT_COUNT);
	describe_init(&d, (enum policy_part)(data[size / 4] % 3));
	d.object.class = data[size / 5] % 5;
	d.object.type = data[size / 6] % 0x20;
	d.object.bits = data[size / 7] * 32U;
	d.object.known = d.object.flags = data[size / 8];
	memcpy(d.label, data, size < 8 ? size : 8);
	facts.object[facts.object_count++] = &d.object;
	p->mode = POLICY_ENFORCE;
	policy_check(p, &facts, &hard);
	if (!hard.is_allowed && (hard.code == CKR_OK || !hard.rule || hard.why[0] == '\0' ||
				 hard.number == 0 || hard.reason == REASON_NONE))
		abort();
	p->mode = POLICY_PERMISSIVE;
	policy_check(p, &facts, &soft);
	if (!soft.is_allowed || soft.number != hard.number ||
	    (!hard.is_allowed && !soft.would_deny))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = {0};
	char *text = malloc(size + 1);
	struct policy *p;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	p = policy_parse_text(text, "fuzz", &diag);
	if ((p == NULL) != (diag.count != 0))
		abort();
	if (p && size > 0)
		decide(p, data, size);
	policy_free(p);
	diag_free(&diag);
	free(text);
	return 0;
}
