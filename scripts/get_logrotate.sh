#!/bin/sh
# Puts Debian's logrotate into build/logrotate, without installing it, and prints the command that runs it.
# Where it is installed, that one is printed. Exit code 1 where there is none to be had.
set -eu
cd "$(dirname "$0")/.."
if command -v logrotate; then exit 0; fi
folder=build/logrotate
if [ ! -x "$folder/usr/sbin/logrotate" ]; then
    command -v apt-get dpkg-deb >/dev/null || exit 1
    mkdir -p "$folder/packages"
    (cd "$folder/packages" && apt-get download logrotate libpopt0 >/dev/null 2>&1) || exit 1
    for package in "$folder"/packages/*.deb; do dpkg-deb -x "$package" "$folder"; done
fi
libraries=$(dirname "$(find "$PWD/$folder" -name 'libpopt.so.0' | head -1)")
echo "env LD_LIBRARY_PATH=$libraries $PWD/$folder/usr/sbin/logrotate"
