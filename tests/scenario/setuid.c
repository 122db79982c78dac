/* SPDX-License-Identifier: BSD-2-Clause */
/* MODULE LABEL: prints "secure" or "plain" (as the kernel started the process) and "sees" or
 * "misses" for the token. Run by its script as a setuid program. */
#include "tests/scenario/app.h"

#include <stdio.h>
#include <sys/auxv.h>

int main(int argc, char **argv)
{
	struct app app;
	CK_RV rv;

	CHECK(argc == 3);
	app_load(&app, argv[1]);
	rv = app.f->C_Initialize(NULL);
	printf("%s %s\n", getauxval(AT_SECURE) != 0 ? "secure" : "plain",
	       rv == CKR_OK && app_sees(&app, argv[2], false) ? "sees" : "misses");
	return 0;
}
