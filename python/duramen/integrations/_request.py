"""What the integrations for web frameworks share: a request's id, its fields, and its record in the access log."""

import ipaddress
import re
import sys
import time
import urllib.parse
import uuid

import duramen
from duramen import context

#: What comes from outside and is put on every record: short, and of characters that forge nothing.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:@=+-]{1,128}")

#: W3C Trace Context, 3.2: version, trace-id, parent-id and flags; later versions may append fields.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")

#: The status of a request whose client went away before the response was complete, as nginx has it.
CLIENT_CLOSED_REQUEST = 499


class Options:
    """How an integration treats requests; ``owner`` is the class that errors name."""

    def __init__(
        self,
        owner,
        *,
        logger="duramen.access",
        request_id_header="X-Request-ID",
        respond=True,
        query=False,
        trusted_proxies=(),
        user=None,
        session=None,
    ):
        self.owner = owner
        self.logger = self._check(
            "logger", logger, logger is None or _is_name(logger), "a logger's name or None"
        )
        is_header = isinstance(request_id_header, str) and re.fullmatch(r"[A-Za-z0-9-]+", request_id_header)
        self.header = self._check(
            "request_id_header", request_id_header, is_header, "the name of a header: letters, digits and '-'"
        )
        self.respond = self._check("respond", respond, isinstance(respond, bool), "True or False")
        self.query = self._check("query", query, isinstance(query, bool), "True or False")
        self.proxies = self._networks(trusted_proxies)
        self.user = self._check("user", user, user is None or callable(user), "a function or None")
        self.session = self._check(
            "session", session, session is None or callable(session), "a function or None"
        )
        self._has_said = set()

    def _check(self, option, value, is_right, expected):
        if not is_right:
            raise ValueError(f"{self.owner}: {option}: found {value!r}, expected {expected}")
        return value

    def _networks(self, given):
        expected = "a list of addresses or networks, such as ['10.0.0.0/8']"
        self._check("trusted_proxies", given, not isinstance(given, (str, bytes)), expected)
        networks = []
        for index, one in enumerate(given):
            try:
                networks.append(ipaddress.ip_network(one))
            except ValueError:
                self._check(f"trusted_proxies[{index}]", one, False, "an address or a network")
        return tuple(networks)

    def asked(self, option, source):
        """What the function ``user`` or ``session`` says of the request; None where it fails, which is said once."""
        function = getattr(self, option)
        if function is None:
            return None
        try:
            return function(source)
        except Exception:
            if option not in self._has_said:
                self._has_said.add(option)
                own = duramen.getLogger("duramen.integrations")
                own.warning("%s: the function %s has failed", self.owner, option, exc_info=True)
            return None


def _is_name(value):
    return isinstance(value, str) and value != ""


class Request:
    """One request, from its first byte until its record is written.

    ``header`` gives the text of a header, or None, by its name; ``peer`` is the address of the other end.
    """

    def __init__(self, options, method, path, query, header, peer):
        self._options = options
        self._began = time.perf_counter()
        self._ended = None
        self.status = None
        self.bytes_sent = 0
        self.is_logged = False
        trace = _trace_of(header("traceparent"))
        given = header(options.header)
        if given is None or not _REQUEST_ID.fullmatch(given):
            given = trace["trace_id"] if trace else uuid.uuid4().hex
        self.id = given
        if options.query and query:
            path = f"{path}?{query}"
        self.fields = {"request_id": given, "method": method, "path": _printable(path)}
        client = _client(options.proxies, peer, header)
        if client:
            self.fields["client"] = client
        if trace and not _has_active_span():
            self.fields.update(trace)

    def bind(self):
        """A ``with`` block in which the fields are on every record."""
        return context.bound(**self.fields)

    def ask(self, source):
        """Take up who asks, as the functions ``user`` and ``session`` say; gives the fields that are new."""
        found = {option: self._options.asked(option, source) for option in ("user", "session")}
        new = {name: value for name, value in found.items() if value is not None and name not in self.fields}
        self.fields.update(new)
        return new

    @property
    def response_header(self):
        """The header for the response, name and value, or None."""
        return (self._options.header, self.id) if self._options.respond else None

    @property
    def has_failed(self):
        """Whether the status says so; there is none where nothing was answered."""
        return self.status is None or self.status >= 500

    def stop(self):
        """The last byte was sent: what comes now is not the client's time."""
        self._ended = time.perf_counter()

    def log(self, error=None, **more):
        """Write the record of the request, once."""
        if self.is_logged:
            return
        self.is_logged = True
        if self._options.logger is None:
            return
        duration = ((self._ended or time.perf_counter()) - self._began) * 1000
        status = 500 if self.status is None else self.status
        fields = {
            **self.fields,
            "status": status,
            "duration_ms": round(duration, 3),
            # Servers leave out the body of an answer to HEAD (RFC 9110, 9.3.2).
            "bytes_sent": 0 if self.fields["method"] == "HEAD" else self.bytes_sent,
            **more,
        }
        level = duramen.ERROR if self.has_failed or error is not None else duramen.INFO
        duramen.getLogger(self._options.logger).log(
            level,
            "%s %s %d in %.1f ms",
            self.fields["method"],
            self.fields["path"],
            status,
            duration,
            extra=fields,
            exc_info=error,
        )


def _printable(path):
    """The path without characters that forge a line: they are quoted as in a URL."""
    if path.isprintable():
        return path
    quoted = (one if one.isprintable() else urllib.parse.quote(one, errors="replace") for one in path)
    return "".join(quoted)


def _trace_of(traceparent):
    """``trace_id`` and ``parent_span_id`` of a valid header, as a dict; None for any other."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    if not match:
        return None
    version, trace_id, parent_id, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not int(trace_id, 16) or not int(parent_id, 16):
        return None
    return {"trace_id": trace_id, "parent_span_id": parent_id}


def _has_active_span():
    """Whether OpenTelemetry says to which trace the request belongs: it is not imported for that."""
    # Another thread may be about to import it.
    current = getattr(sys.modules.get("opentelemetry.trace"), "get_current_span", None)
    return current is not None and current().get_span_context().is_valid


def _client(proxies, peer, header):
    """The address of who has asked: behind trusted proxies, what the last one that is not trusted is called."""
    address = _address(peer)
    if address is None or not proxies:
        return peer
    for hop in reversed((header("x-forwarded-for") or "").split(",")):
        if not any(address in network for network in proxies):
            break
        before = _address(hop.strip())
        if before is None:
            break
        address = before
    return str(address)


def _address(text):
    """The address, or None; one of IPv4 as such also where a socket for both has it as one of IPv6."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
