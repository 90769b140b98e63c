"""Runs a program with Duramen active: in a process of its own, or in this one.

``run_command`` gives way to another program, which finds the activation in its environment.
``run_file`` and ``run_module`` run Python code here, as ``python FILE`` and ``python -m MODULE`` would.
"""

import errno
import importlib.machinery
import os
import runpy
import shutil
import signal
import subprocess
import sys
import types

from duramen import _environment, _start

# The exit codes of a shell for a command that is not there, and for one that cannot be run.
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126

# What the interpreter itself calls for -m. runpy's public functions, which stand in for it where it is
# gone, take the program's __main__ away again when its code ends, before its threads have.
_run_as_main = getattr(runpy, "_run_module_as_main", None)


def run_command(command, config=None):
    """Replace this process by ``command``, a list of words, with Duramen active in it.

    Where the system cannot replace a process, the command runs as a child. Gives its exit code, or
    one of a shell's when it cannot be started.
    """
    environ = _command_environment(config)
    try:
        program, words = _find_program(command, environ)
        if sys.platform == "win32":
            return _run_as_child([program, *words[1:]], environ)
        _replace_process(program, words, environ)
    except FileNotFoundError:
        _start.report(f"{command[0]}: command not found")
        return _NOT_FOUND
    except OSError as error:
        _start.report(f"{command[0]}: {error.strerror}")
        return _NOT_EXECUTABLE


def is_command(name):
    """True if ``run_command`` can find an executable of that name."""
    try:
        _find_program([name], os.environ)
    except OSError:
        return False
    return True


def start_here(config=None):
    """Activate Duramen in this process and in the Python processes that it starts."""
    if _environment.is_disabled():
        return
    environ = _environment.child_environment(os.environ, config)
    reason = _start.start(environ)
    if reason is None:
        os.environ.update(environ)
    else:
        _warn_unavailable(reason)


def run_file(path, arguments):
    """Run a Python file, or a folder or zip file with a ``__main__``, as the main program.

    Raises what the program raises, ``SystemExit`` included.
    """
    sys.argv[:] = [path, *arguments]
    absolute = os.path.abspath(path)
    main = _new_main_module()
    if _is_importable(absolute):
        _set_first_path(absolute)
        if _run_as_main is None:
            _call_as_outermost(runpy.run_path, absolute, None, "__main__")
        else:
            _call_as_outermost(_run_as_main, "__main__", False)
        return
    _set_first_path(os.path.dirname(os.path.realpath(path)))
    main.__file__ = absolute
    main.__cached__ = None
    main.__loader__ = _loader_class(absolute)("__main__", absolute)
    _call_as_outermost(_run_code_of, main)


def run_module(name, arguments):
    """Run a module as the main program, as ``python -m`` does.

    Raises what the program raises, ``SystemExit`` included.
    """
    # While the module is looked for, python has "-m" there; then the module's file takes its place.
    sys.argv[:] = ["-m", *arguments]
    _set_first_path(os.getcwd())
    _new_main_module()
    if _run_as_main is None:
        _call_as_outermost(runpy.run_module, name, None, "__main__", True)
    else:
        _call_as_outermost(_run_as_main, name)


def _warn_unavailable(reason):
    _start.report(f"warning: {reason}; the program runs on the standard library's logging")


def _command_environment(config):
    """The environment that activates Duramen in a command, or a plain one where it cannot be active."""
    if _environment.is_disabled():
        return dict(os.environ)
    reason = _start.why_unavailable()
    if reason is not None:
        _warn_unavailable(reason)
        return dict(os.environ)
    return _environment.child_environment(os.environ, config)


def _find_program(command, environ):
    """The file to execute and the words to give it: found on PATH, else beside this interpreter."""
    name = command[0]
    program = shutil.which(name, path=environ.get("PATH"))
    if program is not None:
        return program, command
    if os.path.dirname(name):
        code = errno.EACCES if os.path.exists(name) else errno.ENOENT
        raise OSError(code, os.strerror(code), name)
    program = shutil.which(name, path=os.path.dirname(os.path.abspath(sys.executable)))
    if program is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    # By its path, since an interpreter that is called by name looks for itself on PATH.
    return program, [program, *command[1:]]


def _replace_process(program, words, environ):
    # The interpreter ignores these signals in itself; a program that it becomes must not inherit that.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os.execve(program, words, environ)


def _run_as_child(command, environ):
    with subprocess.Popen(command, env=environ) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                # The child got the same Ctrl-C and decides what becomes of it.
                continue


def _new_main_module():
    """A fresh ``__main__``, as the interpreter makes one, in place of this command's own."""
    main = types.ModuleType("__main__")
    main.__builtins__ = sys.modules["builtins"]
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    sys.modules["__main__"] = main
    return main


def _set_first_path(folder):
    """Put ``folder`` where the interpreter put the folder of this command."""
    without_it = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
    if not without_it:
        sys.path[0] = folder


def _is_importable(path):
    """True for a folder or a zip file, which ``python PATH`` puts on sys.path to run its ``__main__``."""
    return any(_finds(hook, path) for hook in sys.path_hooks)


def _finds(hook, path):
    try:
        hook(path)
    except ImportError:
        return False
    return True


def _loader_class(path):
    if path.endswith(tuple(importlib.machinery.BYTECODE_SUFFIXES)):
        return importlib.machinery.SourcelessFileLoader
    return importlib.machinery.SourceFileLoader


def _run_code_of(main):
    """Run the program of ``main.__file__`` in the module ``main``."""
    loader = main.__loader__
    if isinstance(loader, importlib.machinery.SourcelessFileLoader):
        code = loader.get_code("__main__")
    else:
        # Not loader.get_code(), which would write a .pyc: python writes none for its main program.
        code = compile(loader.get_data(main.__file__), main.__file__, "exec", dont_inherit=True)
    exec(code, main.__dict__)


def _call_as_outermost(function, *args):
    """Call ``function`` such that the traceback of what it lets out does not show this file."""
    try:
        function(*args)
    except SystemExit:
        raise
    except BaseException as error:
        _hide_frames(error)
        raise


def _hide_frames(error):
    """Make the traceback that the interpreter is about to print begin below this file."""
    traceback = error.__traceback__
    this_file = _hide_frames.__code__.co_filename
    while traceback is not None and traceback.tb_frame.f_code.co_filename == this_file:
        traceback = traceback.tb_next
    hook = sys.excepthook

    def excepthook(kind, value, whole):
        sys.excepthook = hook
        if value is not error:
            # Somebody around us dealt with the program's exception, and this is a later one.
            hook(kind, value, whole)
            return
        sys.last_traceback = traceback
        hook(kind, value.with_traceback(traceback), traceback)

    sys.excepthook = excepthook
