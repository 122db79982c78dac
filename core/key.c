/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that come to be or travel: each function copies what the application passed, fills a struct
 * call and sends it through the gate; then handles of new keys are published.
 *
 * The session is locked from making_begin() to making_end(). Nothing that a member sees belongs to
 * the application, but for places into which its answer is written. Wrapped keys pass through a
 * buffer of ours where members disagree about lengths; it is wiped. */
#include "core/key.h"

#include <string.h>

#include "core/base/attr.h"
#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/base/mech.h"
#include "core/base/names.h"
#include "core/call.h"
#include "core/codes.h"
#include "core/object.h"
#include "core/overlay.h"
#include "core/pending.h"
#include "core/session.h"

/* No input or output of these functions comes near; what is above is a mistake of the caller. */
#define MAX_LEN 0x7fffffffUL

/* Room for a wrapped key: an RSA key of 16384 bits takes about 9 KiB, the largest post-quantum
 * private keys of FIPS 203 to 205 take 5. */
#define WRAP_ROOM (16UL * 1024)

/* Bytes asked of a member at once: NSS (3.87) refuses 1 MiB with CKR_ARGUMENTS_BAD. */
#define RANDOM_CHUNK (64UL * 1024)

/* A call and the copies that it needs. */
struct making {
	struct call call;
	struct mech mech;
	struct attr_list tmpl[2];
	bool is_token[2]; /* a token object is asked for by tmpl[i] */
};

/* Copies the mechanism; says in the log why one is refused. */
static CK_RV making_mech(struct making *m, const CK_MECHANISM *mech)
{
	static struct log_limit limit;
	const char *why = NULL;
	char name[NAME_MAX_LEN];
	CK_RV rv = mech_copy(&m->mech, mech, object_is_handle, m->call.group, &why);

	if (rv == CKR_OK) {
		m->call.mech = &m->mech;
		return CKR_OK;
	}
	memset(&m->mech, 0, sizeof m->mech);
	if (mech && why)
		log_limited(&limit, LOG_LEVEL_WARN, "token %s: %s with %s: parameter refused: %s",
			    m->call.group->conf->label, call_name(m->call.id),
			    name_of(NAME_MECHANISM, mech->mechanism, name), why);
	return rv;
}

/* Takes the session and copies the mechanism (NULL for calls without one). On failure nothing is
 * held. */
static CK_RV making_begin(struct making *m, enum call_id id, CK_SESSION_HANDLE session,
			  const CK_MECHANISM *mech)
{
	CK_RV rv;

	memset(m, 0, sizeof *m);
	rv = session_take(session, &m->call.session);
	if (rv != CKR_OK)
		return rv;
	m->call.id = id;
	m->call.group = m->call.session->group;
	rv = making_mech(m, mech);
	if (rv == CKR_OK)
		return CKR_OK;
	session_give(m->call.session);
	return code_map(id, rv);
}

static void making_end(struct making *m)
{
	for (size_t i = 0; i < 2; i++)
		attr_list_free(&m->tmpl[i]);
	mech_free(&m->mech);
	session_give(m->call.session);
}

static CK_RV making_template(struct making *m, size_t i, const CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	CK_RV rv = attr_list_copy(tmpl, count, &m->tmpl[i]);

	if (rv == CKR_OK)
		rv = pending_check(m->call.group, m->tmpl[i].attrs, m->tmpl[i].count);
	if (rv != CKR_OK)
		return code_map(m->call.id, rv);
	m->call.tmpl[i] = m->tmpl[i].attrs;
	m->call.tmpl_count[i] = m->tmpl[i].count;
	m->is_token[i] = attr_bool(m->tmpl[i].attrs, m->tmpl[i].count, CKA_TOKEN, false);
	return CKR_OK;
}

/* The further keys that SP 800-108 derivation makes; NULL with *count 0 when there are none. */
static const CK_DERIVED_KEY *further_keys(const struct mech *mech, CK_ULONG *count)
{
	const CK_SP800_108_FEEDBACK_KDF_PARAMS *feedback = mech->m.pParameter;
	const CK_SP800_108_KDF_PARAMS *plain = mech->m.pParameter;
	bool is_feedback = mech->m.mechanism == CKM_SP800_108_FEEDBACK_KDF;

	*count = 0;
	if (mech->made_count == 0 ||
	    (!is_feedback && mech->m.mechanism != CKM_SP800_108_COUNTER_KDF &&
	     mech->m.mechanism != CKM_SP800_108_DOUBLE_PIPELINE_KDF))
		return NULL;
	*count = is_feedback ? feedback->ulAdditionalDerivedKeys : plain->ulAdditionalDerivedKeys;
	return is_feedback ? feedback->pAdditionalDerivedKeys : plain->pAdditionalDerivedKeys;
}

/* True when one of them is to be a token object. */
static bool asks_for_more_on_token(const struct mech *mech)
{
	CK_ULONG count;
	const CK_DERIVED_KEY *more = further_keys(mech, &count);

	for (CK_ULONG i = 0; i < count; i++)
		if (attr_bool(more[i].pTemplate, more[i].ulAttributeCount, CKA_TOKEN, false))
			return true;
	return false;
}

/* Their templates, as that of the first. */
static CK_RV check_further(const struct making *m)
{
	CK_ULONG count;
	const CK_DERIVED_KEY *more = further_keys(&m->mech, &count);
	CK_RV rv = CKR_OK;

	for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
		rv = pending_check(m->call.group, more[i].pTemplate, more[i].ulAttributeCount);
	return rv;
}

/* The policy is asked about each of them, as about the first. */
static CK_RV decide_further(const struct making *m)
{
	CK_ULONG count;
	const CK_DERIVED_KEY *more = further_keys(&m->mech, &count);
	CK_RV rv = CKR_OK;

	for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
		struct call one = m->call;

		one.is_decided = false;
		one.tmpl[0] = more[i].pTemplate;
		one.tmpl_count[0] = more[i].ulAttributeCount;
		rv = call_decide(&one);
	}
	return rv;
}

/* Runs the call and gives the application handles for its `count` new objects. Session objects
 * belong to the member session that made them, so they are made on the one that the virtual session
 * owns. */
static CK_RV making_run(struct making *m, size_t count, CK_OBJECT_HANDLE *const app[2])
{
	bool is_all_token = m->is_token[0] && (count < 2 || m->is_token[1]);
	bool has_token = m->is_token[0] || m->is_token[1];
	CK_RV rv = check_further(m);

	if (rv == CKR_OK)
		rv = call_decide(&m->call);
	if (rv == CKR_OK)
		rv = decide_further(m);
	if (m->mech.made_count > 0) {
		is_all_token = false;
		has_token = has_token || asks_for_more_on_token(&m->mech);
	}
	if (has_token && !session_is_rw(m->call.session))
		return CKR_SESSION_READ_ONLY;
	if (rv != CKR_OK)
		return rv;
	m->call.place = is_all_token ? CALL_BORROW : CALL_HOME;
	m->call.is_volatile = !has_token;
	return pending_run(&m->call, m->is_token, app);
}

CK_RV key_generate(CK_SESSION_HANDLE session, const CK_MECHANISM *mech, const CK_ATTRIBUTE *tmpl,
		   CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_HANDLE *const app[2] = {key, NULL};
	struct making m;
	CK_RV rv = making_begin(&m, CALL_C_GenerateKey, session, mech);

	if (rv != CKR_OK)
		return rv;
	rv = making_template(&m, 0, tmpl, count);
	if (rv == CKR_OK)
		rv = making_run(&m, 1, app);
	making_end(&m);
	return rv;
}

CK_RV key_generate_pair(CK_SESSION_HANDLE session, const CK_MECHANISM *mech,
			const CK_ATTRIBUTE *public_tmpl, CK_ULONG public_count,
			const CK_ATTRIBUTE *private_tmpl, CK_ULONG private_count,
			CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
	CK_OBJECT_HANDLE *const app[2] = {public_key, private_key};
	struct making m;
	CK_RV rv = making_begin(&m, CALL_C_GenerateKeyPair, session, mech);

	if (rv != CKR_OK)
		return rv;
	rv = making_template(&m, 0, public_tmpl, public_count);
	if (rv == CKR_OK)
		rv = making_template(&m, 1, private_tmpl, private_count);
	if (rv == CKR_OK)
		rv = making_run(&m, 2, app);
	making_end(&m);
	return rv;
}

/* Wraps into a buffer of ours, so that the true length is known. */
static CK_RV wrap_aside(struct call *call, CK_BYTE *out, CK_ULONG *out_len)
{
	struct buf aside = {0};
	CK_ULONG len = WRAP_ROOM, room = *out_len;
	CK_RV rv;

	if (!buf_reserve(&aside, WRAP_ROOM))
		return CKR_HOST_MEMORY;
	call->out = aside.data;
	call->out_len = &len;
	rv = call_run(call);
	if (rv == CKR_OK && len > WRAP_ROOM)
		rv = CKR_DEVICE_ERROR;
	if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)
		*out_len = len;
	if (rv == CKR_OK && out && room < len)
		rv = CKR_BUFFER_TOO_SMALL;
	if (rv == CKR_OK && out)
		memcpy(out, aside.data, len);
	buf_free(&aside);
	return rv;
}

/* Wraps into the application's buffer as it is. */
static CK_RV wrap_straight(struct call *call, CK_BYTE *out, CK_ULONG *out_len)
{
	CK_ULONG len = *out_len;
	CK_RV rv;

	call->out = out;
	call->out_len = &len;
	rv = call_run(call);
	if (rv == CKR_OK && out && len > *out_len)
		return CKR_DEVICE_ERROR;
	if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)
		*out_len = len;
	return rv;
}

/* A member's word about the length is not relied on: NSS (3.87) asks for 32 bytes when the result
 * of CKM_AES_KEY_WRAP has 40, and other members want more room than they fill. So a length that is
 * asked for, or that a member finds too short, comes from a result; only results above WRAP_ROOM
 * leave nothing but the member's word. */
static CK_RV wrap(struct call *call, CK_BYTE *out, CK_ULONG *out_len)
{
	CK_ULONG len = *out_len;
	CK_RV rv;

	if (out) {
		rv = wrap_straight(call, out, &len);
		if (rv == CKR_BUFFER_TOO_SMALL && *out_len <= WRAP_ROOM) {
			len = *out_len;
			rv = wrap_aside(call, out, &len);
		}
	} else {
		rv = wrap_aside(call, NULL, &len);
		if (rv == CKR_BUFFER_TOO_SMALL)
			rv = wrap_straight(call, NULL, &len);
	}
	if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)
		*out_len = len;
	return rv;
}

CK_RV key_wrap(CK_SESSION_HANDLE session, const CK_MECHANISM *mech, CK_OBJECT_HANDLE wrapping_key,
	       CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *out_len)
{
	struct making m;
	CK_RV rv = making_begin(&m, CALL_C_WrapKey, session, mech);

	if (rv != CKR_OK)
		return rv;
	m.call.object[0] = (struct call_object){wrapping_key, CKR_WRAPPING_KEY_HANDLE_INVALID};
	m.call.object[1] = (struct call_object){key, CKR_KEY_HANDLE_INVALID};
	m.call.place = CALL_BORROW;
	if (out && *out_len > MAX_LEN)
		rv = CKR_ARGUMENTS_BAD;
	else
		rv = wrap(&m.call, out, out_len);
	making_end(&m);
	return rv;
}

CK_RV key_unwrap(CK_SESSION_HANDLE session, const CK_MECHANISM *mech,
		 CK_OBJECT_HANDLE unwrapping_key, const CK_BYTE *in, CK_ULONG in_len,
		 const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_HANDLE *const app[2] = {key, NULL};
	struct making m;
	CK_RV rv = making_begin(&m, CALL_C_UnwrapKey, session, mech);

	if (rv != CKR_OK)
		return rv;
	m.call.object[0] = (struct call_object){unwrapping_key, CKR_UNWRAPPING_KEY_HANDLE_INVALID};
	m.call.in = in;
	m.call.in_len = in_len;
	rv = in_len > MAX_LEN ? CKR_ARGUMENTS_BAD : making_template(&m, 0, tmpl, count);
	if (rv == CKR_OK)
		rv = making_run(&m, 1, app);
	making_end(&m);
	return rv;
}

/* Mechanisms whose result arrives through their parameter: no place for a handle is needed. */
static bool answers_in_parameter(CK_MECHANISM_TYPE type)
{
	static const CK_MECHANISM_TYPE types[] = {
		CKM_SSL3_KEY_AND_MAC_DERIVE,
		CKM_TLS_KEY_AND_MAC_DERIVE,
		CKM_NSS_TLS_KEY_AND_MAC_DERIVE_SHA256,
		CKM_TLS12_KEY_AND_MAC_DERIVE,
		CKM_TLS12_KEY_SAFE_DERIVE,
		CKM_WTLS_SERVER_KEY_AND_MAC_DERIVE,
		CKM_WTLS_CLIENT_KEY_AND_MAC_DERIVE,
		CKM_TLS_PRF,
		CKM_WTLS_PRF,
	};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (types[i] == type)
			return true;
	}
	return false;
}

CK_RV key_derive(CK_SESSION_HANDLE session, const CK_MECHANISM *mech, CK_OBJECT_HANDLE base,
		 const CK_ATTRIBUTE *tmpl, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_HANDLE *const app[2] = {key, NULL};
	struct making m;
	CK_RV rv = making_begin(&m, CALL_C_DeriveKey, session, mech);

	if (rv != CKR_OK)
		return rv;
	m.call.object[0] = (struct call_object){base, CKR_KEY_HANDLE_INVALID};
	m.call.wants_made = key != NULL;
	if (!key && !answers_in_parameter(m.mech.m.mechanism))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = making_template(&m, 0, tmpl, count);
	if (rv == CKR_OK)
		rv = code_map(CALL_C_DeriveKey, overlay_check_derived(&m.call));
	if (rv == CKR_OK)
		rv = making_run(&m, 1, app);
	making_end(&m);
	return rv;
}

static CK_RV seed_random(struct session *session, const CK_BYTE *seed, CK_ULONG len)
{
	struct call call = {
		.id = CALL_C_SeedRandom,
		.place = CALL_BORROW,
		.group = session->group,
		.session = session,
		.in = seed,
		.in_len = len,
	};

	return len > MAX_LEN || (!seed && len > 0) ? CKR_ARGUMENTS_BAD : call_run(&call);
}

CK_RV key_seed_random(CK_SESSION_HANDLE session, const CK_BYTE *seed, CK_ULONG len)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = seed_random(s, seed, len);
	session_give(s);
	return rv;
}

static CK_RV random_chunk(struct session *session, CK_BYTE *out, CK_ULONG len)
{
	struct call call = {
		.id = CALL_C_GenerateRandom,
		.place = CALL_BORROW,
		.group = session->group,
		.session = session,
		.out = out,
		.out_len = &len,
	};

	return call_run(&call);
}

static CK_RV random_bytes(struct session *session, CK_BYTE *out, CK_ULONG len)
{
	CK_RV rv = CKR_OK;

	if (len > MAX_LEN || (!out && len > 0))
		return CKR_ARGUMENTS_BAD;
	for (CK_ULONG done = 0; rv == CKR_OK && done < len; done += RANDOM_CHUNK)
		rv = random_chunk(session, out + done,
				  len - done < RANDOM_CHUNK ? len - done : RANDOM_CHUNK);
	return rv;
}

CK_RV key_random(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG len)
{
	struct session *s;
	CK_RV rv = session_take(session, &s);

	if (rv != CKR_OK)
		return rv;
	rv = random_bytes(s, out, len);
	session_give(s);
	return rv;
}
