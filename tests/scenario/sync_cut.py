# SPDX-License-Identifier: BSD-2-Clause
"""sync_cut.py MODULE TOKEN rename OLD NEW: the object labelled OLD, on the token itself, gets another label.

sync_cut.py MODULE TOKEN list: what is on the token, a line each, without what hsmux keeps there for itself; fails for
a pending object and for a key (but the canary) that could be taken away: one that is not sensitive, or that is extractable and can be
wrapped by any key. With LOCKED=1 in the environment: one that is extractable at all."""

import os
import sys

import PyKCS11
from PyKCS11 import LowLevel as ck

CLASSES = {ck.CKO_PRIVATE_KEY: "private", ck.CKO_PUBLIC_KEY: "public", ck.CKO_SECRET_KEY: "secret",
           ck.CKO_CERTIFICATE: "certificate", ck.CKO_DATA: "data"}


def enter(module, label):
    lib = PyKCS11.PyKCS11Lib()
    lib.load(module)
    slot = next(s for s in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(s).label.strip() == label)
    session = lib.openSession(slot, ck.CKF_SERIAL_SESSION | ck.CKF_RW_SESSION)
    session.login("1234")
    return session


def fault_of(session, found, kind, label):
    if kind not in ("private", "secret") or label == "hsmux-canary":
        return None
    names = [ck.CKA_SENSITIVE, ck.CKA_EXTRACTABLE, ck.CKA_WRAP_WITH_TRUSTED]
    sensitive, extractable, trusted_only = session.getAttributeValue(found, names)
    if not sensitive:
        return "is not sensitive"
    if extractable and (not trusted_only or os.environ.get("LOCKED")):
        return "can be wrapped"
    return None


def list_all(session):
    lines, faults = [], []
    for found in session.findObjects():
        number, label = session.getAttributeValue(found, [ck.CKA_CLASS, ck.CKA_LABEL])
        kind = CLASSES.get(number, str(number))
        if label.startswith("hsmux-pending-"):
            faults.append(f"{kind} {label} is left")
        fault = fault_of(session, found, kind, label)
        if fault:
            faults.append(f"{kind} {label} {fault}")
        if not label.startswith("hsmux-"):
            lines.append(f"{kind} {label}")
    print("\n".join(sorted(lines)))
    if faults:
        sys.exit("\n".join(faults))


def main(module, label, verb, *names):
    session = enter(module, label)
    if verb == "rename":
        for found in session.findObjects([(ck.CKA_LABEL, names[0])]):
            session.setAttributeValue(found, [(ck.CKA_LABEL, names[1])])
    else:
        list_all(session)
    session.logout()


main(*sys.argv[1:])
