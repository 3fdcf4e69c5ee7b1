"""The emitted Express server, started and asked, and the answers of the mock in process beside it."""

import json

from maestro_dsl.interfaces.openapi.decide import encoded
from maestro_dsl.interfaces.openapi.serve import concrete

REASONS = ("detail", "violations", "message", "error", "title", "description", "error_description")


def asked(connection, request):
    target = request.raw_path + (f"?{request.query_string}" if request.query_string else "")
    connection.putrequest(request.method, target, skip_accept_encoding=True)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.putheader("content-length", str(len(request.body)))
    connection.putheader("connection", "close")  # node closes a connection that is idle for five seconds
    connection.endheaders(request.body or None)
    answer = connection.getresponse()
    headers = [answer.getheader(name) for name in ("content-type", "location", "allow", "www-authenticate")]
    said = reasons(answer.getheader("sl-violations"))
    return answer.status, *headers, said, comparable(answer.status, answer.read())


def decided(interpreter, request):
    answer = interpreter.answer(request)
    content = b"" if request.method == "HEAD" else encoded(answer)
    media = None if answer.media_type is None else concrete(answer.media_type)
    headers = [answer.headers.get(name) for name in ("location", "allow", "www-authenticate")]
    said = reasons(answer.headers.get("sl-violations"))
    return answer.status, media, *headers, said, comparable(answer.status, content)


def reasons(header):
    """Which parts of a request are complained about; the words are each validator's own."""
    found = json.loads(header or "[]")
    return sorted({(*item["location"], item["severity"], str(item["code"])) for item in found})


def comparable(status, content):
    """JSON as a value; of an error, which of its words say the reason is left open: validators word it."""
    try:
        value = json.loads(content)
    except ValueError:
        return content
    if status >= 400 and isinstance(value, dict):
        return {name: "*" if name in REASONS else item for name, item in value.items()}
    return value
