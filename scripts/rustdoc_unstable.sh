#!/bin/sh
# A stable rustdoc that takes options of nightly ones; cargo and what it builds know nothing of it.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
