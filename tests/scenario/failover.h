/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the failover driver share: a virtual token whose members hold keys that are
 * also in software, operations whose results OpenSSL checks, and ways to run them while members
 * fail. See failover.c for the use. */
#ifndef HSMUX_TESTS_SCENARIO_FAILOVER_H
#define HSMUX_TESTS_SCENARIO_FAILOVER_H

#include <openssl/evp.h>
#include <stdatomic.h>

#include "tests/scenario/app.h"
#include "tests/scenario/faulty.h"

/* The keys in software, as files in one folder: rsa.der ec.der (PKCS#8) aes.bin mac.bin cert.der.
 */
struct material {
	EVP_PKEY *rsa;
	EVP_PKEY *ec;
	unsigned char aes[32];
	unsigned char mac[32];
	unsigned char cert[1024];
	size_t cert_len;
};

/* Makes a new set and writes it. */
void material_make(const char *folder);

/* Reads a set. */
void material_read(struct material *m, const char *folder);

/* Creates the objects of a set as token objects; labels and ids are fixed. */
void material_import(const struct app *app, CK_SESSION_HANDLE session, const struct material *m);

/* One of the objects of a set on a token, found by class and label. */
enum thing {
	RSA_PRIVATE,
	RSA_PUBLIC,
	EC_PRIVATE,
	EC_PUBLIC,
	AES_KEY,
	MAC_KEY,
	CERTIFICATE,
	THINGS
};

/* The application: one module, one virtual token, handles that are found once and kept. */
struct world {
	struct app app;
	CK_FUNCTION_LIST_3_0 *f3; /* of the same module */
	const char *label;
	CK_SLOT_ID slot;
	struct material keys;
	CK_OBJECT_HANDLE things[THINGS];
};

/* A thread's place in it. */
struct seat {
	struct world *world;
	CK_SESSION_HANDLE session;
	unsigned step;    /* calls of op_step since the operation began */
	unsigned strikes; /* the step at which `plan` is written; 0: never */
	const char *plan_file;
	const char *plan;
};

/* An operation: what an application would do, and a check of what came out. */
struct op {
	const char *name;
	CK_MECHANISM_TYPE
	mechanism; /* that the token must offer; CK_UNAVAILABLE_INFORMATION: none */
	CK_RV(*run)
	(struct seat *seat);      /* the first code that is not CKR_OK; ends the program when
				   * a result is wrong */
	unsigned steps;           /* times that it calls op_step */
	const char *functions[4]; /* the calls that it consists of, none that creates anything */
};

/* All of them; ends with one without a name. The lists are in several files. */
extern const struct op ops_sign[];
extern const struct op ops_cipher[];
extern const struct op ops_other[];

/* Requests that are wrong in themselves: the token's verdict. */
CK_RV wrong_signature(struct seat *seat);
CK_RV wrong_padding(struct seat *seat);
CK_RV wrong_tag(struct seat *seat);
CK_RV wrong_length(struct seat *seat);

/* The next operation after `op` (NULL: the first) that the token can do; NULL at the end. */
const struct op *op_next(const struct world *w, const struct op *op);

/* An operation by its name. Ends the program when there is none. */
const struct op *op_named(const char *name);

/* The application has come to the next step of an operation; failures planned for it begin. */
void op_step(struct seat *seat);

/* Runs it from its first step on. */
CK_RV op_run(struct seat *seat, const struct op *op);

/* Whether the token lists the mechanism. */
bool world_offers(const struct world *w, CK_MECHANISM_TYPE type);

/* Finds all things of the set with the labels of material_import. The first code that fails;
 * CKR_OBJECT_HANDLE_INVALID when one is missing or there are two. */
CK_RV world_find(const struct world *w, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *things);

/* A session, logged in, and a seat on it. */
void seat_take(struct seat *seat, struct world *w);

/* Milliseconds of a clock that does not jump. */
long long now_ms(void);

/* Digests until that reaches the member whose counters these are: it serves. */
void wait_until_served(struct seat *seat, const char *stats_file);

/* Every operation with every failure at every step; see failover_matrix.c. The plan and the
 * counters of the member that fails, the counters of the other, and the code. */
void matrix_run(struct seat *seat, const char *plan_file, const char *stats_file,
		const char *other_stats, const char *code);

/* Makes a token object labelled "made" (key, fixed, pair, data, copy, unwrap, derive), or tries to
 * use a label of hsmux's (own, rename). The code; ends the program when what was made is not what
 * was asked for, or not the only one. */
CK_RV make_run(struct seat *seat, const char *way);

/* Threads that do every operation while commands run; see failover_load.c. */
void load_run(struct world *w, unsigned threads, unsigned rounds, char **commands, int count);

#endif
