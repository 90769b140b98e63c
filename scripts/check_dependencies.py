"""Checks the crates that Duramen is built from: their licences, their sources, and that none comes twice.

It asks ``cargo metadata`` alone, so that `make check` needs no tool that takes minutes to build. Known
vulnerabilities are not looked up. The exit code is 1 when there is a finding.
"""

import json
import re
import subprocess
import sys
from collections import Counter

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"

#: They ask for no more than a notice, so that both licences of Duramen can be kept.
ACCEPTED = {"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"}


def is_accepted(expression):
    """Whether an SPDX expression can be met with accepted licences alone.

    ``AND`` binds closer than ``OR``, as SPDX says.
    """
    inner = re.search(r"\(([^()]*)\)", expression)
    if inner:
        verdict = "MIT" if is_accepted(inner[1]) else "refused"
        return is_accepted(expression[: inner.start()] + verdict + expression[inner.end() :])
    return any(
        all(licence.strip() in ACCEPTED for licence in choice.split(" AND "))
        for choice in re.split(r" OR |/", expression)
    )


def find_problems(packages):
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if not is_accepted(package["license"] or ""):
            yield f"{name}: the licence {package['license']!r} is not accepted"
        # A crate of this workspace has no source.
        if package["source"] not in (None, CRATES_IO):
            yield f"{name}: comes from {package['source']}, not from crates.io"
    for name, count in Counter(package["name"] for package in packages).items():
        if count > 1:
            yield f"{name}: {count} versions, which make the extension larger and hold their state twice"


def main():
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    packages = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)["packages"]
    problems = list(find_problems(packages))
    print(*problems, f"dependencies: {len(packages)} crates, {len(problems)} findings", sep="\n")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
