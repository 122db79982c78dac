# SPDX-License-Identifier: BSD-2-Clause
"""count.py LOG...: adds up the results in meson's testlog.json files (one JSON object a line).

A test that prints TAP counts as many tests as it has lines, a CUnit program as many as its summary says,
anything else is one test. What was skipped, or failed with the last that it said, is listed; the last line is
the total."""

import json
import re
import sys

TAP = re.compile(r"^(not )?ok\b(?: \d+)?(?: - )?(.*?)(?: # SKIP\b(.*))?$", re.MULTILINE)
PLAN_SKIP = re.compile(r"^1\.\.0 # SKIP\b(.*)$", re.MULTILINE)
TAP_WHY = re.compile(r"^not ok\b.*\n((?:#.*\n?)*)", re.MULTILINE)
CUNIT_WHY = re.compile(r"^ +\d+\. (.* - CU_.*)$", re.MULTILINE)
CUNIT = re.compile(r"^ +tests +\d+ +\d+ +(\d+) +(\d+) +(\d+)", re.MULTILINE)
WHY_LINES = 6


def last_words(text):
    """The end of what a test that failed said of it, for a reader who has no more than this list."""
    words = CUNIT_WHY.findall(text)[:WHY_LINES] or text.strip().splitlines()[-WHY_LINES:]
    return [line.strip("# \t")[:160] for line in words]


class Counter:
    def __init__(self):
        self.passed, self.failed, self.skipped, self.why = 0, [], [], {}

    def add_tap(self, name, text):
        said = iter(TAP_WHY.findall(text))
        for is_not, sentence, why in TAP.findall(text):
            if is_not:
                self.failed.append(f"{name}: {sentence}")
                self.why[self.failed[-1]] = last_words(next(said, ""))
            elif why:
                self.skipped.append(f"{name}: {sentence}:{why}")
            else:
                self.passed += 1

    def add(self, name, result, text, errors):
        failed_before = len(self.failed)
        good = result in ("OK", "SKIP", "EXPECTEDFAIL")
        if whole := PLAN_SKIP.search(text):
            self.skipped.append(f"{name}:{whole.group(1)}")
        elif TAP.search(text):
            self.add_tap(name, text)
        elif summary := CUNIT.search(text):
            self.passed += int(summary.group(1))
            self.failed += [f"{name}: {summary.group(2)} unit tests"] * int(summary.group(2))
        elif result == "SKIP":
            last = text.strip().splitlines()[-1:] or ["no reason given"]
            self.skipped.append(f"{name}: {last[0]}")
        elif good:
            self.passed += 1
        if not good and len(self.failed) == failed_before:
            self.failed.append(f"{name}: {result}")
            text += errors
        if len(self.failed) > failed_before and self.failed[-1] not in self.why:
            self.why[self.failed[-1]] = last_words(text)


def main(files):
    counter = Counter()
    for file in files:
        stage = file.rsplit("/", 1)[-1].removesuffix(".json")
        with open(file, encoding="utf-8") as log:
            for line in log:
                entry = json.loads(line)
                name = entry["name"].split(" / ", 1)[-1]
                counter.add(
                    f"{stage}: {name}", entry["result"], entry.get("stdout", ""), entry.get("stderr", "")
                )
    for what in counter.skipped:
        print("skipped:", what)
    for what in counter.failed:
        print("FAILED:", what)
        for line in counter.why.get(what, []):
            print("   ", line)
    print(f"{counter.passed} passed, {len(counter.failed)} failed, {len(counter.skipped)} skipped")
    return 1 if counter.failed or not counter.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
