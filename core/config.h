/* SPDX-License-Identifier: BSD-2-Clause */
/* hsmux.conf read into plain data. Nothing here loads a library or talks to a token. */
#ifndef HSMUX_CORE_CONFIG_H
#define HSMUX_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/diag.h"
#include "core/base/log.h"
#include "core/base/pkcs11.h"

struct policy;
struct vendor_set;

/* A variable set in this process around the module's C_GetFunctionList and C_Initialize. */
struct config_env {
	char *name;
	char *value;
};

/* One entry of `modules`: a vendor's library. All strings are owned by the config. */
struct config_module {
	char *name;
	char *library; /* absolute path */
	bool has_sha256;
	uint8_t sha256[32];
	struct config_env *env;
	size_t env_count;
	char *init_args; /* C_INITIALIZE_ARGS.pReserved, or NULL */
	char *vendor;    /* name of a vendor profile, or "auto" */
	bool private_copy;
	unsigned line;
};

/* More members than this in one virtual token are refused. */
#define CONFIG_MAX_MEMBERS 8

/* What a member is used for. */
enum config_role {
	CONFIG_ROLE_ACTIVE,
	CONFIG_ROLE_STANDBY, /* serves only while no active member can */
	CONFIG_ROLE_FALLBACK /* the same, and never makes objects */
};

/* Where a member's PIN comes from. */
enum config_pin {
	CONFIG_PIN_SAME, /* what the application gives to C_Login */
	CONFIG_PIN_FILE,
	CONFIG_PIN_ENV,
	CONFIG_PIN_CREDENTIAL /* a systemd credential: a file of that name in $CREDENTIALS_DIRECTORY
			       */
};

/* One entry of a token's `members`: which real token. Token, serial or slot is set. */
struct config_member {
	char *name;
	size_t module; /* index into config.modules */
	char *token;   /* CK_TOKEN_INFO.label without padding, or NULL */
	char *serial;  /* CK_TOKEN_INFO.serialNumber without padding, or NULL */
	bool has_slot;
	CK_SLOT_ID slot;
	unsigned max_sessions; /* 0 = what the token says */
	unsigned priority;     /* failover: the lowest healthy number serves; default 1 */
	unsigned weight;       /* balanced: share of the load; default 1 */
	enum config_role role;
	enum config_pin pin;
	char *pin_where; /* path, variable or credential; NULL for CONFIG_PIN_SAME */
	unsigned line;
};

/* How a virtual token uses its members. */
enum config_mode {
	CONFIG_MODE_PASSTHROUGH, /* one member, as it is */
	CONFIG_MODE_FAILOVER,
	CONFIG_MODE_BALANCED,
	CONFIG_MODE_CAPABILITY
};

/* How `balanced` chooses. */
enum config_balance { CONFIG_BALANCE_LEAST_LOADED, CONFIG_BALANCE_ROUND_ROBIN };

/* On how many members a new token object has to be before the application hears of it. */
enum config_replicate {
	CONFIG_REPLICATE_NONE, /* keys are brought to the members by other means */
	CONFIG_REPLICATE_ALL,
	CONFIG_REPLICATE_MAJORITY,
	CONFIG_REPLICATE_FIRST /* one; the others get it as far as they can */
};

/* What becomes of keys that have to be copied. */
enum config_protect {
	CONFIG_PROTECT_KEK,   /* wrappable, by the KEK only: a new member can be filled from any */
	CONFIG_PROTECT_LOCKED /* not wrappable any more when the copies are made */
};

/* The policy of a virtual token that names none. */
#define CONFIG_POLICY "baseline"

/* One entry of `tokens`: a virtual token. */
struct config_token {
	char *label;
	CK_SLOT_ID slot; /* given, or position + 1 */
	enum config_mode mode;
	struct config_member *members;
	size_t member_count;
	enum config_balance balance;
	enum config_replicate replicate;
	enum config_protect protect;
	char *kek; /* label of the KEK, or "id:" and its CKA_ID in hexadecimal; NULL: KEK_LABEL */
	bool find_first;       /* find = "first": a search asks one member only */
	char *policy_name;     /* a built-in one, or an absolute path; NULL: CONFIG_POLICY */
	struct policy *policy; /* owned; NULL only while the file is read */
	bool relogin; /* keep the PIN in locked memory to log in again after a member came back */
	unsigned line;
};

/* Where a configuration came from. */
enum config_source {
	CONFIG_FROM_ENV,
	CONFIG_FROM_ARGS,
	CONFIG_FROM_OPTION,
	CONFIG_FROM_SYSTEM,
	CONFIG_EMBEDDED
};

/* A whole configuration; immutable after it was read. */
struct config {
	enum config_source source;
	char *file; /* NULL for the embedded default */
	struct config_module *modules;
	size_t module_count;
	struct config_token *tokens;
	size_t token_count;
	bool discover; /* embedded default: one virtual token for each token of module 0 */
	struct {
		unsigned interval_ms; /* pause between looks at the members */
		unsigned failures;    /* suspicious answers in a row that take a member out */
		unsigned open_ms;     /* first pause before a lost member is tried again ... */
		unsigned open_max_ms; /* ... and the longest */
	} health;
	struct {
		unsigned budget_ms; /* what failover may add to one call */
		unsigned attempts;  /* times that one call is sent at the most */
	} retry;
	char *state_directory; /* NULL: the default, see core/state.h */
	char *state_journal;   /* journals of replication; NULL: in the state directory */
	enum log_level log_level;
	bool log_syslog;
};

/* Sets health, retry and log to what holds where a file says nothing. */
void config_defaults(struct config *c);

/* Which file is used: HSMUX_CONF (not in setuid or setgid processes), else `args_file` (from
 * C_Initialize's pReserved; may be NULL), else the system's file when it exists, else NULL for the
 * embedded default. The result is borrowed from the environment, the argument or static. */
const char *config_find(const char *args_file, enum config_source *source);

/* Reads `file` whole. On any error every error of the file is in `diag`, the result is NULL and
 * nothing is kept. Refused: a file that another user than its owner and root can write, or that
 * belongs to somebody who is neither root nor the caller. The caller owns the result. */
struct config *config_parse(const char *file, enum config_source source, struct diag *diag);

/* The embedded default: SoftHSM2, with `discover` set. NULL and a message in `diag` when no
 * SoftHSM2 library is installed, and in setuid and setgid processes. The caller owns the result. */
struct config *config_embedded(struct diag *diag);

/* config_find, then config_parse or config_embedded. */
struct config *config_load(const char *args_file, struct diag *diag);

/* Adds the virtual token that `discover` found: label as on the token (made unique with "-2", "-3"
 * … when another has it; the serial number where it is empty), one member selected by label and
 * serial. False when memory is out. Used once, before the configuration is shared. */
bool config_add_discovered(struct config *c, const char *label, const char *serial);

/* Reads the policies of all tokens that have none yet. False when one cannot be used: every error
 * of it is in `diag`, with the line of the token. config_parse() and config_add_discovered() do it.
 */
bool config_load_policies(struct config *c, struct diag *diag);

/* Reports modules whose `vendor` is a profile that the set does not have. False when there are. */
bool config_check_vendors(const struct config *c, const struct vendor_set *set, struct diag *diag);

/* Frees all of it. NULL is allowed. */
void config_free(struct config *c);

/* Name of a mode as in the file ("passthrough"). */
const char *config_mode_name(enum config_mode mode);

/* The same of a rule ("majority"). */
const char *config_replicate_name(enum config_replicate replicate);

#endif
