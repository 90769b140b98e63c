#!/bin/sh
# Checks the licences, the sources and the duplicates of the crates that Duramen uses, as deny.toml says.
# cargo-deny takes minutes to build, so it is a thing of CI; elsewhere it is used when it is installed.
set -eu

version=0.20.2

if ! command -v cargo-deny >/dev/null 2>&1; then
    if [ -z "${CI:-}" ]; then
        echo "dependencies: NOT CHECKED, cargo-deny is not installed (cargo install --locked cargo-deny@$version)" >&2
        exit 0
    fi
    cargo install --locked --quiet "cargo-deny@$version"
fi
cargo deny --locked check licenses bans sources
