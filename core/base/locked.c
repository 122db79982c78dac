/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages for secret bytes. No state, no lock; what may be forbidden to a process (locking memory)
 * fails silently, the pages are then still kept out of dumps and forks. */
#include "core/base/locked.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whole pages; 0 when the size is beyond all reason. */
static size_t round_up(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (size == 0)
		return page;
	return size > SIZE_MAX - page ? 0 : (size + page - 1) / page * page;
}

void *locked_new(size_t size)
{
	size_t len = round_up(size);
	void *pages;

	if (len == 0)
		return NULL;
	pages = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return NULL;
	(void)mlock(pages, len);
	(void)madvise(pages, len, MADV_DONTDUMP);
	(void)madvise(pages, len, MADV_WIPEONFORK);
	return pages;
}

void locked_free(void *pages, size_t size)
{
	if (!pages)
		return;
	explicit_bzero(pages, size);
	(void)munmap(pages, round_up(size)); /* cannot fail for what mmap gave */
}
