"""``duramen check``: looks at files without running anything."""

import json

from duramen import _config_file, _redaction, _start

_WRONG = 1
_UNREADABLE = 2


def check_configuration(path):
    """Print what is wrong in the configuration file ``path``, or that nothing is."""
    try:
        _config_file.load(path)
    except _config_file.ConfigFileError as error:
        print(error)
        return _WRONG
    print(f"{path}: nothing is wrong")
    return 0


def show_redaction(path, config):
    """Print each line of the text file ``path`` that masking would change, as it would be written."""
    try:
        redacting = _redacting_filter(config)
        file = open(path, encoding="utf-8", errors="surrogateescape", newline="\n")
    except (OSError, _config_file.ConfigFileError) as error:
        _start.report(error)
        return _UNREADABLE
    changed = total = 0
    with file:
        for total, line in enumerate(file, 1):
            line = line.rstrip("\r\n")
            before = redacting.counts()
            masked = _masked(redacting, line)
            if masked != line:
                changed += 1
                rules = [name for name, count in redacting.counts().items() if count > before.get(name, 0)]
                shown = masked.encode("utf-8", "backslashreplace").decode()
                print(f"{total}: {shown}    ({', '.join(rules)})")
    print(f"{changed} of {total} lines would be changed")
    return 0


def check_audit(path, variables, files):
    """Print what is wrong in the audit trail ``path``, or that nothing is; the keys are those named."""
    from duramen import _audit, _core

    if not variables and not files:
        variables = [_audit.KEY_VARIABLE]
    try:
        count, first, last, notes, finding = _core.check_audit(path, variables, files)
    except (OSError, ValueError) as error:
        _start.report(f"{path}: {error}" if isinstance(error, OSError) and not error.filename else error)
        return _UNREADABLE
    for note in notes:
        print(f"note: {note}")
    if finding is not None:
        print(finding)
        return _WRONG
    print(f"{path}: {count} file{'s' if count > 1 else ''}, lines {first} to {last} are as they were written")
    return 0


def _redacting_filter(config):
    from duramen.filters import RedactingFilter

    if config is None:
        return RedactingFilter()
    content = _config_file.load(config).content
    found = _redaction.filter_of(content) if isinstance(content, dict) else None
    if found is None:
        raise _config_file.ConfigFileError(config, ["redact: the section is missing"])
    return found


def _masked(redacting, line):
    """The line with its secrets masked; where it is a JSON object, its fields by their names too."""
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return redacting.text(line)
    masked = redacting.fields(fields)
    return line if masked == fields else json.dumps(masked, ensure_ascii=False)
