/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known about makers of tokens: rows in conf/vendors/NAME.conf, one file a maker.
 *
 * Behaviour that differs from the standard is a key of such a file, never an `if` on a name. */
#ifndef HSMUX_CORE_VENDOR_H
#define HSMUX_CORE_VENDOR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/diag.h"
#include "core/base/pkcs11.h"

/* What a forked child must do before it can use the module again. */
enum vendor_fork {
	VENDOR_FORK_INIT,               /* C_Initialize works in the child */
	VENDOR_FORK_FINALIZE_THEN_INIT, /* C_Finalize drops what the child inherits */
	VENDOR_FORK_NEVER /* the child breaks the parent: unusable in a forked child */
};

/* What a return code of the maker's own means; see core/route.h for the standard's codes. */
enum vendor_outcome { VENDOR_VERDICT, VENDOR_SESSION_LOST, VENDOR_MEMBER_DEAD, VENDOR_BUSY };

struct vendor_code {
	CK_RV code;
	enum vendor_outcome outcome;
};

/* One profile. Strings and arrays are owned by the set. */
struct vendor {
	char *name;       /* "softhsm2": what `vendor = "..."` in hsmux.conf says */
	char *title;      /* for people: "SoftHSM 2" */
	char *source;     /* where the facts come from */
	bool is_tested;   /* ran against hsmux, or only documents were read */
	char **libraries; /* fnmatch patterns for the file name of the library */
	size_t library_count;
	char *manufacturer; /* fnmatch pattern for CK_INFO.manufacturerID, or NULL */
	enum vendor_fork fork;
	bool raises_sigpipe;      /* calls may raise SIGPIPE: guard them */
	bool serial;              /* two calls at once may hang: one at a time */
	bool instance_per_list;   /* each C_GetFunctionList makes an independent instance */
	bool reinit_breaks;       /* C_Finalize may lose a module that still works */
	bool reload_to_recover;   /* after a failure only dlclose and dlopen help */
	bool writes_iv_late;      /* writes CK_GCM_PARAMS.pIv of C_EncryptInit during C_Encrypt */
	bool short_buffer_ends;   /* CKR_BUFFER_TOO_SMALL ends the operation on the member */
	bool flat_templates;      /* keeps templates in attributes as bytes, pointers and all */
	bool attributes_overflow; /* C_GetAttributeValue writes beyond a buffer that is too short */
	bool unwrap_ec_point;     /* C_UnwrapKey of an EC key wants its public point (CKA_NSS_DB) */
	bool no_data_objects;  /* takes none that are token objects: keeps no records (record.h) */
	bool replaces_same_id; /* a new token key takes the place of one with its CKA_ID */
	bool trust_3_0;        /* default true: use its 3.0 interface when it has one */
	CK_MECHANISM_TYPE *lacks; /* mechanisms that it lists and cannot do: not believed */
	size_t lack_count;
	struct vendor_code *codes;
	size_t code_count;
};

/* True when the maker's tokens cannot do the mechanism although they list it. */
bool vendor_lacks(const struct vendor *vendor, CK_MECHANISM_TYPE type);

/* All profiles; immutable after loading. */
struct vendor_set {
	struct vendor *vendors;
	size_t count;
};

/* Reads every *.conf of `dir` (NULL: conf/vendors beside the build tree's module, where nobody else
 * could have put it, else the installed directory). Errors go to `diag`, a file with errors is left
 * out; the rest is loaded. The caller owns the result, which is never NULL unless memory is out. */
struct vendor_set *vendor_load(const char *dir, struct diag *diag);

/* The profile of this name, or NULL. Borrowed from the set. */
const struct vendor *vendor_by_name(const struct vendor_set *set, const char *name);

/* Recognises a library by its file name, and when `info` is given by CK_INFO.manufacturerID; NULL
 * when none matches. Borrowed from the set. */
const struct vendor *vendor_recognise(const struct vendor_set *set, const char *library,
				      const CK_INFO *info);

/* What is assumed of a maker nobody knows: the standard's behaviour. Static. */
const struct vendor *vendor_generic(void);

/* Frees all of it. NULL is allowed. */
void vendor_free(struct vendor_set *set);

#endif
