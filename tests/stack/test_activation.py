"""The tests' own ground: the programs run on the implementation that the test asks for."""

import pytest


def test_script(stack):
    completed = stack.run_source("""
        import recorder
        print(recorder.implementation())
    """)
    assert completed.stdout == stack.implementation + "\n"


def test_module(stack):
    stack.write(
        "service/__main__.py",
        """
        import recorder
        print(recorder.implementation())
    """,
    )
    stack.write("service/__init__.py", "")
    assert stack.run("-m", "service").stdout == stack.implementation + "\n"


def test_python_process_that_a_program_starts(stack):
    stack.write(
        "child.py",
        """
        import recorder
        print(recorder.implementation())
    """,
    )
    completed = stack.run_source("""
        import subprocess, sys
        subprocess.run([sys.executable, "child.py"], check=True)
    """)
    assert completed.stdout == stack.implementation + "\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_child(stack, method):
    completed = stack.run_source(f"""
        import multiprocessing
        import recorder

        def tell():
            print(recorder.implementation(), flush=True)

        if __name__ == "__main__":
            child = multiprocessing.get_context({method!r}).Process(target=tell)
            child.start()
            child.join()
    """)
    assert completed.stdout == stack.implementation + "\n"
