/* SPDX-License-Identifier: BSD-2-Clause */
/* Lets the n-th allocation fail: for programs linked with --wrap of the four functions below.
 * Included by one source file of a program. */
#ifndef HSMUX_TESTS_UNIT_BASE_FAIL_ALLOC_H
#define HSMUX_TESTS_UNIT_BASE_FAIL_ALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

/* Allocations seen since alloc_fail_at, and which of them fails (counted from 1; 0: none). */
static _Atomic unsigned long alloc_seen;
static _Atomic unsigned long alloc_failing;
/* Called at every allocation when set: what another thread might do at that moment. */
static void (*alloc_hook)(void);

static void alloc_fail_at(unsigned long nth)
{
	alloc_seen = 0;
	alloc_failing = nth;
}

static bool alloc_fails(void)
{
	if (alloc_hook)
		alloc_hook();
	if (++alloc_seen != alloc_failing)
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return alloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return alloc_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return alloc_fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return alloc_fails() ? NULL : __real_reallocarray(old, count, size);
}

#endif
