"""Sources as people write them, and everything that a program could misunderstand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_dsl.libraries.sources import (
    GitSource,
    LocalSource,
    SourceProblem,
    parse_required,
    parse_source,
    parse_stated,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "source", "wanted"),
    [
        ("./libs/team", "./libs/team", "any version"),
        ("./libs/team/", "./libs/team", "any version"),
        ("./libs/team@^1.2", "./libs/team", "^1.2"),
        ("../team", "../team", "any version"),
        ("git+https://x.org/team.git@^1.2", "git+https://x.org/team.git", "^1.2"),
        ("https://x.org/team.git@v1.2.0", "git+https://x.org/team.git", "1.2.0"),
        ("git+https://X.org:8443/a/b@>=1,<2", "git+https://x.org:8443/a/b", ">=1,<2"),
        ("git+ssh://git@x.org/a.git@1.0.0", "git+ssh://git@x.org/a.git", "1.0.0"),
        ("git@x.org:a/b.git@^1", "git+ssh://git@x.org/a/b.git", "^1"),
        ("git@x.org:a/b.git", "git+ssh://git@x.org/a/b.git", "any version"),
        (f"git+https://x.org/a@{COMMIT}", "git+https://x.org/a", COMMIT),
        ("git+file:///srv/a b/team.git@^1", "git+file:///srv/a b/team.git", "^1"),
        ("git+https://x.org/a@^1#subdirectory=libs/team", "git+https://x.org/a#subdirectory=libs/team", "^1"),
    ],
)
def test_what_can_be_written(text, source, wanted):
    found = parse_stated(text)
    assert str(found.source) == source
    assert found.wanted == wanted
    assert parse_source(str(found.source)) == found.source


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("team", "no source"),
        ("team@^1.2", "no source"),
        ("", "no source"),
        ("http://x.org/a@^1", "not allowed"),
        ("git+http://x.org/a@^1", "not allowed"),
        ("git://x.org/a@^1", "not allowed"),
        ("ftp://x.org/a@^1", "not allowed"),
        ("ext::sh -c touch% /tmp/x@^1", "not allowed"),
        ("git+ext::sh@^1", "not allowed"),
        ("javascript:alert(1)@^1", "not allowed"),
        ("git+https://user:secret@x.org/a@^1", "password"),
        ("git+https://token@x.org/a@^1", "password"),
        ("git+ssh://git:pw@x.org/a@^1", "password"),
        ("git+ssh://-oProxyCommand=touch/a@^1", "no host"),
        ("git+ssh://-o@x.org/a@^1", "user name"),
        ("git+ssh://x.org/-oProxy@^1", "misunderstand"),
        ("git+ssh://x.org/--upload-pack=x@^1", "misunderstand"),
        ("git+https://x.org/a/../../b@^1", "misunderstand"),
        ("git+https://x.org/a/%2e%2e/b@^1", "misunderstand"),
        ("git+https://x.org/a;id@^1", "misunderstand"),
        ("git+https://x.org/a$(id)@^1", "misunderstand"),
        ("git+https://x.org/a%0ab@^1", "misunderstand"),
        ("git+https://x.org/a?upload=x@^1", "query"),
        ("git+https:///a@^1", "no host"),
        ("git+https://x.org:99999/a@^1", "no address"),
        ("git+file://host/a@^1", "another machine"),
        ("git+file:///a/../b@^1", "misunderstand"),
        ("git+https://x.org/a@main", "cannot be found"),
        ("git+https://x.org/a@0a1b2c3d4e", "all 40 characters"),
        (f"./a@{COMMIT}", "no commits"),
        ("./a#subdirectory=b", "with git"),
        ("git+https://x.org/a@^1#egg=b", "unknown part"),
        ("git+https://x.org/a@^1#subdirectory=../b", "no usable folder"),
        ("git+https://x.org/a@^1#subdirectory=-b", "no usable folder"),
        ("git+https://x.org/a@^1#subdirectory=", "no usable folder"),
        ("git+https://x.org/a@^1#subdirectory=.git", "no usable folder"),
        ("./a\\b", "relative path"),
    ],
)
def test_what_could_be_misunderstood_is_refused(text, told):
    with pytest.raises(SourceProblem, match=told):
        parse_stated(text)


def test_a_requirement_is_a_range_or_a_source():
    assert parse_required("^1.2").source is None
    assert parse_required("^1.2").range == "^1.2"
    assert parse_required("*").range == ""
    assert parse_required("./b@^1").source == LocalSource(path="./b")
    assert parse_required("git+https://x.org/b@^1").source == GitSource(url="https://x.org/b")
    with pytest.raises(SourceProblem):
        parse_required("main")


@pytest.mark.parametrize(
    "text", ["./a@^1", "https://x.org/a", "git+https://x.org/a@1.0.0", "git@x.org:a", "./a/"]
)
def test_a_lock_holds_a_source_in_one_form(text):
    with pytest.raises(SourceProblem):
        parse_source(text)


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda text: f"git+ssh://{text}@^1"))
def test_any_text_is_a_source_or_none(text):
    try:
        found = parse_stated(text)
    except SourceProblem:
        return
    assert parse_source(str(found.source)) == found.source
    if isinstance(found.source, GitSource):
        assert found.source.url.startswith(("https://", "ssh://", "file://"))
        assert not any(character in found.source.url for character in "\n\r\t\0;$`|&<>\"'\\")
        assert not any(part.startswith("-") for part in found.source.url.split("/"))
