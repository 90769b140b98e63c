#!/bin/sh
# Prints the newest Python from 3.10 on that has venv and pip; PYTHON= in the environment is taken as it is.
set -eu
if [ -n "${PYTHON:-}" ]; then
    printf '%s\n' "$PYTHON"
    exit 0
fi
for candidate in python3.14 python3.13 python3.12 python3.11 python3.10 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
        # The real interpreter: the command may be a shim that depends on the folder it runs in.
        "$candidate" -c 'import sys; print(sys.executable)'
        exit 0
    fi
done
echo "no Python from 3.10 on with venv and pip was found; name one with PYTHON=" >&2
exit 1
