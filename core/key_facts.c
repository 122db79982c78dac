/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts about objects: a table of what was read lately, one place a handle, a lock for every few
 * places. A place is good while nothing was changed since and it is not too old; handles are never
 * used for another object. No member is called under a lock. */
#include "core/key_facts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/object_values.h"

/* Keys in use at once in one process; more take turns. */
#define PLACES  256U
#define STRIPES 8U

/* The longest modulus or prime: 16384 bits. */
#define NUMBER_BYTES 2048U
/* Labels, ids and exponents that are longer are no one's: such an object is not described. */
#define TEXT_BYTES 4096U
/* Explicit parameters of a curve. */
#define PARAMS_BYTES 1024U

struct place {
	CK_OBJECT_HANDLE handle; /* 0: nothing */
	const struct group *group;
	uint64_t generation;
	long long until_ms;
	struct described what;
};

static struct place places[PLACES];
static pthread_mutex_t locks[STRIPES] = {
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
};
static _Atomic uint64_t generation;

/* Rights and the like, and what else is read. */
#define FLAGS  10U
#define OTHERS 12U

/* What is read, and where it goes. */
struct reading {
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE type;
	CK_ULONG value_len, pset, hss_levels;
	CK_BBOOL flag[FLAGS];
	CK_BYTE label[TEXT_BYTES], id[TEXT_BYTES];
	CK_BYTE start[8], exponent[TEXT_BYTES];
	CK_BYTE params[PARAMS_BYTES], modulus[NUMBER_BYTES], prime[NUMBER_BYTES];
};

static const CK_ATTRIBUTE_TYPE flag_types[FLAGS] = {
	CKA_WRAP,   CKA_UNWRAP,    CKA_ENCRYPT,     CKA_DECRYPT, CKA_SIGN,
	CKA_DERIVE, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_LOCAL,   CKA_TRUSTED,
};

static bool is_answer(CK_RV rv)
{
	return rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	       rv == CKR_BUFFER_TOO_SMALL;
}

static CK_RV read_into(struct session *s, CK_OBJECT_HANDLE object, struct reading *r,
		       struct described *out)
{
	CK_ATTRIBUTE a[OTHERS + FLAGS] = {
		{CKA_CLASS, &r->class, sizeof r->class},
		{CKA_KEY_TYPE, &r->type, sizeof r->type},
		{CKA_LABEL, r->label, sizeof r->label},
		{CKA_ID, r->id, sizeof r->id},
		{CKA_START_DATE, r->start, sizeof r->start},
		{CKA_VALUE_LEN, &r->value_len, sizeof r->value_len},
		{CKA_PUBLIC_EXPONENT, r->exponent, sizeof r->exponent},
		{CKA_EC_PARAMS, r->params, sizeof r->params},
		{CKA_MODULUS, r->modulus, sizeof r->modulus},
		{CKA_PRIME, r->prime, sizeof r->prime},
		{CKA_PARAMETER_SET, &r->pset, sizeof r->pset},
		{CKA_HSS_LEVELS, &r->hss_levels, sizeof r->hss_levels},
	};
	CK_RV rv;

	for (size_t i = 0; i < FLAGS; i++)
		a[OTHERS + i] = (CK_ATTRIBUTE){flag_types[i], &r->flag[i], sizeof r->flag[i]};
	rv = object_values(s, object, a, OTHERS + FLAGS);
	if (!is_answer(rv))
		return rv;
	/* A label that cannot be seen might be one that a rule names. */
	if (rv == CKR_BUFFER_TOO_SMALL && a[2].ulValueLen == CK_UNAVAILABLE_INFORMATION)
		return CKR_DEVICE_MEMORY;
	describe_init(out, PART_KEY);
	describe_attributes(out, a, OTHERS + FLAGS);
	/* Every object has a class; whoever does not say it says nothing that can be judged. */
	return out->object.class != CK_UNAVAILABLE_INFORMATION ? CKR_OK : CKR_DEVICE_ERROR;
}

static CK_RV read_anew(struct session *s, CK_OBJECT_HANDLE object, struct described *out)
{
	struct reading *r = calloc(1, sizeof *r);
	CK_RV rv = r ? read_into(s, object, r, out) : CKR_HOST_MEMORY;

	free(r);
	return rv;
}

static bool recall(const struct session *s, CK_OBJECT_HANDLE object, struct described *out)
{
	struct place *p = &places[object % PLACES];
	pthread_mutex_t *lock = &locks[object % STRIPES];
	bool is_good;

	pthread_mutex_lock(lock);
	is_good = p->handle == object && p->group == s->group &&
		  p->generation == atomic_load(&generation) && clock_ms() < p->until_ms;
	if (is_good)
		*out = p->what;
	pthread_mutex_unlock(lock);
	if (is_good)
		describe_fix(out);
	return is_good;
}

CK_RV key_facts_of(struct session *s, CK_OBJECT_HANDLE object, struct described *out)
{
	struct place *p = &places[object % PLACES];
	uint64_t before = atomic_load(&generation);
	CK_RV rv;

	if (recall(s, object, out))
		return CKR_OK;
	rv = read_anew(s, object, out);
	if (rv != CKR_OK)
		return rv;
	pthread_mutex_lock(&locks[object % STRIPES]);
	*p = (struct place){object, s->group, before, clock_ms() + KEY_FACTS_MS, *out};
	pthread_mutex_unlock(&locks[object % STRIPES]);
	return CKR_OK;
}

void key_facts_forget(void)
{
	atomic_fetch_add(&generation, 1);
}

uint64_t key_facts_generation(void)
{
	return atomic_load_explicit(&generation, memory_order_relaxed);
}

void key_facts_forked(void)
{
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_init(&locks[i], NULL);
	key_facts_forget();
}
