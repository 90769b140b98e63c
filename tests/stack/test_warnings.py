"""The `warnings` module through `captureWarnings`."""


def test_capture_and_release(stack):
    completed = stack.run_source("""
        import logging
        import recorder
        import warnings

        recorder.record_to_file()
        show = warnings.showwarning
        logging.captureWarnings(True)
        warnings.warn("old name", DeprecationWarning, stacklevel=1)
        warnings.warn("no longer supported", UserWarning)
        warnings.showwarning("to a file", UserWarning, "module.py", 7, file=__import__("sys").stdout)
        logging.captureWarnings(False)
        print(warnings.showwarning is show)
        warnings.warn("released")
    """)
    first, source, _, second, _, _ = stack.read_lines()
    assert first.startswith("WARNING|py.warnings|warnings._showwarnmsg|")
    assert first.endswith("program.py:8: DeprecationWarning: old name")
    assert source == '  warnings.warn("old name", DeprecationWarning, stacklevel=1)'
    assert second.endswith("program.py:9: UserWarning: no longer supported")
    assert completed.stdout == "module.py:7: UserWarning: to a file\nTrue\n"
    assert "UserWarning: released" in completed.stderr
    assert "old name" not in completed.stderr


def test_a_library_that_warns_as_an_error(stack):
    completed = stack.run_source("""
        import logging
        import recorder
        import warnings

        recorder.record_to_file()
        logging.captureWarnings(True)
        warnings.simplefilter("error")
        try:
            warnings.warn("no longer supported")
        except UserWarning as warning:
            print(warning)
    """)
    assert completed.stdout == "no longer supported\n"
    assert stack.read_lines() == []
