#!/bin/sh
# Prints the newest Python from 3.10 on that has venv and pip; PYTHON= in the environment names another.
set -eu

usable='import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))'

if [ -n "${PYTHON:-}" ]; then
    candidates=$PYTHON
else
    # The versions that the tests run on come first.
    candidates="python3.13 python3.12 python3.11 python3.10 python3.14 python3"
fi
for candidate in $candidates; do
    if "$candidate" -c "$usable" 2>/dev/null; then
        # The real interpreter: the command may be a shim that depends on the folder it runs in.
        "$candidate" -c 'import sys; print(sys.executable)'
        exit 0
    fi
done
echo "none of these is a Python from 3.10 on with venv and pip: $candidates; name one with PYTHON=" >&2
exit 1
