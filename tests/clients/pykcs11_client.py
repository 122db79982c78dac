# SPDX-License-Identifier: BSD-2-Clause
"""pykcs11_client.py MODULE LABEL PINFILE CASE: one case of pykcs11.sh; files in the current folder."""

import sys

import PyKCS11
from PyKCS11 import LowLevel as ck

P256 = bytes.fromhex("06082a8648ce3d030107")


def slot_of(lib, label):
    for slot in lib.getSlotList(tokenPresent=True):
        if lib.getTokenInfo(slot).label.strip() == label:
            return slot
    raise SystemExit("no token " + label)


def make_pair(session, kind):
    usage = [(ck.CKA_TOKEN, True), (ck.CKA_ID, b"\x09"), (ck.CKA_LABEL, kind)]
    public = usage + [(ck.CKA_VERIFY, True)]
    private = usage + [(ck.CKA_PRIVATE, True), (ck.CKA_SENSITIVE, True), (ck.CKA_SIGN, True)]
    if kind == "rsa":
        public += [(ck.CKA_MODULUS_BITS, 2048), (ck.CKA_PUBLIC_EXPONENT, (1, 0, 1))]
        return session.generateKeyPair(public, private, mecha=PyKCS11.MechanismRSAGENERATEKEYPAIR)
    public += [(ck.CKA_EC_PARAMS, P256)]
    return session.generateKeyPair(public, private, mecha=PyKCS11.MechanismECGENERATEKEYPAIR)


def save(name, data):
    with open(name, "wb") as file:
        file.write(bytes(data))


def der(tag, data):
    if len(data) < 128:
        return bytes([tag, len(data)]) + data
    size = (len(data).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(data).to_bytes(size, "big") + data


def rsa_public_der(session, key):
    """A SubjectPublicKeyInfo, for openssl."""
    numbers = session.getAttributeValue(key, [ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT])
    inner = b"".join(der(2, b"\0" + bytes(number)) for number in numbers)
    algorithm = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return der(0x30, algorithm + der(3, b"\0" + der(0x30, inner)))


def keys(session):
    for kind in ("rsa", "ec"):
        make_pair(session, kind)
    assert len(session.findObjects([(ck.CKA_CLASS, ck.CKO_PRIVATE_KEY)])) == 2


def sign(session):
    text = open("text", "rb").read()
    private = session.findObjects([(ck.CKA_CLASS, ck.CKO_PRIVATE_KEY), (ck.CKA_LABEL, "rsa")])[0]
    public = session.findObjects([(ck.CKA_CLASS, ck.CKO_PUBLIC_KEY), (ck.CKA_LABEL, "rsa")])[0]
    how = PyKCS11.Mechanism(ck.CKM_SHA256_RSA_PKCS, None)
    signature = session.sign(private, text, how)
    assert session.verify(public, text, signature, how)
    save("text.sig", signature)
    save("rsa.der", rsa_public_der(session, public))


def secret(session):
    key = session.generateKey([(ck.CKA_CLASS, ck.CKO_SECRET_KEY), (ck.CKA_KEY_TYPE, ck.CKK_AES),
                               (ck.CKA_TOKEN, False), (ck.CKA_VALUE_LEN, 32), (ck.CKA_ENCRYPT, True),
                               (ck.CKA_DECRYPT, True)], PyKCS11.MechanismAESGENERATEKEY)
    text = bytes(range(256)) * 33
    for how in (PyKCS11.Mechanism(ck.CKM_AES_CBC_PAD, bytes(16)),
                PyKCS11.AES_GCM_Mechanism(bytes(12), b"header", 128)):
        sealed = session.encrypt(key, text, how)
        assert bytes(sealed) != text
        assert bytes(session.decrypt(key, sealed, how)) == text


def errors(session):
    template = [(ck.CKA_CLASS, ck.CKO_SECRET_KEY), (ck.CKA_KEY_TYPE, ck.CKK_AES), (ck.CKA_TOKEN, False),
                (ck.CKA_VALUE_LEN, 32), (ck.CKA_ENCRYPT, True)]
    key = session.generateKey(template, PyKCS11.MechanismAESGENERATEKEY)
    session.destroyObject(key)
    try:
        session.encrypt(key, bytes(16), PyKCS11.Mechanism(ck.CKM_AES_ECB, None))
    except PyKCS11.PyKCS11Error as error:
        assert error.value in (ck.CKR_KEY_HANDLE_INVALID, ck.CKR_OBJECT_HANDLE_INVALID), error
    else:
        raise SystemExit("a key that was destroyed still works")


def destroy(session):
    for found in session.findObjects([(ck.CKA_ID, (9,))]):
        session.destroyObject(found)
    assert not session.findObjects([(ck.CKA_ID, (9,))])


def main():
    module, label, pin_file, case = sys.argv[1:]
    lib = PyKCS11.PyKCS11Lib()
    lib.load(module)
    session = lib.openSession(slot_of(lib, label), ck.CKF_SERIAL_SESSION | ck.CKF_RW_SESSION)
    session.login(open(pin_file).read())
    {"keys": keys, "sign": sign, "secret": secret, "errors": errors, "destroy": destroy}[case](session)
    session.logout()
    session.closeSession()


main()
