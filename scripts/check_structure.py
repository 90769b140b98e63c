"""Checks which part of Duramen may use which, and what may stand in the repository.

DESIGN.md says what the parts are; this holds it. Each finding is printed with its file and line; the exit
code is 1 when there is one.
"""

import re
import subprocess
import sys
from pathlib import Path

#: The modules of the core crate in the order of the pipeline: a module uses those of earlier rows only.
LAYERS = [
    {
        "append",
        "background",
        "level",
        "value",
        "clock",
        "fs",
        "sync",
        "error",
        "report",
        "message",
        "kept_text",
        "process",
        "ending",
    },
    {"record", "fields", "context"},
    {"filter", "formatter", "redact"},
    {"writer", "rotation", "queue", "spool"},
    {"handler"},
    {"ship", "alert"},
    {"logger", "manager"},
    {"config"},
    {"front", "serve"},
]

#: What a module of the core crate must not mention, and why.
FORBIDDEN = [
    ("crates/duramen/", r"\bpyo3\b", "the core crate knows no Python"),
    ("crates/duramen/src/handler/", r"crate::(logger|manager)", "a handler knows no loggers"),
    (
        "crates/duramen/src/formatter/",
        r"crate::(writer|rotation|handler)",
        "a formatter knows no destination",
    ),
    ("crates/duramen/src/rotation/", r"crate::record|\bRecord\b", "rotation knows bytes, not records"),
    ("crates/", r"\banyhow\b", "library code has typed errors"),
    # No lint looks for syntax that the oldest supported compiler has not.
    ("crates/duramen/src/", r"\bif let\b.*=>", "a guard with `let` needs Rust 1.95"),
]

PATHS_OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:root|home/\w+|Users/\w+)/")


def tracked_files():
    names = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in names.split("\0") if name and Path(name).is_file()]


def lines_of(path):
    try:
        return path.read_text().splitlines()
    except UnicodeDecodeError:
        return []


def layer_of(module):
    return next((index for index, modules in enumerate(LAYERS) if module in modules), None)


def find_wrong_arrows(path):
    """Uses of a later or equal layer's module in a module of the core crate."""
    parts = path.parts
    if parts[:3] != ("crates", "duramen", "src"):
        return
    own = path.stem if len(parts) == 4 else parts[3]
    own_layer = layer_of(own)
    if own_layer is None:
        return
    for number, line in enumerate(lines_of(path), 1):
        for used in re.findall(r"\bcrate::(\w+)", line.split("//")[0]):
            used_layer = layer_of(used)
            if used_layer is not None and used != own and used_layer > own_layer:
                yield number, f"{own} must not use {used}"


def find_forbidden(path):
    for prefix, pattern, reason in FORBIDDEN:
        if str(path).startswith(prefix) and path.suffix in {".rs", ".toml"}:
            for number, line in enumerate(lines_of(path), 1):
                if re.search(pattern, line.split("//")[0]):
                    yield number, reason


def find_product_use_of_testkit(path):
    if path.name == "Cargo.toml" and path.parts[:1] == ("crates",):
        section = ""
        for number, line in enumerate(lines_of(path), 1):
            section = line if line.startswith("[") else section
            if line.startswith("duramen-testkit") and section == "[dependencies]":
                yield number, "product code must not use the test kit"


def find_machine_paths(path):
    for number, line in enumerate(lines_of(path), 1):
        if PATHS_OF_A_MACHINE.search(line):
            yield number, "a path of one machine"


def main():
    findings = 0
    for path in tracked_files():
        if path.name == "Cargo.lock" or path == Path("scripts/check_structure.py"):
            continue
        for find in (find_wrong_arrows, find_forbidden, find_product_use_of_testkit, find_machine_paths):
            for number, text in find(path):
                findings += 1
                print(f"{path}:{number}: {text}")
    print(f"structure: {findings} findings")
    sys.exit(findings > 0)


if __name__ == "__main__":
    main()
