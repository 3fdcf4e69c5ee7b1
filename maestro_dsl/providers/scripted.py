"""The provider `scripted`: answers, faults and usage from a YAML script, for tests and blueprint authors.

    answers:
      - match: {persona: frontend_developer, attempt: 1}    # also node, contract, action, round
        fault: throttle                                     # transport, throttle, overload, timeout, fatal …
        retry_after: 2s
      - match: {contract: backend_api}
        use: scaffold                                       # the offline provider's answer …
        edit: [{file: routes.py, find: "201", replace: "200"}]   # … with a planted fault
        usage: {input: 1200, output: 3400}
      - files: {index.html: "<!doctype html>…"}

The first entry that matches and has `times` left (unlimited when not stated) answers. What it writes counts
as written by a model: it runs in a sandbox, never with resource limits alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from maestro_dsl.engine.events import Usage
from maestro_dsl.engine.ports.failures import Failure
from maestro_dsl.engine.ports.models import Capability, ModelRequest, ModelResponse, Provider, ProviderFailure
from maestro_dsl.errors import UsageError
from maestro_dsl.lang.source import load
from maestro_dsl.lang.suggest import closest, guessed
from maestro_dsl.lang.units import parse_duration
from maestro_dsl.providers.envelope import pack, unpack

if TYPE_CHECKING:
    from pathlib import Path

_KEYS: Final = {
    "match",
    "times",
    "fault",
    "message",
    "retry_after",
    "delay",
    "use",
    "edit",
    "files",
    "text",
    "usage",
}
_MATCH_KEYS: Final = {"node", "persona", "contract", "action", "attempt", "round"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEdit:
    """Replace the first occurrence of `find` in `file`."""

    file: str
    find: str
    replace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One entry of a script."""

    match: Mapping[str, str | int] = field(default_factory=dict)
    times: int | None = None
    fault: Failure | None = None
    message: str = ""
    retry_after_s: float | None = None
    delay_s: float = 0.0
    use: str | None = None
    edits: tuple[FileEdit, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    usage: Usage = field(default_factory=Usage)


class ScriptedProvider:
    """Plays a script; `base` answers entries that say `use: scaffold`."""

    name = "scripted"

    def __init__(self, answers: tuple[Answer, ...], base: Provider | None = None) -> None:
        self._answers = answers
        self._left = [answer.times for answer in answers]
        self._base = base

    def capability(self, model: str) -> Capability:  # noqa: ARG002 - one capability for every script
        """Scripts take any setting, so that schedules can be tested."""
        return Capability(temperature=True, effort=True)

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """Answer as the script says.

        Raises:
            ProviderFailure: the entry states a fault, or no entry matches.
        """
        answer = self._take(request)
        if answer is None:
            raise ProviderFailure(Failure.CANNOT, f"the script has no answer for {_describe(request)}")
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.fault is not None:
            message = answer.message or f"scripted fault: {answer.fault}"
            raise ProviderFailure(answer.fault, message, retry_after_s=answer.retry_after_s)
        if answer.text is not None:
            return ModelResponse(text=answer.text, usage=answer.usage)
        if answer.use is None:
            return ModelResponse(text=pack(answer.files), usage=answer.usage)
        return await self._edited(answer, request)

    async def _edited(self, answer: Answer, request: ModelRequest) -> ModelResponse:
        if self._base is None:
            raise ProviderFailure(Failure.FATAL, f'the script uses "{answer.use}", which is not available')
        response = await self._base.generate(request)
        files, _ = unpack(response.text)
        files.update(answer.files)
        for edit in answer.edits:
            if edit.find not in files.get(edit.file, ""):
                message = f'the script edits "{edit.file}", but "{edit.find}" does not stand there'
                raise ProviderFailure(Failure.FATAL, message)
            files[edit.file] = files[edit.file].replace(edit.find, edit.replace, 1)
        return replace(response, text=pack(files), usage=answer.usage)

    def _take(self, request: ModelRequest) -> Answer | None:
        facts = _facts(request)
        for index, answer in enumerate(self._answers):
            left = self._left[index]
            if left == 0 or any(facts.get(key) != value for key, value in answer.match.items()):
                continue
            if left is not None:
                self._left[index] = left - 1
            return answer
        return None


def _facts(request: ModelRequest) -> dict[str, str | int]:
    facts: dict[str, str | int] = {"attempt": request.attempt, "round": request.round}
    if request.task is not None:
        facts |= {
            "node": request.task.node,
            "persona": request.task.persona.id,
            "action": request.task.action,
        }
        provided = request.task.provided
        if provided is not None:
            facts["contract"] = provided.contract.id
    return facts


def _describe(request: ModelRequest) -> str:
    return ", ".join(f"{key} {value}" for key, value in _facts(request).items())


def load_script(path: Path, base: Provider | None = None) -> ScriptedProvider:
    """Read a script.

    Raises:
        UsageError: the file is absent or not a script; the text says where.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the script {path} cannot be read: {error.strerror}",
            hint="state it beside the plan: provider: scripted:FILE",
        ) from error
    loaded = load(content, path.name)
    for problem in loaded.diagnostics:
        raise UsageError(f"{problem.span.file}:{problem.span.line}: {problem.message}")
    data: Any = loaded.data
    if not isinstance(data, dict) or not isinstance(data.get("answers"), list):
        raise UsageError(f'{path.name}: a script is a mapping with the list "answers"')
    answers = tuple(_answer(entry, f"{path.name}: answers[{at}]") for at, entry in enumerate(data["answers"]))
    return ScriptedProvider(answers, base)


def _answer(entry: object, where: str) -> Answer:
    entry = _mapping(entry, _KEYS, where)
    match = _mapping(entry.get("match", {}), _MATCH_KEYS, f"{where}.match")
    try:
        usage = entry.get("usage", {})
        return Answer(
            match=match,
            times=entry.get("times"),
            fault=Failure(entry["fault"]) if "fault" in entry else None,
            message=entry.get("message", ""),
            retry_after_s=_seconds(entry.get("retry_after")),
            delay_s=_seconds(entry.get("delay")) or 0.0,
            use=entry.get("use"),
            edits=tuple(FileEdit(**edit) for edit in entry.get("edit", ())),
            files=dict(entry.get("files", {})),
            text=entry.get("text"),
            usage=Usage(
                input_tokens=int(usage.get("input", 0)),
                output_tokens=int(usage.get("output", 0)),
                cache_read_tokens=int(usage.get("cache_read", 0)),
                cache_write_tokens=int(usage.get("cache_write", 0)),
            ),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{where}: {error}") from error


def _mapping(data: object, known: Collection[str], where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise UsageError(f"{where} is no mapping", hint=f"valid keys: {', '.join(sorted(known))}")
    for key in data:
        if key not in known:
            near = closest(str(key), sorted(known))
            guess = guessed(near)
            raise UsageError(
                f'{where}: unknown key "{key}"', hint=f"{guess}valid keys: {', '.join(sorted(known))}"
            )
    return data


def _seconds(text: object) -> float | None:
    return None if text is None else parse_duration(str(text))
