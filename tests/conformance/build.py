"""Builds Duramen's Python package for one interpreter, without pip and without touching the sources.

``build_package(interpreter)`` gives a folder to put on ``sys.path``. Other tests that need Duramen on an
interpreter of their choice use it as well; ``python tests/conformance/build.py PYTHON`` prints the folder.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD_FOLDER = REPOSITORY / "build" / "conformance"

_LIBRARY_NAMES = {"linux": "lib_core.so", "darwin": "lib_core.dylib", "win32": "_core.dll"}


class BuildFailed(Exception):
    """cargo did not build the extension; the message holds what it printed."""


def build_package(interpreter, extension_dir=None):
    """Build the package for ``interpreter`` and return the folder that holds ``duramen``.

    An extension for that interpreter in ``extension_dir`` is taken instead of a build. A second call
    without a change in the sources builds nothing.
    """
    folder = BUILD_FOLDER / interpreter.version
    package = folder / "duramen"
    extension = package / f"_core{interpreter.extension_suffix}"
    if extension_dir is not None:
        built = _find_extension(Path(extension_dir), interpreter)
        _copy_python_files(package)
        _replace(built, extension)
        return folder
    stamp = folder / "built-from"
    sources = _fingerprint(interpreter)
    if not (extension.exists() and stamp.exists() and stamp.read_text() == sources):
        built = _cargo_build(interpreter)
        package.mkdir(parents=True, exist_ok=True)
        _replace(built, extension)
        stamp.write_text(sources)
    _copy_python_files(package)
    return folder


def _find_extension(extension_dir, interpreter):
    for candidate in (
        extension_dir / f"_core{interpreter.extension_suffix}",
        extension_dir / interpreter.version / f"_core{interpreter.extension_suffix}",
        extension_dir / interpreter.version / "duramen" / f"_core{interpreter.extension_suffix}",
    ):
        if candidate.exists():
            return candidate
    raise BuildFailed(f"no _core{interpreter.extension_suffix} in {extension_dir}")


def _fingerprint(interpreter):
    """What decides the extension: the interpreter and every file that cargo reads."""
    digest = hashlib.sha256(f"{interpreter.executable} {interpreter.version}".encode())
    files = [REPOSITORY / "Cargo.toml", REPOSITORY / "Cargo.lock"]
    files += sorted(path for path in (REPOSITORY / "crates").rglob("*") if path.is_file())
    for path in files:
        digest.update(str(path.relative_to(REPOSITORY)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _cargo_build(interpreter):
    # A target folder of its own: PyO3 is built again whenever the interpreter changes, and the folder
    # of everyday builds would change with it each time. The crates below PyO3 are built once.
    target = BUILD_FOLDER / "target"
    environment = dict(os.environ, PYO3_PYTHON=interpreter.executable, CARGO_TARGET_DIR=str(target))
    if sys.platform == "darwin":
        flags = "-C link-arg=-undefined -C link-arg=dynamic_lookup"
        environment["RUSTFLAGS"] = f"{environment.get('RUSTFLAGS', '')} {flags}".strip()
    outcome = subprocess.run(
        ["cargo", "build", "--release", "--locked", "-p", "duramen-python"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
    if outcome.returncode:
        raise BuildFailed(outcome.stderr)
    return target / "release" / _LIBRARY_NAMES[sys.platform]


def _copy_python_files(package):
    shutil.copytree(
        REPOSITORY / "python" / "duramen",
        package,
        ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"),
        dirs_exist_ok=True,
    )


def _replace(source, target):
    # Renamed into place: a process that still has the old library mapped keeps it.
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".new")
    shutil.copy2(source, fresh)
    fresh.replace(target)


def main():
    from interpreters import ask

    path = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    interpreter = ask(path)
    if interpreter is None:
        sys.exit(f"{path} is not a CPython that Duramen supports")
    print(build_package(interpreter))


if __name__ == "__main__":
    main()
