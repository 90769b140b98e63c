"""Renders layouts as the interpreter does: one request per line on standard input, one answer per line.

A request is the style, the format and the fields, with blanks between; texts are UTF-8 in hexadecimal. The
answer is `text` and the bytes in hexadecimal, or `error` and the exception.
"""

import string
import struct
import sys

RENDER = {
    "percent": lambda layout, fields: layout % fields,
    "brace": lambda layout, fields: layout.format(**fields),
    "dollar": lambda layout, fields: string.Template(layout).substitute(**fields),
}


def value_of(written):
    kind, content = written[0], written[1:]
    if kind == "t":
        return bytes.fromhex(content).decode()
    if kind == "i":
        return int(content)
    if kind == "f":
        return struct.unpack(">d", bytes.fromhex(content))[0]
    return None


def fields_of(written):
    fields = {}
    for entry in written.split(","):
        name, value = entry.split("=")
        fields[name] = value_of(value)
    nanoseconds = fields.pop("created_ns")
    fields["created"] = nanoseconds / 1e9
    fields["msecs"] = nanoseconds // 10**6 % 1000 + 0.0
    return fields


for request in sys.stdin:
    style, layout, fields = request.rstrip("\n").split(" ")
    try:
        text = RENDER[style](bytes.fromhex(layout).decode(), fields_of(fields))
        answer = "text " + text.encode().hex()
    except Exception as error:
        answer = "error " + ascii(error)
    print(answer, flush=True)
