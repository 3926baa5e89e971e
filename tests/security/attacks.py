"""Tables of requests that two programs could read differently. `HIDDEN` stands for a request that
only one of them would see."""

HIDDEN = b"<hidden>"
HIDDEN_SIZE = b"<size>"  # of HIDDEN, in hexadecimal digits
PLAIN = "POST /api/dtmsvr/newGid HTTP/1.1"
NEXT = b"GET /api/dtmsvr/newGid HTTP/1.1\r\nHost: h\r\n\r\n"


def hidden(name):
    body = f'{{"gid":"hidden-{name}","trans_type":"tcc"}}'
    return (f"POST /api/dtmsvr/prepare HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n"
            f"{body}").encode()


def fill(rows):
    """(name, [bytes]) of each row."""
    for name, text in rows:
        request = hidden(name)
        text = text.replace(HIDDEN_SIZE, b"%x" % len(request)).replace(HIDDEN, request)
        yield name, [text.replace(b"<length>", b"%d" % len(request))]


def _request(fields, body=HIDDEN, line=PLAIN, host="Host: h\r\n"):
    head = f"{line}\r\n{host}{fields}\r\n\r\n"
    return head.encode("latin-1") + body


LAST_CHUNK = b"0\r\n\r\n" + HIDDEN
ONE_CHUNK = HIDDEN_SIZE + b"\r\n" + HIDDEN + b"\r\n0\r\n\r\n"
CODED = "Transfer-Encoding: chunked"


def _chunks(text):
    return _request(CODED, text + HIDDEN)


AMBIGUOUS = [
    ("cl-te", _request("Content-Length: 100\r\n" + CODED, LAST_CHUNK)),
    ("te-cl", _request(CODED + "\r\nContent-Length: 4", ONE_CHUNK)),
    ("cl-0-te", _request("Content-Length: 0\r\n" + CODED, ONE_CHUNK)),
    # Codings that some reader takes for chunked and another one does not.
    *((f"coding-{number}", _request(f"Transfer-Encoding: {value}", LAST_CHUNK))
      for number, value in enumerate((
          "xchunked", "chunked, identity", "identity, chunked", "chunked, chunked", "\x0bchunked",
          "chunked\x0b", '"chunked"', "'chunked'", "chunked;q=1", "chu nked", "gzip, chunked",
          "identity", "", ",chunked", "chunked,", "chunked\x00", "\xa0chunked", "cow"))),
    ("coding-twice", _request(CODED + "\r\nTransfer-Encoding: cow", LAST_CHUNK)),
    ("coding-twice-first", _request("Transfer-Encoding: cow\r\n" + CODED, LAST_CHUNK)),
    # Names of fields, and lines that go on or end where others do not see it.
    *((f"field-{number}", _request(f"Content-Length: <length>\r\n{line}", HIDDEN))
      for number, line in enumerate((
          "Transfer-Encoding : chunked", " " + CODED, "\t" + CODED, "Transfer-Encoding\t: chunked",
          "Transfer\x00-Encoding: chunked", "Transfer Encoding: chunked", "Transfer-Encoding",
          "Transfer-Encoding\x0b: chunked", "X: y\n" + CODED, "X: y\r" + CODED,
          "X: y\n\n", "X: y\r\r\n", "Transfer-Encoding:\r\n chunked",
          "Transfer-Encoding:\n chunked", "X: y\r\n " + CODED, "X: \x00y", "X\x00: y",
          ": y", "\x00", "X: y\x01", "X(y): z"))),
    ("lf-only", (PLAIN + "\nHost: h\nContent-Length: 0\n\n").encode() + HIDDEN),
    ("lf-behind-the-line", (PLAIN + "\nHost: h\r\n\r\n").encode() + HIDDEN),
    ("lf-behind-the-header", (PLAIN + "\r\nHost: h\r\n\n").encode() + HIDDEN),
    # Lengths.
    *((f"length-{number}", _request(f"Content-Length: {value}", HIDDEN))
      for number, value in enumerate((
          "+5", "-5", "0x5", "5 5", "5;", "5,6", "5.0", "1e1", "", "5\x0b", "\xa05", "\xd9\xa5",
          "5\r\n 0", "5\r\nContent-Length: 0", "0\r\nContent-Length: 5", "18446744073709551621",
          "99999999999999999999999", "5\r\nContent-Length : 0", "5\x00", "five"))),
    ("length-name", _request("Content-Length : 5")),
    # Chunks.
    *((f"chunk-{number}", _chunks(text)) for number, text in enumerate((
        b"10000000000000000\r\n", b"ffffffffffffffff1\r\n", b"+0\r\n\r\n", b"-0\r\n\r\n",
        b"0x0\r\n\r\n", b" 0\r\n\r\n", b"0 \r\n\r\n", b"0\n\r\n", b"0\r\r\n\r\n", b"0\n\n",
        b"1\r\naa\r\n0\r\n\r\n", b"1\r\na0\r\n\r\n", b"1\r\na\n0\r\n\r\n", b"1_0\r\n",
        b"0;x\n\r\n", b"0;\x00\r\n\r\n", b"0;x\ry\r\n\r\n", b"\r\n0\r\n\r\n", b"g\r\n",
        b"0\r\nX : y\r\n\r\n", b"0\r\nX: y\n\r\n", b"0\r\n X: y\r\n\r\n", b"0\r\n\n"))),
    # Request lines and versions.
    *((f"line-{number}", _request("Content-Length: 0", line=line)) for number, line in enumerate((
        "GET /api/dtmsvr/newGid", "GET  /api/dtmsvr/newGid HTTP/1.1",
        "GET\t/api/dtmsvr/newGid\tHTTP/1.1", "GET /api/dtmsvr/newGid HTTP/1.1 HTTP/1.1",
        "GET /api/dtmsvr/newGid\x0bHTTP/1.1", " GET /api/dtmsvr/newGid HTTP/1.1",
        "GET /api/dtmsvr/newGid HTTP/1.1\x00", "GET /api/dtmsvr/newGid http/1.1",
        "GET /api/dtmsvr/newGid HTTP/2.0", "GET /api/dtmsvr/newGid HTTP/01.1",
        "GET /api/dtmsvr/newGid HTTP/1.10", "GET /\x00 HTTP/1.1", "GET /a b HTTP/1.1",
        "GET /api/dtmsvr/newGid# HTTP/1.1", "G\x00T / HTTP/1.1", "PRI * HTTP/2.0",
        "GET http://a@b/api/ping HTTP/1.1", "GET http:///api/ping HTTP/1.1",
        "GET api/ping HTTP/1.1", "GET \\api\\ping HTTP/1.1"))),
    ("http-1-0-coded", _request("Connection: keep-alive\r\n" + CODED, LAST_CHUNK,
                                "POST /api/dtmsvr/newGid HTTP/1.0")),
    ("http-1-0-both", _request("Connection: keep-alive\r\nContent-Length: 5\r\n" + CODED,
                               LAST_CHUNK, "POST /api/dtmsvr/newGid HTTP/1.0")),
    # Hosts.
    *((f"host-{number}", _request("Content-Length: 0", HIDDEN, host=host))
      for number, host in enumerate((
          "", "Host: h\r\nHost: h\r\n", "Host: h\r\nHost: other\r\n", "Host: a b\r\n",
          "Host: a,b\r\n Host: c\r\n", "Host : h\r\n", "Host: h/api/concerto\r\n", "Host: u@h\r\n",
          "Host: h\x00\r\n", "Host: h:1:2\r\n", " Host: h\r\n"))),
    ("expects", _request("Expect: 100-continue, 200-ok\r\nContent-Length: <length>")),
]

# Messages whose end all readers see at the same place. The answer to NEXT is there each time.
LEGAL = [
    ("length", _request("Content-Length: <length>") + NEXT),
    ("chunked", _request(CODED, ONE_CHUNK) + NEXT),
    ("zeros", _request("Content-Length: 000<length>") + NEXT),
    ("extension", _request(CODED, HIDDEN_SIZE + b';a="b"\r\n' + HIDDEN +
                           b"\r\n0;c\r\n\r\n") + NEXT),
    ("trailer", _request(CODED, HIDDEN_SIZE + b"\r\n" + HIDDEN +
                         b"\r\n0\r\nContent-Length: 5\r\nHost: x\r\n\r\n") + NEXT),
    ("underscore", _request("Transfer_Encoding: chunked\r\nContent-Length: <length>") + NEXT),
    ("other-name", _request("X-Transfer-Encoding: chunked\r\nContent-Length: <length>") + NEXT),
    ("h2c", _request("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                     "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
                     "Content-Length: <length>") + NEXT),
    ("websocket", _request("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
                           "\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                           "Content-Length: <length>") + NEXT),
    ("continue", _request("Expect: 100-continue\r\nContent-Length: <length>") + NEXT),
    ("absolute", _request("Content-Length: <length>",
                          line="POST http://other/api/dtmsvr/newGid HTTP/1.1") + NEXT),
    ("http-1-0", _request("Connection: keep-alive\r\nContent-Length: <length>",
                          line="POST /api/dtmsvr/newGid HTTP/1.0") + NEXT),
    ("connection-names-framing", _request("Connection: Content-Length, Host\r\n"
                                          "Content-Length: <length>") + NEXT),
]

# Spellings of what the proxies refuse.
_SPELLINGS = ("{0}", "/{0}", "/.{0}", "/x/..{0}", "/%2e{0}", "/x/%2e%2e{0}", "/%2f{0}", "/;{0}",
              "/x;/..{0}", "{0}/", "{0};", "{0};a=b", "{0}%20", "{0}%00", "{0}%0a", "{0}?", "{0}/.",
              "http://h{0}", "http://h/{0}", "HTTP://h{0}", "\\{0}", "/api/..{0}", "/?/..{0}")


def _spellings(path):
    _, api, *rest = path.split("/")
    tail = "/".join(rest)
    yield from (each.format(path) for each in _SPELLINGS)
    yield from (f"/{api}//{tail}", f"//{api}//{tail}", f"/{api}/./{tail}", f"/{api}/x/../{tail}",
                f"/{api}%2f{tail}", f"/{api}%2F{tail}", f"/{api}\\{tail}", f"/{api};/{tail}",
                f"/{api}%5c{tail}", f"/{api}/%2e/{tail}", f"/{api}/x%2f..%2f{tail}",
                f"/%61{api[1:]}/{tail}", f"/{api}/%{ord(tail[0]):x}{tail[1:]}",
                f"/{api}/%25{ord(tail[0]):x}{tail[1:]}", f"/{api}/{tail[:-1]}%{ord(tail[-1]):X}",
                f"/{api}/%c0%af{tail}", f"/{api}/%u0063{tail[1:]}", f"/{api.upper()}/{tail}",
                f"/{api}/{tail.upper()}", f"/{api}/{tail.title()}",
                "/" + "".join(f"%{ord(c):02x}" for c in path[1:]))


PATHS = {"GET": [*_spellings("/api/concerto/audit"), "/api/concerto/why?gid=seed",
                 "/api/%63oncerto/why?gid=seed"],
         "POST": list(_spellings("/api/dtmsvr/forceStop"))}


def web_fields(method, path, *more):
    return [(":method", method), (":scheme", "http"), (":path", path), (":authority", "h"), *more]


def grpc_fields():
    return web_fields("POST", "/dtmgimp.Dtm/Prepare", ("content-type", "application/grpc"),
                      ("te", "trailers"))


def _web(name, *more, body=b"", path="/api/dtmsvr/newGid", method="POST"):
    return name, web_fields(method, path, *more), [body.replace(HIDDEN, hidden(name))]


def _split(name, before=b"x", after=b""):
    return before + b"\r\nHost: h\r\nContent-Length: 0\r\n\r\n" + hidden(name) + after


# HTTP/2 that a proxy passes on as HTTP/1.
HTTP2_FIELDS = [
    _web("te", ("transfer-encoding", "chunked"), body=LAST_CHUNK),
    _web("te-in-a-value", ("x", b"y\r\ntransfer-encoding: chunked"), body=LAST_CHUNK),
    _web("te-in-a-name", (b"x: y\r\ntransfer-encoding", "chunked"), body=LAST_CHUNK),
    _web("te-upper-case", ("Transfer-Encoding", "chunked"), body=LAST_CHUNK),
    _web("te-with-a-blank", ("transfer-encoding ", "chunked"), body=LAST_CHUNK),
    _web("no-length", ("content-length", "0"), body=HIDDEN),
    _web("short-length", ("content-length", "5"), body=HIDDEN),
    _web("long-length", ("content-length", "5000"), body=HIDDEN),
    _web("two-lengths", ("content-length", "0"), ("content-length", "5"), body=HIDDEN),
    _web("odd-length", ("content-length", "+5"), body=HIDDEN),
    _web("value", ("x", _split("value")), body=b""),
    _web("value-lf", ("x", b"y\n\n" + hidden("value-lf"))),
    _web("value-nul", ("x", b"y\0z")),
    _web("path", path=_split("path", b"/ HTTP/1.1")),
    _web("method", method=_split("method", b"GET / HTTP/1.1")),
    _web("path-with-a-blank", path=b"/api/ping HTTP/1.1 x"),
    _web("two-paths", (":path", "/api/concerto/audit")),
    _web("two-hosts", ("host", "other"), ("host", "h")),
    _web("authority", (":authority", _split("authority", b"h"))),
    _web("connection", ("connection", "upgrade"), ("upgrade", "h2c")),
    _web("pseudo-last", ("x", "y"), (":method", "DELETE")),
    _web("expects", ("expect", "100-continue"), ("content-length", "3"), body=b"abc"),
]


def _with(*more):
    return lambda fields: [*fields, *more]


def _without(name, *instead):
    return lambda fields: [each for each in fields if each[0] != name] + list(instead)


def _first(*more):
    return lambda fields: [*more, *fields]


def _whole(body):
    return [body]


# What is no legal request of HTTP/2 or of gRPC: what is changed of the fields, and of the body.
GRPC_FIELDS = [
    *((name, _with(*more), _whole) for name, more in (
        ("upper-case", [("X-Upper", "y")]), ("connection", [("connection", "close")]),
        ("keep-alive", [("keep-alive", "1")]), ("proxy", [("proxy-connection", "close")]),
        ("upgrade", [("upgrade", "h2c")]), ("te", [("te", "gzip")]),
        ("coded", [("transfer-encoding", "chunked")]), ("two-paths", [(":path", "/x")]),
        ("late-pseudo", [(":authority", "h")]), ("cr", [("x", b"a\rb")]),
        ("lf", [("x", b"a\nb")]), ("crlf", [("x", b"a\r\nb: c")]), ("nul", [("x", b"a\0b")]),
        ("name-with-a-blank", [("a b", "c")]), ("name-with-a-colon", [("a:b", "c")]),
        ("name-with-crlf", [(b"a\r\nb", "c")]), ("no-name", [("", "c")]),
        ("short-length", [("content-length", "3")]), ("long-length", [("content-length", "999")]),
        ("two-lengths", [("content-length", "3"), ("content-length", "4")]))),
    *((name, _first(*more), _whole) for name, more in (
        ("two-authorities", [(":authority", "a")]), ("two-methods", [(":method", "POST")]),
        ("two-schemes", [(":scheme", "http")]), ("unknown-pseudo", [(":evil", "a")]),
        ("status", [(":status", "200")]), ("protocol", [(":protocol", "websocket")]))),
    ("no-method", _without(":method"), _whole), ("no-path", _without(":path"), _whole),
    ("no-scheme", _without(":scheme"), _whole),
    ("get", lambda fields: [(":method", "GET"), *fields[1:]], _whole),
    ("text", _without("content-type", ("content-type", "text/plain")), _whole),
    ("json", _without("content-type", ("content-type", "application/json")), _whole),
    ("no-type", _without("content-type"), _whole),
    ("two-messages", _with(), lambda body: [body, body]),
    ("long-message", _with(), lambda body: [b"\0\0\0\xff\xff" + body[5:]]),
    ("compressed", _with(), lambda body: [b"\x01" + body[1:]]),
]
