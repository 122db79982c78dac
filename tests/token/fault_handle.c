/* SPDX-License-Identifier: BSD-2-Clause */
/* The fault token's object handles.
 *
 * Usually they are the real module's. With `state renumber` each object has a place, by its class,
 * id and label, and each initialisation exchanges the places in another way than the one before: a
 * handle kept from before then denotes another object that exists, which is what real tokens do to
 * whoever keeps handles too long. `lock` guards the table; the real module is asked for attributes
 * while it is held. Must never change what is not an object's handle. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/token/fault.h"

#define OBJECTS_MAX 4096
/* Our numbers begin here, so that a real handle is not mistaken for one of them. */
#define FIRST 0x1000

/* An object that was met. */
struct place {
	uint64_t name;         /* of class, id and label */
	CK_OBJECT_HANDLE real; /* in this initialisation; CK_INVALID_HANDLE: not met yet */
};

static struct {
	pthread_mutex_t lock;
	bool renumbers;
	unsigned turn; /* initialisations with renumbering */
	CK_ULONG count;
	struct place places[OBJECTS_MAX];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Which places of a block of four are exchanged; its own inverse. */
static CK_ULONG exchanged(CK_ULONG place)
{
	static const CK_ULONG masks[] = {0, 2, 1, 3};

	return place ^ masks[table.turn % 4];
}

void fault_handles_anew(bool renumbers)
{
	pthread_mutex_init(&table.lock,
			   NULL); /* a child may have got it locked; nobody else calls */
	table.renumbers = renumbers;
	table.turn += renumbers ? 1 : 0;
	for (CK_ULONG i = 0; i < table.count; i++)
		table.places[i].real = CK_INVALID_HANDLE;
}

CK_OBJECT_HANDLE fault_handle_real(CK_OBJECT_HANDLE shown)
{
	CK_OBJECT_HANDLE real = CK_INVALID_HANDLE;
	CK_ULONG place;

	if (!table.renumbers || shown < FIRST || shown >= FIRST + OBJECTS_MAX)
		return table.renumbers ? CK_INVALID_HANDLE : shown;
	pthread_mutex_lock(&table.lock);
	place = exchanged(shown - FIRST);
	if (place < table.count)
		real = table.places[place].real;
	pthread_mutex_unlock(&table.lock);
	return real;
}

/* FNV-1a. */
static uint64_t hashed(uint64_t sum, const unsigned char *bytes, CK_ULONG len)
{
	for (CK_ULONG i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3u;
	return (sum ^ len) * 0x100000001b3u;
}

/* What tells an object from others in every initialisation. */
static uint64_t name_of_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE real)
{
	CK_OBJECT_CLASS class = 0;
	unsigned char id[64];
	unsigned char label[64];
	CK_ATTRIBUTE known[] = {{CKA_CLASS, &class, sizeof(class)},
				{CKA_ID, id, sizeof(id)},
				{CKA_LABEL, label, sizeof(label)}};
	uint64_t sum = 0xcbf29ce484222325u;

	(void)fault_real->C_GetAttributeValue(session, real, known, 3); /* not all have all */
	for (unsigned i = 0; i < 3; i++)
		if (known[i].ulValueLen != CK_UNAVAILABLE_INFORMATION)
			sum = hashed(sum, known[i].pValue, known[i].ulValueLen);
	return sum;
}

static CK_OBJECT_HANDLE show(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE real)
{
	struct place *p = table.places;
	uint64_t name;

	for (CK_ULONG i = 0; i < table.count; i++)
		if (p[i].real == real)
			return FIRST + exchanged(i);
	name = name_of_object(session, real);
	for (CK_ULONG i = 0; i < table.count; i++) {
		if (p[i].name != name || p[i].real != CK_INVALID_HANDLE)
			continue;
		p[i].real = real;
		return FIRST + exchanged(i);
	}
	if (table.count == OBJECTS_MAX)
		abort(); /* no rehearsal needs so many objects */
	p[table.count] = (struct place){.name = name, .real = real};
	return FIRST + exchanged(table.count++);
}

void fault_handles_show(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *handles, CK_ULONG count)
{
	if (!table.renumbers || !handles)
		return;
	pthread_mutex_lock(&table.lock);
	for (CK_ULONG i = 0; i < count; i++)
		handles[i] = show(session, handles[i]);
	pthread_mutex_unlock(&table.lock);
}
