"""Every case of Prism's own test harness against our mock, and why ours differs where it does."""

import json
import re
from xml.etree import ElementTree as ET

import pytest
from support.openapi import read_api
from support.prism import read_case

from maestro_dsl.interfaces.openapi.decide import Interpreter, encoded
from maestro_dsl.interfaces.openapi.serve import concrete
from maestro_dsl.interfaces.openapi.table import Table

pytestmark = pytest.mark.needs_data

CASES = 78
PLACEHOLDER = (
    "the contract states no value: Prism answers with a placeholder ('string', 0, null), ours is realistic"
)
DIFFERENT = {
    "references/E2E-Multiple-Refs-Handling.oas3.txt": PLACEHOLDER,
    "references/E2E-Recursive-Array-Handling.oas3.1.txt": PLACEHOLDER,
    "routing/prefer-concrete-path.oas3.txt": PLACEHOLDER,
    "content-negotiation/E2E-Accept-Content-Negotiation-AC-15.oas3.txt": PLACEHOLDER,
    "content-negotiation/E2E-Accept-Content-Negotiation.empty.oas3.txt": PLACEHOLDER,
    "static-examples/static_examples-AC-1.oas3_1.txt": PLACEHOLDER,
    "static-examples/static_examples-AC-2.oas3.txt": PLACEHOLDER,
    "static-examples/static_examples-AC-2.oas3_1.txt": PLACEHOLDER,
    "static-examples/static_examples-AC-3.oas3.txt": PLACEHOLDER,
    "head-requests/head_requests-AC-2.oas3.txt": (
        "RFC 9110 wants HEAD wherever GET is: ours answers it as GET without a body, Prism says 405"
    ),
    "violations/array-min-contains.httpResponse.txt": (
        "Prism would send an example that breaks its schema and turns it into a 500; ours never sends one"
    ),
    "violations/array-prefix-items.httpResponse.txt": (
        "Prism would send an example that breaks its schema and turns it into a 500; ours never sends one"
    ),
    "security/security-scheme-validation-AC-26.oas3.txt": (
        "the registered challenge for OAuth 2 is Bearer (RFC 6750); Prism writes OAuth2"
    ),
    "serialization/E2E-text-plain-complex-serialisation.oas3.txt": (
        "an object as text/plain is written as JSON text, which is of more use than Prism's 500"
    ),
}


@pytest.fixture(scope="module")
def harness(shared_data):
    folder = shared_data / "prism-harness"
    if not (folder / "cases.json").is_file():
        pytest.skip(f"the cases of Prism's harness are absent: {folder}")
    return folder


def differences(case):
    """What an answer of ours gets wrong, in words; empty where it is what the case expects."""
    answer = Interpreter(Table(read_api(case.spec))).answer(case.request)
    content = "" if case.request.method == "HEAD" else encoded(answer).decode()
    media = "" if answer.media_type is None else concrete(answer.media_type)
    wanted = case.expected
    found = []
    if answer.status != wanted.status:
        found.append(f"status {answer.status}, not {wanted.status}")
    expected_media = wanted.headers.get("content-type", "")
    if expected_media and bare(media) != bare(expected_media):
        found.append(f"media type {media!r}, not {expected_media!r}")
    found += [
        f"{name}: {answer.headers.get(name)!r}, not {wanted.headers[name]!r}"
        for name in ("allow", "www-authenticate")
        if name in wanted.headers and answer.headers.get(name) != wanted.headers[name]
    ]
    if "sl-violations" in wanted.headers:
        found += reason_differences(
            wanted.headers["sl-violations"], answer.headers.get("sl-violations", "[]")
        )
    if wanted.body is not None and not same_body(wanted.body, content, loose=case.is_loose):
        found.append(f"body {content!r}, not {wanted.body!r}")
    return found


def reason_differences(wanted, got):
    """What differs in the reasons of an answer; wording and the keyword of the validator do not count."""
    left, right = (
        [(item["location"], item["severity"]) for item in json.loads(text)] for text in (wanted, got)
    )
    return [] if left == right else [f"reasons {right}, not {left}"]


def bare(media):
    return media.partition(";")[0].strip().lower()


def same_body(wanted, got, *, loose):
    if wanted.startswith("<"):
        return same_xml(wanted, got, loose=loose)
    try:
        left = json.loads(wanted)
    except ValueError:
        return wanted == got.strip()
    try:
        right = json.loads(got)
    except ValueError:
        return False
    if isinstance(left, dict) and str(left.get("type", "")).startswith("https://stoplight.io/prism/errors"):
        named = {"type", "title", "status", "detail"}
        return isinstance(right, dict) and named <= right.keys() and left["status"] == right["status"]
    return shape(left) == shape(right) if loose else left == right


def shape(value):
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value[:1]] if isinstance(value, list) else type(value)


def same_xml(wanted, got, *, loose):
    if not loose:
        return re.sub(r">\s+<", "><", wanted) == re.sub(r">\s+<", "><", got)
    left, right = ET.fromstring(wanted), ET.fromstring(got)
    return [child.tag for child in left] == [child.tag for child in right]


def test_the_mock_answers_as_prism_does(harness):
    cases = json.loads((harness / "cases.json").read_text("utf-8"))
    assert len(cases) == CASES
    found = {case["id"]: differences(read_case(harness / "specs" / case["id"])) for case in cases}
    different = {name: wrong for name, wrong in found.items() if wrong}
    assert {name: wrong for name, wrong in different.items() if name not in DIFFERENT} == {}
    for name, reason in DIFFERENT.items():
        if reason is PLACEHOLDER:
            assert [wrong.split()[0] for wrong in different[name]] == ["body"], name
    assert sorted(different) == sorted(DIFFERENT), "a listed difference is gone: take it off the list"
