"""The prompt files of personas, each once, with where they are stated; read inside their area only."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from maestro_dsl.diagnostics import Related, Span
from maestro_dsl.lang.contracts import read_prompt
from maestro_dsl.lang.files import Names, area_of
from maestro_dsl.lang.sourcemap import SourceMap
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue, Persona
    from maestro_dsl.lang.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """One prompt file as text with positions; `stated` is where its persona names it."""

    source: SourceMap
    stated: Span

    @property
    def related(self) -> tuple[Related, ...]:
        """The place beside every finding."""
        return (Related(span=self.stated, message="the persona's prompt"),)


def prompts_of(
    workspaces: Iterable[Workspace], personas: Iterable[Document[DocumentValue]]
) -> tuple[PromptFile, ...]:
    """Return the prompts of the teams of `workspaces`, and of `personas` beside them."""
    found: dict[Path, PromptFile] = {}
    for workspace in workspaces:
        for member in workspace.team.values():
            if member.prompt_file is not None and member.persona.path not in found:
                source = SourceMap(member.prompt_file, member.prompt, None)
                stated = member.persona.map.value_span(("prompt_file",))
                found[member.persona.path] = PromptFile(source=source, stated=stated)
    names: Names | None = None
    for document in personas:
        if document.path in found:
            continue
        names = names or Names()
        prompt = _read(cast("Document[Persona]", document), names)
        if prompt is not None:
            found[document.path] = prompt
    return tuple(found.values())


def _read(persona: Document[Persona], names: Names) -> PromptFile | None:
    """Return the prompt of one persona; where it cannot be read, that was reported."""
    if not persona.value.prompt_file:
        return None
    stated = persona.map.value_span(("prompt_file",))
    content, _ = read_prompt(area_of(persona.path), persona.path, persona.value.prompt_file, stated)
    if content is None:
        return None
    path, raw = content
    try:
        return PromptFile(source=SourceMap(names(path), raw.decode("utf-8-sig"), None), stated=stated)
    except UnicodeDecodeError:
        return None
