/* SPDX-License-Identifier: BSD-2-Clause */
/* For drivers over the core: the profiles of makers are those of the build tree, which the module finds
 * beside itself. Linked with --wrap=vendor_load. */
#include "core/vendor.h"

struct vendor_set *__real_vendor_load(const char *dir, struct diag *diag);
struct vendor_set *__wrap_vendor_load(const char *dir, struct diag *diag);

struct vendor_set *__wrap_vendor_load(const char *dir, struct diag *diag)
{
	return __real_vendor_load(dir ? dir : VENDORS_BUILT, diag);
}
