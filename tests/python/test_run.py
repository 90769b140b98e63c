"""``duramen run`` and ``python -m duramen``: the program must not notice."""

import multiprocessing
import os
import py_compile
import shutil
import sys
import zipfile

import pytest
from activation_support import BOOTSTRAP, duramen_command, environment, python, run

SHOW_MAIN = """
import os, sys
print(sys.argv, sys.path, sys.flags, os.getcwd())
print(__name__, __file__, __package__, __spec__ and __spec__.name, type(__loader__), sorted(globals()))
print(sys.modules["__main__"].__dict__ is globals())
print(sys.stdin.read())
"""

PROGRAMS = {
    "ends normally": SHOW_MAIN,
    "exit code": "import sys; sys.exit(3)",
    "exit message": "import sys; sys.exit('a reason')",
    "exit at once": "import os; os._exit(4)",
    "exception": "def f():\n    raise ValueError('x')\nf()\n",
    "exception with a cause": "try:\n    1/0\nexcept ZeroDivisionError as e:\n    raise KeyError(1) from e\n",
    "syntax error": "x = (\n",
    "not UTF-8": "# -*- coding: latin-1 -*-\nprint(ascii('\\\\xe9'))\n",
    "own excepthook": "import sys\nsys.excepthook = lambda *a: print('hook', a[0], a[2].tb_lineno)\n1/0\n",
    "interrupted": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n",
    "at exit": "import atexit\natexit.register(lambda: print('end', __name__))\nraise SystemExit(5)\n",
    "thread outlives main": (
        "import threading\nmain = threading.current_thread()\n"
        "threading.Thread(target=lambda: (main.join(), print(__name__))).start()\n"
    ),
    "pickles its own class": (
        "import pickle, sys\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)\n"
    ),
    "spawns workers": (
        "import multiprocessing\n"
        "def double(x):\n    return 2 * x\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(double, [1, 2]), __name__)\n"
    ),
}


def outcome(finished):
    return finished.returncode, finished.stdout, finished.stderr


def assert_same_as_plain(*words, cwd):
    """`python WORDS`, in-process and as a command, end alike: exit code, stdout and stderr."""
    plain = outcome(python(*words, cwd=cwd, input="typed"))
    assert outcome(duramen_command(*words, cwd=cwd, input="typed")) == plain
    assert outcome(duramen_command("run", "python", *words, cwd=cwd, input="typed")) == outcome(
        run("python", *words, cwd=cwd, input="typed")
    )
    return plain


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_file_runs_as_with_python(tmp_path, source):
    (tmp_path / "program.py").write_text(source)
    assert_same_as_plain("program.py", "one", "-m", "--config", cwd=tmp_path)


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_module_runs_as_with_python(tmp_path, source):
    (tmp_path / "program.py").write_text(source)
    assert_same_as_plain("-m", "program", "one", "-m", "--config", cwd=tmp_path)


def test_a_package_a_folder_and_a_zip_file_run_as_with_python(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("import sys; print('init', sys.argv)")
    (package / "__main__.py").write_text(SHOW_MAIN)
    with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
        archive.write(package / "__main__.py", "__main__.py")
    for words in (["-m", "package", "a"], ["package", "a"], ["program.zip", "a"], ["-m", "missing"]):
        assert_same_as_plain(*words, cwd=tmp_path)


def test_bytecode_and_a_link_run_as_with_python(tmp_path):
    source = tmp_path / "elsewhere" / "program.py"
    source.parent.mkdir()
    source.write_text(SHOW_MAIN)
    py_compile.compile(str(source), cfile=str(tmp_path / "program.pyc"))
    (tmp_path / "link.py").symlink_to(source)
    for name in ("program.pyc", "link.py"):
        assert assert_same_as_plain(name, cwd=tmp_path)[0] == 0


def test_the_interpreters_own_options_keep_their_meaning(tmp_path):
    (tmp_path / "program.py").write_text(SHOW_MAIN)
    options = ["-W", "error", "-X", "utf8"] + (["-P"] if sys.version_info >= (3, 11) else [])
    plain = python(*options, "program.py", cwd=tmp_path)
    assert plain.returncode == 0
    assert outcome(python(*options, "-m", "duramen", "program.py", cwd=tmp_path)) == outcome(plain)


def test_without_runpys_private_function_the_public_ones_do(tmp_path):
    (tmp_path / "program.py").write_text("import sys; print(__name__, sys.argv[1:])")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "__main__.py").write_text("import sys; print(__name__, sys.argv[1:])")
    for words in (["-m", "program", "a"], ["folder", "a"]):
        finished = python(
            "-c",
            "import runpy, sys; del runpy._run_module_as_main\n"
            "from duramen.__main__ import main; sys.exit(main())",
            *words,
            cwd=tmp_path,
        )
        assert outcome(finished) == (0, "__main__ ['a']\n", "")


def test_the_program_logs_through_duramen(tmp_path):
    (tmp_path / "program.py").write_text("import duramen; print(duramen.is_installed())")
    for words in (
        ["program.py"],
        ["-m", "program"],
        ["run", "program.py"],
        ["run", "-m", "program"],
        ["run", "python", "program.py"],
        ["run", "--", "python", "-m", "program"],
    ):
        assert outcome(duramen_command(*words, cwd=tmp_path)) == (0, "True\n", ""), words


def test_the_script_named_duramen_does_what_python_m_duramen_does(tmp_path):
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "duramen"
    script.write_text("import sys\nfrom duramen.__main__ import main\nsys.exit(main())\n")
    (tmp_path / "program.py").write_text(SHOW_MAIN + "1/0\n")
    for words in (["program.py", "a"], ["-m", "program", "a"]):
        plain = outcome(python(*words, cwd=tmp_path))
        assert outcome(python(script, *words, cwd=tmp_path)) == plain


def test_an_exception_that_somebody_around_handles_leaves_the_next_one_alone(tmp_path):
    (tmp_path / "program.py").write_text("raise ValueError('first')")
    finished = python(
        "-c",
        "import sys\nfrom duramen import _run\n"
        "try:\n    _run.run_file('program.py', [])\nexcept ValueError:\n    pass\n"
        "raise KeyError('second')",
        cwd=tmp_path,
    )
    assert "first" not in finished.stderr
    assert finished.stderr.endswith("KeyError: 'second'\n")
    assert '"<string>", line 7' in finished.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no execve")
def test_run_replaces_its_process_and_resets_the_signals_that_python_ignores(tmp_path):
    script = tmp_path / "show"
    script.write_text("#!/bin/sh\necho $0 $$ $PPID\ntrap\ngrep SigIgn /proc/$$/status || true\n")
    script.chmod(0o755)
    plain = run(script)
    under = duramen_command("run", script)
    assert (under.returncode, under.stderr) == (0, "")
    name, _pid, parent = under.stdout.splitlines()[0].split()
    assert (name, parent) == (str(script), str(os.getpid()))
    # What this process ignores, its children ignore too, except where Python resets it for them.
    assert under.stdout.splitlines()[1:] == plain.stdout.splitlines()[1:]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX exit codes")
def test_a_command_that_cannot_run_gives_a_shells_exit_code(tmp_path):
    (tmp_path / "plain.txt").write_text("text")
    missing = duramen_command("run", "no-such-command", cwd=tmp_path)
    assert (missing.returncode, missing.stderr) == (127, "duramen: no-such-command: command not found\n")
    barred = duramen_command("run", "./plain.txt", cwd=tmp_path)
    assert (barred.returncode, barred.stderr) == (126, "duramen: ./plain.txt: Permission denied\n")
    killed = duramen_command("run", "python", "-c", "import os; os.kill(os.getpid(), 9)")
    assert killed.returncode == -9


def test_a_command_beside_the_interpreter_is_found_when_path_has_none(tmp_path):
    environ = environment(PATH=str(tmp_path))
    name = os.path.basename(sys.executable)
    finished = duramen_command("run", name, "-c", "import sys; print(sys.prefix)", environ=environ)
    assert outcome(finished) == (0, sys.prefix + "\n", "")


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["run"], "run needs a program"),
        (["-m"], "-m needs the name of a module"),
        (["no-such-file.py"], "there is no command and no file 'no-such-file.py'"),
        (["--confg", "x"], "there is no option '--confg'"),
        (["run", "--config"], "--config needs a file"),
        (["--config=x.json"], "a program is missing"),
    ],
)
def test_a_command_line_that_means_nothing_is_refused(words, complaint):
    finished = duramen_command(*words)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"duramen: {complaint}")


def test_help_and_version():
    help_text = duramen_command("--help").stdout
    for word in ("run", "doctor", "--config", "DURAMEN_CONFIG", "DURAMEN_LEVEL", "DURAMEN_DISABLE"):
        assert word in help_text
    assert duramen_command("--version").stdout.startswith("duramen ")


def test_children_and_grandchildren_are_activated():
    chain = (
        "import duramen, subprocess, sys, os\n"
        "print(duramen.is_installed(), flush=True)\n"
        "depth = int(sys.argv[1])\n"
        "if depth: subprocess.run([sys.executable, '-c', sys.argv[2], str(depth - 1), sys.argv[2]])\n"
    )
    finished = duramen_command("run", "python", "-c", chain, "2", chain)
    assert outcome(finished) == (0, "True\n" * 3, "")


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_workers_of_multiprocessing_are_active(tmp_path, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this system")
    (tmp_path / "program.py").write_text(
        "import multiprocessing, sys\n"
        "def active():\n    import duramen\n    return duramen.is_installed()\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:\n"
        "        print(pool.apply(active))\n"
    )
    for words in (["program.py"], ["run", "python", "program.py"]):
        assert outcome(duramen_command(*words, method, cwd=tmp_path)) == (0, "True\n", "")


def test_the_bootstrap_folder_is_in_the_environment_alone():
    show = "import os, sys; print(os.environ['PYTHONPATH']); print(sys.path)"
    environ = environment()
    environ["PYTHONPATH"] += os.pathsep + "/of/the/user"
    plain = python("-c", show, environ=environ).stdout.splitlines()
    under = duramen_command("run", "python", "-c", show, environ=environ).stdout.splitlines()
    assert under == [BOOTSTRAP + os.pathsep + plain[0], plain[1]]
    twice = duramen_command("run", "python", "-m", "duramen", "run", "python", "-c", show, environ=environ)
    assert twice.stdout.splitlines() == under


@pytest.mark.parametrize("option", ["-E", "-I", "-S"])
def test_a_child_that_ignores_the_environment_or_site_is_left_alone(option):
    show = "import sys; print('duramen' in sys.modules, 'logging' in sys.modules)"
    finished = duramen_command("run", "python", option, "-c", show)
    assert outcome(finished) == (0, "False False\n", "")


def test_a_virtual_environment_without_duramen_is_left_alone(tmp_path):
    assert python("-m", "venv", "--without-pip", tmp_path / "venv").returncode == 0
    other = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    show = "import sys; print(sys.prefix, sys.path, sorted(sys.modules))"
    plain = run(other, "-c", show, environ=environment(PYTHONPATH=""))
    bootstrapped = run(other, "-c", show, environ=environment(PYTHONPATH=BOOTSTRAP))
    assert outcome(bootstrapped) == outcome(plain)
    assert str(tmp_path) in plain.stdout


def copy_of_package(folder, core):
    """A duramen whose extension is the Python text ``core``."""
    shutil.copytree(
        os.path.dirname(BOOTSTRAP),
        folder / "duramen",
        ignore=shutil.ignore_patterns("_core*", "__pycache__"),
    )
    (folder / "duramen" / "_core.py").write_text(core)
    return environment(PYTHONPATH=str(folder))


def test_an_extension_that_does_not_load_costs_one_warning(tmp_path):
    environ = copy_of_package(tmp_path, "raise ImportError('undefined symbol')")
    (tmp_path / "program.py").write_text(
        "import logging, os, subprocess, sys\n"
        "logging.basicConfig(stream=sys.stdout)\n"
        "logging.warning('written')\n"
        "print('_bootstrap' in os.environ['PYTHONPATH'], flush=True)\n"
        "subprocess.run([sys.executable, '-c', 'import logging; logging.warning(1)'])\n"
    )
    for words in (["program.py"], ["run", "python", "program.py"]):
        finished = duramen_command(*words, cwd=tmp_path, environ=environ)
        assert (finished.returncode, finished.stdout) == (0, "WARNING:root:written\nFalse\n")
        warning, *rest = finished.stderr.splitlines()
        assert warning == (
            "duramen: warning: its extension does not load (ImportError: undefined symbol);"
            " the program runs on the standard library's logging"
        )
        assert rest == ["WARNING:root:1"]


@pytest.mark.parametrize("core", ["raise ImportError('x')", "raise OSError('x')", "1/0"])
def test_an_activated_child_with_a_broken_extension_says_nothing(tmp_path, core):
    environ = copy_of_package(tmp_path, core)
    environ["PYTHONPATH"] = BOOTSTRAP + os.pathsep + str(tmp_path)
    finished = python("-c", "import logging; logging.warning('x')", environ=environ)
    assert outcome(finished) == (0, "", "WARNING:root:x\n")


def test_duramen_disable_turns_everything_off(tmp_path):
    (tmp_path / "program.py").write_text(
        "import os, sys, logging\nprint(sys.modules.get('sitecustomize'), os.environ['PYTHONPATH'])\n"
        "import duramen; print(duramen.is_installed(), logging.getLogger().level)\n"
    )
    environ = environment(DURAMEN_DISABLE="1", DURAMEN_LEVEL="DEBUG", DURAMEN_CONFIG="missing.json")
    plain = python("program.py", cwd=tmp_path, environ=environ)
    assert plain.stdout.endswith("False 30\n")
    for words in (["program.py"], ["run", "python", "program.py"]):
        assert outcome(duramen_command(*words, cwd=tmp_path, environ=environ)) == outcome(plain)
    # Also in a process that is started by an active one.
    environ["PYTHONPATH"] = BOOTSTRAP + os.pathsep + environ["PYTHONPATH"]
    child = python("program.py", cwd=tmp_path, environ=environ)
    assert (child.returncode, child.stderr) == (0, "")
    assert child.stdout.endswith("False 30\n")


NEXT_SITECUSTOMIZE = {
    "none": None,
    "works": "import sys\nprint('theirs', __name__, __file__, sys.path)",
    "raises": "raise RuntimeError('broken')",
    "misses a module": "import no_such_module_anywhere",
    "says it is not there": "raise ImportError('hidden', name='sitecustomize')",
    "syntax error": "x = (",
}


@pytest.mark.parametrize("source", NEXT_SITECUSTOMIZE.values(), ids=NEXT_SITECUSTOMIZE.keys())
def test_the_next_sitecustomize_runs_as_if_ours_were_not_there(tmp_path, source):
    environ = environment(PYTHONUSERBASE=str(tmp_path / "base"))
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    if source is not None:
        (theirs / "sitecustomize.py").write_text(source)
    (theirs / "usercustomize.py").write_text("print('user')")
    environ["PYTHONPATH"] += os.pathsep + str(theirs)
    show = "import sys; print(sys.modules.get('sitecustomize'), sys.path)"
    plain = python("-c", show, environ=environ)
    environ["PYTHONPATH"] = BOOTSTRAP + os.pathsep + environ["PYTHONPATH"]
    under = python("-c", show, environ=environ)
    assert outcome(under) == outcome(plain)
    active = python("-c", "import duramen; print(duramen.is_installed())", environ=environ)
    if plain.returncode == 0:
        assert active.stdout.splitlines()[-1] == "True"


CREATE_SUB_INTERPRETER = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    inner = interpreters.create(sys.argv[1])
else:
    import _xxsubinterpreters as interpreters
    inner = interpreters.create(isolated=sys.argv[1] == "isolated")
interpreters.run_string(inner, sys.argv[2])
interpreters.destroy(inner)
"""


@pytest.mark.parametrize("kind", ["isolated", "legacy"])
@pytest.mark.parametrize("name", ["logging", "duramen"])
def test_a_sub_interpreter_falls_back_to_the_standard_library(kind, name):
    log = f"import sys, {name} as x; x.basicConfig(stream=sys.stdout); x.warning('inner')"
    finished = duramen_command("run", "python", "-c", CREATE_SUB_INTERPRETER, kind, log)
    assert outcome(finished) == (0, "WARNING:root:inner\n", "")
