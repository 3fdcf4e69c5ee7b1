"""A plan with everything it refers to: project, blueprint, team, contracts, prompts and spec files.

Reads files, never the network, and never follows a path out of the project folder. What is broken is left
out and reported, so that one run reports the mistakes of every file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, cast

from maestro_dsl.diagnostics import Diagnostic, Diagnostics, Severity, Span, limited
from maestro_dsl.lang.contracts import ResolvedContract, read_prompt, resolve_contract, stated_twice
from maestro_dsl.lang.disk import has_file, has_folder, has_link, is_file, real
from maestro_dsl.lang.document import Document
from maestro_dsl.lang.files import PROJECT_FILE, Area, PathProblem, Searched, area_of, project_root, search
from maestro_dsl.lang.finder import Finder, Reader, not_found
from maestro_dsl.lang.lockfile import NAME
from maestro_dsl.lang.model import (
    Blueprint,
    Contract,
    DocumentValue,
    Json,
    Kind,
    Persona,
    Plan,
    Policy,
    PolicySettings,
    Project,
    TeamMember,
)
from maestro_dsl.lang.model_providers import check_providers
from maestro_dsl.lang.read import missing_file
from maestro_dsl.lang.references import (
    check_input_schemas,
    check_input_values,
    check_inputs,
    check_literal_ids,
    check_needs,
    check_unused_inputs,
)
from maestro_dsl.lang.setting_layers import OF_NODES, environment_spec
from maestro_dsl.lang.settings import EffectiveSettings, MemberSettings, Overrides, effective, for_member
from maestro_dsl.records import dataclass

if TYPE_CHECKING:
    from maestro_dsl.lang.sourcemap import Pointer

V = TypeVar("V")
_User: TypeAlias = Document[Plan] | Document[Project] | Document[Blueprint]
_Use: TypeAlias = "tuple[_User, str | None, Pointer]"
"""A document, the Policy that it names or not, and where."""

_IN_A_LIBRARY: Final = re.compile(rf"({NAME.pattern})/[a-z][a-z0-9_]*(@[^/]+)?")
"""A contract of a library as a plan names it, where a path would have an ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedMember:
    """One member of the team; `prompt` is the source text of its prompt file ("" where it has none)."""

    id: str
    member: TeamMember
    persona: Document[Persona]
    prompt: str = field(repr=False)
    prompt_file: str | None
    """As shown to the user."""
    settings: MemberSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Everything a plan is compiled from."""

    root: Path
    plan: Document[Plan]
    project: Document[Project] | None
    blueprint: Document[Blueprint]
    team: Mapping[str, ResolvedMember]
    """In order of declaration."""
    contracts: Mapping[str, ResolvedContract]
    """Sorted by id."""
    settings: EffectiveSettings
    inputs: Mapping[str, Json]
    """The plan's inputs over the blueprint's defaults."""
    vars: Mapping[str, Json]
    """`project.vars`: the project's, the environment's, the command line's."""
    documents: tuple[Document[DocumentValue], ...]
    """Every document that was read, the plan first."""
    is_partial: bool = False
    """True where something that the documents name was not found, so that it is missing here."""
    lacks_contracts: bool = False
    """True where the plan states contracts that cannot be read, so that `contracts` are not all."""
    lacks_project: bool = False
    """True where there is a project that cannot be read, so that nobody knows what it states."""


def load_workspace(
    plan_file: Path, *, overrides: Overrides, environ: Mapping[str, str], reader: Reader | None = None
) -> tuple[Workspace | None, Diagnostics]:
    """Read a plan and everything it refers to; pieces with errors are left out and reported.

    A workspace comes back together with errors wherever there is a plan and its blueprint. Files that
    `reader` has read before are not read again.

    Raises:
        UsageError: the environment or `--env` states something that cannot be used.
    """
    return _Loader(plan_file, overrides, environ, (reader or Reader()).another()).load()


def load_documents(
    paths: Sequence[Path], *, reader: Reader | None = None
) -> tuple[tuple[Document[DocumentValue], ...], Diagnostics]:
    """Read every document of the language among `paths` (files, or folders that are searched)."""
    reader = (reader or Reader()).another()
    files: list[Path] = []
    for path in paths:
        place = reader.names.typed(path)
        found = reader.searched(place) if has_folder(place) else Searched(place, ((place, None),), ())
        files += [real(file) if has_link(file) and has_file(file) else file for file, _ in found.files]
        for folder, reason in found.barred:
            name = reader.names(folder)
            reader.diagnostics.add(missing_file(Span(name), name, reason))
    reader.look_at_all(files)
    for file in files:
        reader.use(file)
    for document in reader.documents.values():
        reader.diagnostics.extend(reader.of("references", document, _own_references))
    return tuple(reader.documents.values()), reader.diagnostics


def find_blueprints(root: Path | None) -> tuple[Document[Blueprint], ...]:
    """Return the blueprints of the project at `root` and of the core library, the project's first."""
    reader = Reader()
    files = [path for path, kind in search(root) if kind is Kind.BLUEPRINT] if root is not None else []
    files += Finder.core(Kind.BLUEPRINT)
    found = (reader.look(path.resolve()) for path in files)
    known = {document.path: document for document in found if document is not None}
    return tuple(_typed(item, Blueprint) for item in known.values() if item.kind is Kind.BLUEPRINT)


def _own_references(document: Document[DocumentValue]) -> Iterator[Diagnostic]:
    yield from limited(check_providers(document))
    if isinstance(document.value, Blueprint):
        blueprint = _typed(document, Blueprint)
        yield from limited(check_needs(blueprint))
        yield from limited(check_unused_inputs(blueprint))
        yield from limited(check_input_schemas(blueprint), rules=4)
    elif isinstance(document.value, Persona) and document.value.prompt_file:
        span = document.map.value_span(("prompt_file",))
        problem = read_prompt(area_of(document.path), document.path, document.value.prompt_file, span)[1]
        yield from () if problem is None else (problem,)


def _typed(document: Document[DocumentValue], _: type[V]) -> Document[V]:
    """Return `document` as what its kind says it is."""
    return cast("Document[V]", document)


class _Loader:
    """One run of `load_workspace`: knows the plan's folder, and gathers documents and findings."""

    def __init__(
        self, plan_file: Path, overrides: Overrides, environ: Mapping[str, str], reader: Reader
    ) -> None:
        self.plan_file = reader.names.typed(plan_file)
        self.overrides = overrides
        self.environ = environ
        self.area = Area(project_root(self.plan_file))
        self.reader = reader
        self.finder = Finder(self.reader, self.area)
        self.diagnostics = self.reader.diagnostics
        self.lacks_contracts = False

    def load(self) -> tuple[Workspace | None, Diagnostics]:
        """Do everything, and put the workspace together."""
        document = self.reader.use(self.plan_file)
        if document is not None and not isinstance(document.value, Plan):
            message = f"a {document.kind.value} is no Plan"
            self.diagnostics.add(_wrong_kind(document.map.value_span(("kind",)), message))
        project = self._project()
        if document is None or not isinstance(document.value, Plan):
            return None, self.diagnostics
        plan = _typed(document, Plan)
        blueprint = self._blueprint(plan)
        settings = self._settings(plan, project, blueprint)
        team = self._team(plan, project, settings)
        contracts = self._contracts(plan)
        if blueprint is None:
            return None, self.diagnostics
        self._check(plan, blueprint, contracts)
        defaults = {
            name: schema["default"]
            for name, schema in blueprint.value.inputs.items()
            if isinstance(schema, dict) and "default" in schema
        }
        workspace = Workspace(
            root=self.area.root,
            plan=plan,
            project=project,
            blueprint=blueprint,
            team=MappingProxyType(team),
            contracts=MappingProxyType(dict(sorted(contracts.items()))),
            settings=settings,
            inputs=MappingProxyType({**defaults, **plan.value.inputs}),
            vars=MappingProxyType(self._vars(project)),
            documents=tuple(self.reader.documents.values()),
            lacks_contracts=self.lacks_contracts,
            lacks_project=project is None and is_file(self.area.root / PROJECT_FILE),
            is_partial=any(
                item.code.startswith(("REF", "SYN", "SCH005"))
                for item in self.diagnostics.items
                if item.severity is Severity.ERROR
            ),
        )
        return workspace, self.diagnostics

    def _project(self) -> Document[Project] | None:
        path = self.area.root / PROJECT_FILE
        document = self.reader.use(path) if is_file(path) else None
        if document is None or document.kind is not Kind.PROJECT:
            if document is not None:
                self.diagnostics.add(
                    _wrong_kind(document.map.value_span(("kind",)), f"{PROJECT_FILE} must be a Project")
                )
            return None
        return _typed(document, Project)

    def _vars(self, project: Document[Project] | None) -> dict[str, Json]:
        spec = environment_spec(project, self.overrides.env_name)
        own = project.value.vars if project is not None else {}
        return {**own, **spec.vars, **self.overrides.sets}

    def _settings(
        self, plan: Document[Plan], project: Document[Project] | None, blueprint: Document[Blueprint] | None
    ) -> EffectiveSettings:
        policies: dict[tuple[str, str], Document[Policy]] = {}
        uses = list(_uses(plan, plan.value.policies, ("policies",)))
        if blueprint is not None:
            nodes = (node for node in blueprint.value.nodes.values() if node.retry.use is not None)
            uses += [(blueprint, node.retry.use, ("nodes", node.id, "retry", "use")) for node in nodes]
        if project is not None:
            uses += _uses(project, project.value.defaults.policies, ("defaults", "policies"))
            for name, spec in project.value.environments.items():
                place = ("environments", name, "defaults", "policies")
                uses += _uses(project, spec.defaults.policies, place)
        for document, reference, pointer in uses:
            if reference is not None:
                span = document.map.value_span(pointer)
                found = self.finder.find(Kind.POLICY, reference, document.path, span)
                if found is not None:
                    owner = OF_NODES if document is blueprint else document.file
                    policies[owner, reference] = _typed(found, Policy)
        return effective(
            plan=plan,
            project=project,
            overrides=self.overrides,
            environ=self.environ,
            policies=policies,
        )

    def _blueprint(self, plan: Document[Plan]) -> Document[Blueprint] | None:
        if not plan.value.blueprint:
            return None
        span = plan.map.value_span(("blueprint",))
        found = self.finder.find(Kind.BLUEPRINT, plan.value.blueprint, plan.path, span)
        if found is None:
            return None
        self.diagnostics.extend(self.reader.of("references", found, _own_references))
        return _typed(found, Blueprint)

    def _team(
        self, plan: Document[Plan], project: Document[Project] | None, settings: EffectiveSettings
    ) -> dict[str, ResolvedMember]:
        team: dict[str, ResolvedMember] = {}
        for member_id, member in plan.value.team.items():
            span = plan.map.value_span(("team", member_id, "use"))
            found = self.finder.find(Kind.PERSONA, member.use, plan.path, span)
            if found is None:
                continue
            persona = _typed(found, Persona)
            prompt, prompt_file = self._prompt(persona)
            team[member_id] = ResolvedMember(
                id=member_id,
                member=member,
                persona=persona,
                prompt=prompt,
                prompt_file=prompt_file,
                settings=for_member(
                    settings, member, persona, plan=plan, member_id=member_id, project=project
                ),
            )
        return team

    def _prompt(self, persona: Document[Persona]) -> tuple[str, str | None]:
        stated = persona.value.prompt_file
        if not stated:
            return "", None
        span, area = persona.map.value_span(("prompt_file",)), area_of(persona.path)
        content, problem = read_prompt(area, persona.path, stated, span)
        if content is None:
            self.diagnostics.extend([problem] if problem is not None else [])
            return "", None
        path, raw = content
        try:
            return raw.decode("utf-8-sig"), self.reader.names(path)
        except UnicodeDecodeError:
            self.diagnostics.add(not_found(span, stated, "is not UTF-8 text"))
            return "", None

    def _contracts(self, plan: Document[Plan]) -> dict[str, ResolvedContract]:
        contracts: dict[str, ResolvedContract] = {}
        self.lacks_contracts = plan.is_hole(("contracts",))
        seen: set[Path] = set()
        written = plan.data.get("contracts") if isinstance(plan.data, dict) else None
        listed = list(enumerate(written)) if isinstance(written, list) else []
        places = {text: place for place, text in reversed(listed) if isinstance(text, str)}
        for text in plan.value.contracts:
            if not self.diagnostics.has_room("REF008", plan.file):
                self.lacks_contracts = True
                break  # so many are missing that the others tell nothing new
            span = plan.map.value_span(("contracts", places[text]))
            if _IN_A_LIBRARY.fullmatch(text) and not is_file(plan.path.parent / text):
                shared = self.finder.find(Kind.CONTRACT, text, plan.path, span)
                self.lacks_contracts |= shared is None
                if shared is not None and shared.path not in seen:
                    seen.add(shared.path)
                    self._contract(shared.path, span, contracts)
                continue
            try:
                files = self.area.expand(plan.path, text)
            except PathProblem as problem:
                self.lacks_contracts = True
                self.diagnostics.add(self._no_contract(span, text, str(problem)))
                continue
            for path in files:
                if path not in seen:
                    seen.add(path)
                    self._contract(path, span, contracts)
        return contracts

    def _no_contract(self, span: Span, text: str, problem: str) -> Diagnostic:
        """Return REF008 for what is listed under `contracts`; an id is answered with its file."""
        finding = not_found(span, text, problem)
        meant = self.finder.all(Kind.CONTRACT).get(text) if "." not in text else None
        if meant is None:
            return finding
        return replace(finding, help=f'name its file: "{self.reader.names(meant)}"')

    def _contract(self, path: Path, span: Span, contracts: dict[str, ResolvedContract]) -> None:
        found = self.finder.expected(Kind.CONTRACT, self.reader.use(path), span)
        if found is None or not found.value.id:
            self.lacks_contracts = True
            return
        document = _typed(found, Contract)
        other = contracts.get(document.value.id)
        if other is not None:
            self.diagnostics.add(stated_twice(document, other.document))
            self.lacks_contracts = True  # the one that was meant to have another id
            return
        contracts[document.value.id] = self._with_spec(document)

    def _with_spec(self, document: Document[Contract]) -> ResolvedContract:
        resolved, found = resolve_contract(document, names=self.reader.names)
        self.diagnostics.extend(found)
        return resolved

    def _check(
        self,
        plan: Document[Plan],
        blueprint: Document[Blueprint],
        contracts: Mapping[str, ResolvedContract],
    ) -> None:
        for document in self.reader.documents.values():
            self.diagnostics.extend(limited(check_providers(document)))
        self.diagnostics.extend(limited(check_inputs(plan, blueprint), rules=2))
        self.diagnostics.extend(limited(check_input_values(plan, blueprint), rules=4))
        written = plan.data.get("team", {}) if isinstance(plan.data, dict) else None
        team = list(written) if isinstance(written, dict) else None
        known = None if self.lacks_contracts else contracts
        self.diagnostics.extend(limited(check_literal_ids(blueprint, team, known), rules=2))


def _uses(document: _User, settings: PolicySettings, pointer: Pointer) -> Iterator[_Use]:
    """Yield the Policy documents that `policies` of a document may name."""
    yield document, settings.use, (*pointer, "use")
    yield document, settings.retry.use, (*pointer, "retry", "use")


def _wrong_kind(span: Span, message: str) -> Diagnostic:
    return Diagnostic(code="SCH005", name="unknown-kind", severity=Severity.ERROR, span=span, message=message)
