"""The ``duramen`` command of a Python installation, and ``python -m duramen``."""

import os
import signal
import sys

from duramen import _check, _config_file, _doctor, _environment, _run, _start
from duramen._doctor import version

USAGE = """\
usage: duramen run [--config FILE] PROGRAM [ARGUMENT ...]
       duramen doctor [--json] [--config FILE] [-m MODULE | FILE] [ARGUMENT ...]
       duramen serve [OPTION ...] FILE
       duramen spool list|show|replay FOLDER
       duramen check FILE
       duramen check --redaction FILE [--config FILE]
       duramen check --audit FILE [--key-env NAME | --key-file FILE] ...
       python -m duramen [--config FILE] (-m MODULE | FILE) [ARGUMENT ...]
       duramen --version | --help

Runs a Python program, and the Python processes that it starts, with the standard library's logging
going through Duramen. PROGRAM is any command: gunicorn, celery, python, ...

  run             run a command
  doctor          show which way each logger and handler takes, native or Python, and why
  serve           receive the records of other processes; duramen serve --help has its options
  spool           deliver what queues left in their journals; duramen spool --help says more
  check           say everything that is wrong in a logging configuration
  --redaction     show the lines of a text that masking would change, and by which rule: those of the
                  configuration's redact section, or the pack "credentials"
  --audit         check an audit trail, all of its files: exit code 0 when it is as it was written, 1 when it is
                  not (the first changed, missing, reordered, doubled or truncated line is named), 2 when it
                  cannot be read
  --key-env NAME  the environment variable of the trail's key (DURAMEN_AUDIT_KEY when no key is named), or
  --key-file FILE the file that holds it; several where the key was changed
  --config FILE   a logging configuration to start with (JSON, TOML, YAML or INI)
  --json          print the doctor's findings as JSON

environment:
  DURAMEN_CONFIG    the configuration file when --config is not given
  DURAMEN_LEVEL     the level of the root logger, a name or a number
  DURAMEN_DISABLE   1: leave logging to the standard library
"""

# The exit code for a command line, or a file named on it, that cannot be used.
_USAGE_ERROR = 2


class UsageError(Exception):
    """A command line that means nothing; the message says why."""


def main():
    """Run the command that ``sys.argv`` holds and give its exit code."""
    try:
        command = _understand(sys.argv[1:])
    except (UsageError, _config_file.ConfigFileError) as error:
        _start.report(error)
        return _USAGE_ERROR
    return command()


def _understand(words):
    """The function that does what ``words`` ask for, all of them checked."""
    first = words[0] if words else "--help"
    if first in ("-h", "--help"):
        return lambda: print(USAGE, end="")
    if first in ("-V", "--version"):
        return lambda: print(f"duramen {version()}")
    if first == "run":
        return _understand_run(words[1:])
    if first == "doctor":
        return _understand_doctor(words[1:])
    if first == "serve":
        return lambda: _serve(words[1:])
    if first == "spool":
        return lambda: _extension().spool(words[1:])
    if first == "check":
        return _understand_check(words[1:])
    options, program = _parse_options(words)
    return _run_here(_python_program(program), options)


def _understand_run(words):
    options, program = _parse_options(words)
    if not program:
        raise UsageError("run needs a program; duramen --help shows how it is used")
    name = program[0]
    if name == "-m" or (name.endswith(".py") and os.path.isfile(name) and not _run.is_command(name)):
        return _run_here(_python_program(program), options)
    config = _checked_config(options)
    return lambda: _run.run_command(program, config)


def _understand_doctor(words):
    options, program = _parse_options(words, flags=("--json",))
    run = _python_program(program) if program else None
    config = _checked_config(options)
    return lambda: _doctor.examine(run, config, as_json="--json" in options)


def _extension():
    # Only here, so that ``doctor`` can tell where it does not load.
    from duramen import _core

    return _core


def _serve(words):
    # The server handles signals itself; the interpreter's own handler would have its say as well.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _extension().serve(words)


def _understand_check(words):
    flags, lists = ("--redaction", "--audit"), ("--key-env", "--key-file")
    options, files = _parse_options(words, flags, lists)
    while len(files) > 1:
        # Options may stand behind the file too.
        more, files[1:] = _parse_options(files[1:], flags, lists)
        for name, value in more.items():
            options[name] = options.get(name, []) + value if name in lists else value
        if not more:
            break
    if len(files) != 1:
        raise UsageError("check needs one file; duramen --help shows how it is used")
    if "--redaction" in options:
        return lambda: _check.show_redaction(files[0], options.get("--config"))
    keys = [options.get(name, []) for name in lists]
    if "--audit" in options:
        return lambda: _check.check_audit(files[0], *keys)
    if any(keys):
        raise UsageError("--key-env and --key-file are options of check --audit")
    return lambda: _check.check_configuration(files[0])


def _run_here(run, options):
    config = _checked_config(options)

    def start_and_run():
        _run.start_here(config)
        run()

    return start_and_run


def _python_program(program):
    """What runs ``-m MODULE …`` or ``FILE …`` in this process."""
    if not program:
        raise UsageError("a program is missing; duramen --help shows how it is used")
    first, *rest = program
    if first == "-m":
        if not rest:
            raise UsageError("-m needs the name of a module")
        return lambda: _run.run_module(rest[0], rest[1:])
    if not os.path.exists(first):
        raise UsageError(f"there is no command and no file {first!r}")
    return lambda: _run.run_file(first, rest)


def _parse_options(words, flags=(), lists=()):
    """Split ``words`` into our options, which stand first, and the program with its arguments.

    ``flags`` have no value; ``lists`` have one and may be given several times.
    """
    options = {}
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        word = rest.pop(0)
        name, has_value, value = word.partition("=")
        if word == "--":
            break
        if word in flags:
            options[word] = True
        elif name == "--config" or name in lists:
            if not has_value:
                if not rest:
                    raise UsageError(f"{name} needs a {'name' if name == '--key-env' else 'file'}")
                value = rest.pop(0)
            options[name] = options.get(name, []) + [value] if name in lists else value
        else:
            raise UsageError(f"there is no option {word!r}")
    return options, rest


def _checked_config(options):
    """The file given with --config, if any; refused here, before the program starts, if it is bad."""
    path = options.get("--config")
    if path is not None and not _environment.is_disabled():
        _config_file.load(path)
    return path


if __name__ == "__main__":
    sys.exit(main())
