"""The semantic rules: one a file, all in one literal table; grammar and references are earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maestro_dsl.diagnostics import Diagnostics
from maestro_dsl.rules import (
    artifact_overlap,
    braces_in_condition,
    constant_condition,
    dependency_cycle,
    expression_syntax,
    expression_type,
    implicit_dependency,
    invalid_interface,
    no_provider,
    unbounded_fanout,
    undefined_contract,
    undefined_node,
    undefined_persona,
    undefined_variable,
    unused_definition,
    write_conflict,
    wrong_type,
)
from maestro_dsl.rules.base import Facts, Rule, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maestro_dsl.lang.document import Document
    from maestro_dsl.lang.model import DocumentValue
    from maestro_dsl.lang.workspace import Workspace

__all__ = ["RULES", "Facts", "Rule", "Scope", "run_rules"]

RULES: Final[tuple[Rule, ...]] = (
    wrong_type.RULE,
    undefined_node.RULE,
    undefined_persona.RULE,
    undefined_contract.RULE,
    unused_definition.RULE,
    invalid_interface.RULE,
    no_provider.RULE,
    artifact_overlap.RULE,
    expression_syntax.RULE,
    undefined_variable.RULE,
    expression_type.RULE,
    constant_condition.RULE,
    braces_in_condition.RULE,
    dependency_cycle.RULE,
    implicit_dependency.RULE,
    unbounded_fanout.RULE,
    write_conflict.RULE,
)


def run_rules(
    documents: Sequence[Document[DocumentValue]], workspaces: Sequence[Workspace] = ()
) -> Diagnostics:
    """Return what all rules find in `documents` and in `workspaces`, which are plans with all they use."""
    facts = Facts(documents, workspaces)
    found = Diagnostics()
    for rule in RULES:
        found.extend(rule.check(facts))
    return found
