/* SPDX-License-Identifier: BSD-2-Clause */
/* Encrypting, digesting, signing and their like: PKCS#11, "Encryption functions" to "Dual-function
 * cryptographic functions". Each entry names its call and packs its arguments; what is allowed when
 * is known to core/operation.c. */
#include "core/operation.h"

/* A step with data in and data out. */
static CK_RV convert(enum call_id id, enum op_kind kind, enum op_step step,
		     CK_SESSION_HANDLE session, const CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		     CK_ULONG *out_len)
{
	struct op_io io = {
		.in = in,
		.in_len = in_len,
		.out = out,
		.out_len = out_len,
		.has_in = true,
		.has_out = true,
	};

	return op_step(id, kind, step, session, &io);
}

/* An update without output. */
static CK_RV feed(enum call_id id, enum op_kind kind, CK_SESSION_HANDLE session, const CK_BYTE *in,
		  CK_ULONG in_len)
{
	struct op_io io = {.in = in, .in_len = in_len, .has_in = true};

	return op_step(id, kind, OP_UPDATE, session, &io);
}

/* The last step of an operation in parts, with output. */
static CK_RV finish(enum call_id id, enum op_kind kind, CK_SESSION_HANDLE session, CK_BYTE *out,
		    CK_ULONG *out_len)
{
	struct op_io io = {.out = out, .out_len = out_len, .has_out = true};

	return op_step(id, kind, OP_FINAL, session, &io);
}

/* An update of two operations. */
static CK_RV dual(enum call_id id, CK_SESSION_HANDLE session, enum op_kind cipher,
		  enum op_kind other, const CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		  CK_ULONG *out_len)
{
	struct op_io io = {
		.in = in,
		.in_len = in_len,
		.out = out,
		.out_len = out_len,
		.has_in = true,
		.has_out = true,
	};

	/* The other operation always takes the plaintext. */
	return op_dual(id, session, cipher, other, cipher == OP_DECRYPT, &io);
}

CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return op_init(CALL_C_EncryptInit, OP_ENCRYPT, session, mech, key);
}

CK_RV C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		CK_ULONG *out_len)
{
	return convert(CALL_C_Encrypt, OP_ENCRYPT, OP_SINGLE, session, in, in_len, out, out_len);
}

CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		      CK_ULONG *out_len)
{
	return convert(CALL_C_EncryptUpdate, OP_ENCRYPT, OP_UPDATE, session, in, in_len, out,
		       out_len);
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
	return finish(CALL_C_EncryptFinal, OP_ENCRYPT, session, out, out_len);
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return op_init(CALL_C_DecryptInit, OP_DECRYPT, session, mech, key);
}

CK_RV C_Decrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		CK_ULONG *out_len)
{
	return convert(CALL_C_Decrypt, OP_DECRYPT, OP_SINGLE, session, in, in_len, out, out_len);
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		      CK_ULONG *out_len)
{
	return convert(CALL_C_DecryptUpdate, OP_DECRYPT, OP_UPDATE, session, in, in_len, out,
		       out_len);
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
	return finish(CALL_C_DecryptFinal, OP_DECRYPT, session, out, out_len);
}

CK_RV C_DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech)
{
	return op_init(CALL_C_DigestInit, OP_DIGEST, session, mech, 0);
}

CK_RV C_Digest(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
	       CK_ULONG *out_len)
{
	return convert(CALL_C_Digest, OP_DIGEST, OP_SINGLE, session, in, in_len, out, out_len);
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len)
{
	return feed(CALL_C_DigestUpdate, OP_DIGEST, session, in, in_len);
}

CK_RV C_DigestKey(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	return op_digest_key(session, key);
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
	return finish(CALL_C_DigestFinal, OP_DIGEST, session, out, out_len);
}

CK_RV C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return op_init(CALL_C_SignInit, OP_SIGN, session, mech, key);
}

CK_RV C_Sign(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
	     CK_ULONG *out_len)
{
	return convert(CALL_C_Sign, OP_SIGN, OP_SINGLE, session, in, in_len, out, out_len);
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len)
{
	return feed(CALL_C_SignUpdate, OP_SIGN, session, in, in_len);
}

CK_RV C_SignFinal(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *out_len)
{
	return finish(CALL_C_SignFinal, OP_SIGN, session, out, out_len);
}

CK_RV C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return op_init(CALL_C_SignRecoverInit, OP_SIGN_RECOVER, session, mech, key);
}

CK_RV C_SignRecover(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
		    CK_ULONG *out_len)
{
	return convert(CALL_C_SignRecover, OP_SIGN_RECOVER, OP_SINGLE, session, in, in_len, out,
		       out_len);
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return op_init(CALL_C_VerifyInit, OP_VERIFY, session, mech, key);
}

CK_RV C_Verify(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *signature,
	       CK_ULONG signature_len)
{
	struct op_io io = {
		.in = in,
		.in_len = in_len,
		.in2 = signature,
		.in2_len = signature_len,
		.has_in = true,
		.has_in2 = true,
	};

	return op_step(CALL_C_Verify, OP_VERIFY, OP_SINGLE, session, &io);
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len)
{
	return feed(CALL_C_VerifyUpdate, OP_VERIFY, session, in, in_len);
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG signature_len)
{
	struct op_io io = {.in2 = signature, .in2_len = signature_len, .has_in2 = true};

	return op_step(CALL_C_VerifyFinal, OP_VERIFY, OP_FINAL, session, &io);
}

CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	return op_init(CALL_C_VerifyRecoverInit, OP_VERIFY_RECOVER, session, mech, key);
}

CK_RV C_VerifyRecover(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG signature_len,
		      CK_BYTE *out, CK_ULONG *out_len)
{
	return convert(CALL_C_VerifyRecover, OP_VERIFY_RECOVER, OP_SINGLE, session, signature,
		       signature_len, out, out_len);
}

CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
			    CK_ULONG *out_len)
{
	return dual(CALL_C_DigestEncryptUpdate, session, OP_ENCRYPT, OP_DIGEST, in, in_len, out,
		    out_len);
}

CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
			    CK_ULONG *out_len)
{
	return dual(CALL_C_DecryptDigestUpdate, session, OP_DECRYPT, OP_DIGEST, in, in_len, out,
		    out_len);
}

CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
			  CK_ULONG *out_len)
{
	return dual(CALL_C_SignEncryptUpdate, session, OP_ENCRYPT, OP_SIGN, in, in_len, out,
		    out_len);
}

CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out,
			    CK_ULONG *out_len)
{
	return dual(CALL_C_DecryptVerifyUpdate, session, OP_DECRYPT, OP_VERIFY, in, in_len, out,
		    out_len);
}
