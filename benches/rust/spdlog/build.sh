#!/bin/sh
# Builds the measured program of C++ spdlog (Debian: apt-get install g++ libspdlog-dev) as $1; without the package it
# makes nothing, and the page says so.
set -eu
folder=$(dirname "$0")
command -v g++ >/dev/null || { echo "spdlog: no g++, left out" >&2; exit 0; }
[ -e /usr/include/spdlog/spdlog.h ] || { echo "spdlog: libspdlog-dev is not installed, left out" >&2; exit 0; }
[ "$1" -nt "$folder/peer.cpp" ] || g++ -std=c++17 -O3 -DNDEBUG -DFMT_HEADER_ONLY "$folder/peer.cpp" -o "$1" -pthread
