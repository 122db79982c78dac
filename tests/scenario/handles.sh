#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Handles are small and never used twice (handles.c).
. "$(dirname "$0")/../lib.sh"
token softhsm soft LABEL=soft
conf soft=soft
cd "$work" || bail_out "no $work"

check "many sessions (200000 in full), no handle twice, none valid after its end" driver handles sessions soft
check "many objects (5000 in full), no handle twice, none valid after its end" driver handles objects soft
check "session objects end with the session that made them" driver handles session_objects soft
check "a private key's handle ends with the login" driver handles after_logout soft
check "handles end with C_Finalize" driver handles after_finalize soft
check "numbers never given out name nothing" driver handles wrong_kind soft
done_testing
