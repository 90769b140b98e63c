"""The public interface of the core crate, and which of its items have no example: compared with what is committed.

`crates/duramen/public-api.txt` lists each public item by its path, with its declaration as the source has it, and the
traits that are implemented by hand or derived; what the compiler implements itself (`Send`, blanket ones) is left out. A
line that is gone or has changed may break programs, and fails: where it is meant, `make public-api` writes the list
anew, so that it is seen in the commit. New lines are told.

An item without an example fails. An example is one that runs as a test. An item has one where it stands in its own
documentation, or where the lines that are shown of an example on its page use it by name: the page of a type, as rustdoc
shows it, has the examples of the type, of its other names, of all its methods and of the module. A method is used as
`.name` or `Type::name`, or written as `fn name` where a trait is implemented.

The compiler's own description of the crate is read (rustdoc's JSON, which stable toolchains give when they are asked as
nightly ones), with all features, on the system that it runs on: what is there on other systems alone is not seen.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

CRATE = Path("crates/duramen")
API = CRATE / "public-api.txt"

#: Items that an example is asked of; fields and variants are shown by their type's.
NEED_EXAMPLE = {"function", "struct", "enum", "trait", "macro", "type_alias", "constant"}

#: Words behind the fence of a code block that is run, or at least compiled.
DOCTEST = {"", "rust", "no_run", "should_panic", "compile_fail"}


def describe():
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    command = ["cargo", "rustdoc", "--quiet", "--locked", "-p", "duramen", "--lib", "--all-features", "--"]
    subprocess.run(
        [*command, "-Zunstable-options", "--output-format", "json"],
        check=True,
        env=os.environ | {"RUSTDOC": str(Path("scripts/rustdoc_unstable.sh").resolve())},
    )
    return json.loads((target / "doc" / "duramen.json").read_text())


class Listing:
    def __init__(self, described):
        self.index = described["index"]
        self.sources = {}
        self.aliases = {}
        for item in self.index.values():
            aliased = item["inner"].get("type_alias", {}).get("type", {}).get("resolved_path")
            if aliased:
                self.aliases.setdefault(aliased["id"], []).append(item)
        self.lines = set()
        self.without_example = set()
        self.seen = set()
        self.module(described["root"], "duramen", "")

    def item(self, number):
        return self.index.get(str(number))

    def module(self, number, path, page):
        """All that can be reached from a module, by its shortest way there first."""
        if (number, path) in self.seen:
            return
        self.seen.add((number, path))
        page += examples(self.item(number))
        for child in self.item(number)["inner"]["module"]["items"]:
            self.entry(self.item(child), path, page)

    def entry(self, item, path, page, name=None):
        """`page` has the examples of the module, and of the type for what belongs to one."""
        if item is None or is_hidden(item):
            return
        (kind, inner), name = next(iter(item["inner"].items())), name or item["name"]
        own = f"{path}::{name}"
        if kind == "use":
            target = self.item(inner["id"]) if inner["id"] is not None else None
            if inner["is_glob"]:
                if target:
                    self.module(inner["id"], path, page)
            elif target and "module" in target["inner"]:
                self.module(inner["id"], f"{path}::{inner['name']}", "")
            else:
                self.entry(target, path, page, inner["name"])
        elif kind == "module":
            self.note(item, own, kind, page)
            self.module(item["id"], own, "")
        else:
            implementations = inner.get("impls", []) if kind in {"struct", "enum"} else []
            implementations = [self.item(number) for number in implementations]
            members = [self.item(number) for number in children(kind, inner)]
            methods = [
                self.item(number) for each in implementations for number in each["inner"]["impl"]["items"]
            ]
            aliases = self.aliases.get(item["id"], [])
            page += "".join(map(examples, [item, *members, *methods, *aliases]))
            for alias in aliases:
                page = page.replace(f"{alias['name']}::", f"{name}::")
            self.note(item, own, kind, page)
            for child in members:
                self.entry(child, own, page)
            for each in implementations:
                self.implementation(each, own, page)

    def implementation(self, item, path, page):
        inner = item["inner"]["impl"]
        if inner["is_synthetic"] or inner["blanket_impl"] or is_hidden(item):
            return
        if inner["trait"] is None:
            for child in inner["items"]:
                self.entry(self.item(child), path, page)
        elif "automatically_derived" in json.dumps(item["attrs"]) or item["span"] is None:
            if inner["trait"]["path"] != "StructuralPartialEq":
                self.lines.add(f"{path}: {inner['trait']['path']}")
        else:
            header = self.declaration(item)
            self.lines.add(f"{path}: {header}")

    def note(self, item, path, kind, page):
        self.lines.add(f"{path}: {self.declaration(item)}" if kind != "module" else f"{path}: mod")
        if kind in NEED_EXAMPLE and not examples(item) and not is_used(path, page):
            self.without_example.add(
                f"{item['span']['filename'].removeprefix(str(CRATE) + '/')}: {item['name']}"
            )

    def declaration(self, item):
        """What the source says up to the body, on one line."""
        span = item["span"]
        if span["filename"] not in self.sources:
            self.sources[span["filename"]] = Path(span["filename"]).read_text().splitlines()
        source = self.sources[span["filename"]]
        (first, column), (last, end) = span["begin"], span["end"]
        lines = source[first - 1 : last]
        lines[-1] = lines[-1][:end]
        lines[0] = lines[0][column - 1 :]
        text = "\n".join(line.split("//")[0] if line.lstrip().startswith("//") else line for line in lines)
        text = re.sub(r"#\[[^\n]*\]\n", "", text)
        kind = next(iter(item["inner"]))
        if kind == "macro":
            return f"macro_rules! {item['name']}"
        if kind in {"function", "trait", "enum", "impl"}:
            text = re.split(r"\s*\{(?:\s|$)|;\s*$", text, maxsplit=1)[0]
        elif kind == "struct":
            text = re.split(r"\s*\{|;\s*$", text, maxsplit=1)[0]
            if "pub " not in text.partition("(")[2]:
                text = text.partition("(")[0]
        elif kind == "constant":
            text = text.split(" = ")[0]
        return re.sub(r",\s*\)", ")", re.sub(r"\(\s+", "(", " ".join(text.split()))).rstrip(",; ")


def children(kind, inner):
    if kind == "struct":
        fields = inner["kind"].get("plain", {}) if isinstance(inner["kind"], dict) else {}
        return fields.get("fields", [])
    if kind == "enum":
        return inner["variants"]
    return inner["items"] if kind == "trait" else []


def examples(item):
    """The code of an item's documentation that runs as a test, as far as it is shown."""
    blocks = re.findall(
        r"^ *```([^\n]*)\n(.*?)^ *```", (item and item["docs"]) or "", re.DOTALL | re.MULTILINE
    )
    run = "".join(code for words, code in blocks if set(re.split(r"[,\s]+", words)) <= DOCTEST)
    return re.sub(r"^ *# .*$", "", run, flags=re.MULTILINE)


def is_used(path, page):
    *_, owner, name = path.split("::")
    if owner[0].isupper():
        return re.search(rf"(?:\.|\b{owner}::|\bSelf::|\bfn ){name}\b", page) is not None
    return re.search(rf"\b{name}\b", page) is not None


def is_hidden(item):
    return "doc(hidden)" in json.dumps(item["attrs"]).replace(" ", "")


def main():
    listing = Listing(describe())
    if "--update" in sys.argv[1:]:
        API.write_text("".join(f"{line}\n" for line in sorted(listing.lines)))
    committed = set(API.read_text().splitlines())
    told = {
        "gone": committed - listing.lines,
        "new": listing.lines - committed,
        "without an example": listing.without_example,
    }
    for what, lines in told.items():
        for line in sorted(lines):
            print(f"{what}: {line}")
    print(f"public interface: {len(listing.lines)} lines")
    if told["gone"]:
        print("where this is meant: make public-api")
    if told["gone"] or told["without an example"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
