"""What Duramen's own extras cost: bound fields, trace ids and masking, beside the same call without them.

``python -m bench.structured FOLDER`` prints the nanoseconds of each row as JSON.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from bench.environments import REPOSITORY

_BATCH = 1_000
_BATCHES = 15
PACKS = ("credentials", "pii")


@dataclass(frozen=True)
class Row:
    """Nanoseconds for one call with and without the extra, and what is asked of them."""

    title: str
    without: str
    with_it: str
    #: At most so many times the call without it.
    at_most_times: float = 0.0
    #: At most so many nanoseconds more.
    at_most_more: float = 0.0
    #: At least so many times as fast as ``without``.
    at_least_faster: float = 0.0


ROWS = (
    Row("JSON with 4 extras to a file: ten bound fields", "json", "json-bound", at_most_times=1.5),
    Row("JSON with 4 extras to a file: an active OpenTelemetry span", "json", "json-span"),
    Row("JSON with 4 extras to a file: masking", "json", "json-masked"),
    Row("200 bytes of plain words to a file: masking", "plain", "plain-masked", at_most_more=1000),
    Row("200 bytes full of digits, dots and @: masking", "digits", "digits-masked"),
    Row("200 bytes with four hits: masking", "hits", "hits-masked"),
    Row("200 bytes of plain words: Python's `re`", "plain-re", "plain-text", at_least_faster=20),
    Row(
        "200 bytes full of digits, dots and @: Python's `re`", "digits-re", "digits-text", at_least_faster=20
    ),
    Row("200 bytes with four hits: Python's `re`", "hits-re", "hits-text", at_least_faster=20),
)

_MESSAGES = {
    "plain": "the order was taken from the shelf and put into a box that goes out with the next van ",
    "digits": "at 12:30:45.123 on 2024-05-01 build 1.20.3 of job@node took 0.00123 s, 12 of 3456 items @ 9.50 ",
    "hits": "ada@example.org from 10.1.2.3 with password=correcthorse and Bearer abcDEF123456789xyz ",
}
MESSAGES = {name: (text * 3)[:200] for name, text in _MESSAGES.items()}


def _times(calls):
    """{name: nanoseconds of a call}: batches in turn after one call of each, the lower quartile of each."""
    for call in calls.values():
        call()
    found = {name: [] for name in calls}
    for _ in range(_BATCHES):
        for name, call in calls.items():
            # Fewer of those that take long.
            turns = _BATCH // 10 if name.endswith("-re") else _BATCH
            started = time.thread_time_ns()
            for _ in range(turns):
                call()
            found[name].append((time.thread_time_ns() - started) / turns)
    return {name: statistics.quantiles(times, n=4, method="inclusive")[0] for name, times in found.items()}


def _calls(folder):
    import duramen as logging
    import duramen.context
    from duramen.filters import RedactingFilter
    from duramen.formatters import JsonFormatter

    masking = RedactingFilter(packs=PACKS)

    def logger(name, formatter, filters=()):
        handler = logging.FileHandler(os.path.join(folder, name))
        handler.setFormatter(formatter)
        for filter in filters:
            handler.addFilter(filter)
        logger = logging.Logger("app", logging.INFO)
        logger.addHandler(handler)
        return logger

    extra = {"user_id": 12345, "request_id": "b7c9d1", "path": "/orders/1", "elapsed": 9.5}
    bound = {f"field_{number}": f"value {number}" for number in range(10)}

    def logs_json(name, filters=()):
        info = logger(name, JsonFormatter(), filters).info
        return lambda: info("order %s of %s", 12345, "pears", extra=extra)

    def inside(enter, call):
        """``call``, made in a context of its own."""
        import contextvars

        within = contextvars.copy_context()
        within.run(enter)
        return lambda: within.run(call)

    calls = {"json": inside(int, logs_json("json"))}
    calls["json-bound"] = inside(lambda: duramen.context.bind(**bound), logs_json("json-bound"))
    calls["json-masked"] = inside(int, logs_json("json-masked", [masking]))
    layout = logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s")
    search = _searches_in_python(masking)
    for name, text in MESSAGES.items():
        for kind, filters in ((name, ()), (f"{name}-masked", (masking,))):
            info = logger(kind, layout, filters).info
            calls[kind] = lambda info=info, text=text: info(text)
        calls[f"{name}-re"] = lambda text=text: search(text)
        calls[f"{name}-text"] = lambda text=text: masking.text(text)
    # Only now: a process that has imported OpenTelemetry asks for the span at each record.
    return calls, lambda: {"json-span": inside(_enter_span, logs_json("json-span"))}, masking


def _enter_span():
    from opentelemetry import context, trace

    ids = trace.SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, is_remote=False)
    context.attach(trace.set_span_in_context(trace.NonRecordingSpan(ids)))


def _searches_in_python(masking):
    """The same patterns one after the other, as a filter that is written in Python does it."""
    patterns = [re.compile(text.replace(r"\z", r"\Z")) for text in masking.expressions().values()]

    def search(text):
        for pattern in patterns:
            text = pattern.sub("***", text)
        return text

    return search


#: Of a long text: so many bytes.
LONG = 4_000_000


def _throughput(masking, folder):
    """Megabytes a second of long texts, and the same patterns with the regex crate alone."""
    expressions = os.path.join(folder, "expressions")
    with open(expressions, "w") as file:
        file.write("\n".join(masking.expressions().values()))
    found = {}
    for name, message in MESSAGES.items():
        text = (message + "\n") * (LONG // (len(message) + 1))
        path = os.path.join(folder, f"{name}.txt")
        with open(path, "w") as file:
            file.write(text)
        started = time.thread_time_ns()
        masking.text(text)
        found[f"{name}-long"] = time.thread_time_ns() - started
        command = "cargo run --quiet --release --locked --package duramen --example regex_limit".split()
        process = subprocess.run(
            [*command, expressions, path], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
        at_once, one_by_one = map(int, process.stdout.split())
        found |= {f"{name}-long-set": at_once, f"{name}-long-each": one_by_one}
    return found


def verdict(row, times):
    """What came of a row, as text for its cell."""
    without, with_it = times[row.without], times[row.with_it]
    if row.at_least_faster:
        factor = without / with_it
        return f"{factor:.0f}x as fast, {_reached(factor >= row.at_least_faster)} ({row.at_least_faster:g}x)"
    more = with_it - without
    text = f"{more:+.0f} ns, {with_it / without:.2f} times"
    if row.at_most_times:
        reached = _reached(with_it <= row.at_most_times * without)
        return f"{text}: {reached} (at most {row.at_most_times:g} times)"
    if row.at_most_more:
        return f"{text}: {_reached(more <= row.at_most_more)} (at most {row.at_most_more:g} ns more)"
    return text


def _reached(is_reached):
    return "reached" if is_reached else "**missed**"


def main():
    folder = sys.argv[1]
    calls, calls_with_span, masking = _calls(folder)
    found = _times(calls) | _times(calls_with_span())
    print(json.dumps(found | _throughput(masking, folder)))


if __name__ == "__main__":
    main()
