# SPDX-License-Identifier: BSD-2-Clause
"""sign_on_each.py MODULE LABEL...: in one process, with a session on every token open at once, makes an
RSA key on each and signs; leaves LABEL.text, LABEL.sig and LABEL.der (public key) for openssl.

The digest is SHA-1: openCryptoki's soft token has no other digest with PKCS#1 signatures."""

import os
import sys

import PyKCS11
from PyKCS11 import LowLevel as ck


def der(tag, data):
    if len(data) < 128:
        return bytes([tag, len(data)]) + data
    size = (len(data).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(data).to_bytes(size, "big") + data


def public_der(session, key):
    numbers = session.getAttributeValue(key, [ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT])
    inner = b"".join(der(2, b"\0" + bytes(number)) for number in numbers)
    algorithm = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return der(0x30, algorithm + der(3, b"\0" + der(0x30, inner)))


def make_key(session):
    name = [(ck.CKA_TOKEN, True), (ck.CKA_ID, os.urandom(8)), (ck.CKA_LABEL, "python")]
    public = name + [(ck.CKA_VERIFY, True), (ck.CKA_MODULUS_BITS, 2048), (ck.CKA_PUBLIC_EXPONENT, (1, 0, 1))]
    private = name + [(ck.CKA_PRIVATE, True), (ck.CKA_SIGN, True)]
    return session.generateKeyPair(public, private, mecha=PyKCS11.MechanismRSAGENERATEKEYPAIR)


def enter(lib, label):
    slots = {lib.getTokenInfo(slot).label.strip(): slot for slot in lib.getSlotList(tokenPresent=True)}
    session = lib.openSession(slots[label], ck.CKF_SERIAL_SESSION | ck.CKF_RW_SESSION)
    session.login("1234")
    return session


def sign(session, label, pair):
    text = os.urandom(1000)
    how = PyKCS11.Mechanism(ck.CKM_SHA1_RSA_PKCS, None)
    for name, data in (("text", text), ("sig", bytes(session.sign(pair[1], text, how))),
                       ("der", public_der(session, pair[0]))):
        with open(f"{label}.{name}", "wb") as file:
            file.write(data)


def main(module, labels):
    lib = PyKCS11.PyKCS11Lib()
    lib.load(module)
    sessions = {label: enter(lib, label) for label in labels}
    pairs = {label: make_key(session) for label, session in sessions.items()}
    for label, session in sessions.items():
        sign(session, label, pairs[label])
    for session in sessions.values():
        session.closeSession()


main(sys.argv[1], sys.argv[2:])
