/* SPDX-License-Identifier: BSD-2-Clause */
/* PINs as the application gives them. */
#ifndef HSMUX_CORE_LOGIN_PIN_H
#define HSMUX_CORE_LOGIN_PIN_H

#include "core/base/pkcs11.h"
#include "core/base/secret.h"

/* A copy; NULL with CKR_OK when the application gave none (the token asks for it itself).
 * CKR_ARGUMENTS_BAD, CKR_HOST_MEMORY. */
struct secret *login_pin_new(const CK_BYTE *pin, CK_ULONG len, CK_RV *rv);

#endif
