"""Runs a program as `python PROGRAM` would, after `duramen.install()`."""

import os
import runpy
import sys

import duramen

duramen.install()
del sys.argv[0]
sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
