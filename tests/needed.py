# SPDX-License-Identifier: BSD-2-Clause
"""needed.py FOLDER SUITE...: the targets of a build that the tests of these suites need, for ninja: what the tests
say, and the files beside the module that it looks for."""

import json
import os
import subprocess
import sys


def introspect(folder, what):
    return json.loads(subprocess.run(["meson", "introspect", folder, what], check=True, stdout=subprocess.PIPE).stdout)


def main(folder, *suites):
    top = os.path.realpath(folder)
    targets = introspect(folder, "--targets")
    files = {t["id"]: t["filename"][0] for t in targets}
    needed = {files[i] for t in introspect(folder, "--tests") for i in t["depends"]
              if {s.split(":")[-1] for s in t["suite"]} & set(suites)}
    if not needed:
        sys.exit(f"{folder}: no test in {' '.join(suites)} needs anything")
    needed.update(t["filename"][0] for t in targets if t["type"] == "custom")
    print("\n".join(sorted(os.path.relpath(name, top) for name in needed)))


main(*sys.argv[1:])
