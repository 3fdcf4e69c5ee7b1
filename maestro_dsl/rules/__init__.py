"""The semantic rules: one a file, all in one literal table; grammar and references are earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.lang.suggest import closest
from maestro_dsl.rules import (
    absent_action,
    artifact_overlap,
    bad_enum,
    bad_example,
    braces_in_condition,
    breaking_change,
    broad_tools,
    budget_overcommit,
    check_without_interface,
    constant_condition,
    deadline_mismatch,
    dependency_cycle,
    digest_mismatch,
    duplicate_deliverable,
    duplicate_id,
    empty_prompt,
    expression_syntax,
    expression_type,
    formatting,
    hardcoded_secret,
    idle_key,
    idle_schedule,
    implicit_dependency,
    impossible_setting,
    interface_mismatch,
    invalid_interface,
    literal_braces,
    lock_out_of_date,
    missing_budget,
    missing_contract,
    missing_description,
    missing_file,
    missing_timeout,
    no_give_up,
    no_mock_possible,
    no_provider,
    prompt_variable,
    redundant_need,
    retry_too_long,
    secret_leak,
    stray_dollar,
    unbounded_fanout,
    unbuilt_contract,
    undefined_contract,
    undefined_node,
    undefined_persona,
    undefined_variable,
    unknown_model,
    unpinned_dependency,
    unpinned_model,
    unreachable_node,
    unsafe_retry,
    untestable_criterion,
    untrusted_interpolation,
    unusable_prices,
    unusable_tickets,
    unused_definition,
    write_conflict,
    wrong_type,
)
from maestro_dsl.rules.base import Facts, Rule, Scope, order_of
from maestro_dsl.rules.earlier import EARLIER, SUPPRESSION
from maestro_dsl.rules.suppress import MARK, suppress

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.memory import Memory
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.workspace import Workspace

__all__ = [
    "CATALOGUE",
    "RULES",
    "Facts",
    "Rule",
    "Scope",
    "hide",
    "names_a_rule",
    "nearest_rule",
    "optional_rules",
    "run_rules",
]

RULES: Final[tuple[Rule, ...]] = (
    wrong_type.RULE,
    bad_enum.RULE,
    idle_key.RULE,
    undefined_node.RULE,
    undefined_persona.RULE,
    undefined_contract.RULE,
    unused_definition.RULE,
    missing_file.RULE,
    duplicate_id.RULE,
    dependency_cycle.RULE,
    unreachable_node.RULE,
    implicit_dependency.RULE,
    redundant_need.RULE,
    unbounded_fanout.RULE,
    write_conflict.RULE,
    missing_contract.RULE,
    unbuilt_contract.RULE,
    expression_syntax.RULE,
    undefined_variable.RULE,
    expression_type.RULE,
    constant_condition.RULE,
    braces_in_condition.RULE,
    literal_braces.RULE,
    stray_dollar.RULE,
    invalid_interface.RULE,
    no_provider.RULE,
    breaking_change.RULE,
    bad_example.RULE,
    no_mock_possible.RULE,
    untestable_criterion.RULE,
    artifact_overlap.RULE,
    duplicate_deliverable.RULE,
    check_without_interface.RULE,
    interface_mismatch.RULE,
    unpinned_model.RULE,
    broad_tools.RULE,
    prompt_variable.RULE,
    impossible_setting.RULE,
    empty_prompt.RULE,
    unknown_model.RULE,
    missing_timeout.RULE,
    missing_budget.RULE,
    budget_overcommit.RULE,
    retry_too_long.RULE,
    unsafe_retry.RULE,
    no_give_up.RULE,
    deadline_mismatch.RULE,
    idle_schedule.RULE,
    unusable_tickets.RULE,
    unusable_prices.RULE,
    absent_action.RULE,
    hardcoded_secret.RULE,
    untrusted_interpolation.RULE,
    secret_leak.RULE,
    unpinned_dependency.RULE,
    lock_out_of_date.RULE,
    digest_mismatch.RULE,
    missing_description.RULE,
    formatting.RULE,
)
"""The rules that look at documents that were read, in order of their codes."""

CATALOGUE: Final[Mapping[str, Rule]] = {
    rule.code: rule for rule in sorted((*EARLIER, *RULES, SUPPRESSION), key=lambda rule: order_of(rule.code))
}
"""Every rule by its code, in the order of reports on them. A code is never used a second time."""


_NAMES: Final = frozenset(rule.name for rule in CATALOGUE.values())
_BEGINNINGS: Final = frozenset(code[:length] for code in CATALOGUE for length in range(1, len(code) + 1))


def hide(
    found: Diagnostics, sources: Mapping[str, str], workspaces: Sequence[Workspace] = ()
) -> tuple[Diagnostics, Diagnostics]:
    """Return `found` without what comments in `sources` hide but with SUP001, and what they hide."""
    if not any(MARK in text for text in sources.values()):
        return found, Diagnostics()
    whole = [workspace for workspace in workspaces if not workspace.is_partial]
    in_plans = {document.file for workspace in whole for document in workspace.documents}
    return suppress(found, sources, CATALOGUE, in_plans=in_plans)


def names_a_rule(word: str) -> bool:
    """Return whether `word` is the code, the beginning of the code, or the name of a rule."""
    return word in _NAMES or word.upper() in _BEGINNINGS


def nearest_rule(word: str) -> str | None:
    """Return the code or the name of the rule that `word` probably means."""
    return closest(word, [*CATALOGUE, *(rule.name for rule in CATALOGUE.values())])


def optional_rules(select: Iterable[str]) -> frozenset[str]:
    """Return the codes of the optional rules that `select` names by code, the beginning of one, or name."""
    named = tuple(select)
    return frozenset(
        rule.code
        for rule in RULES
        if rule.is_optional and any(rule.code.startswith(word.upper()) or rule.name == word for word in named)
    )


def run_rules(
    documents: Sequence[Document[DocumentValue]],
    workspaces: Sequence[Workspace] = (),
    *,
    optional: Collection[str] = (),
    memory: Memory | None = None,
) -> Diagnostics:
    """Return what all rules find in `documents` and in `workspaces`, which are plans with all they use.

    `optional` names the codes of optional rules that look too. With a `memory`, a document that no workspace
    uses is looked at alone, and not again while it is the same: only rules that look at a whole project see
    more of it than that. What is found is equal.
    """
    rules = [rule for rule in RULES if not rule.is_optional or rule.code in optional]
    if memory is None:
        return _found(rules, Facts(documents, workspaces))
    used = {item.path for workspace in workspaces for item in workspace.documents}
    near = [rule for rule in rules if rule.scope is not Scope.PROJECT]
    found = _found(near, Facts([item for item in documents if item.path in used], workspaces))
    what = ("rules", tuple(rule.code for rule in near))
    for document in documents:
        if document.path not in used:
            found.extend(memory.of(what, document, lambda item: _found(near, Facts((item,)))))
    whole = [rule for rule in rules if rule.scope is Scope.PROJECT]
    found.extend(_found(whole, Facts(documents, workspaces)).items)
    return found


def _found(rules: Iterable[Rule], facts: Facts) -> Diagnostics:
    found = Diagnostics()
    for rule in rules:
        found.extend(rule.check(facts))
    return found
