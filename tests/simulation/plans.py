"""Random plans for the simulation: any graph, mock edges, approvals, policies and limits, from one seed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from support.plans import persona, plan

from maestro_dsl.compiler.plan import (
    BreakerPolicy,
    CompiledContract,
    CompiledPersona,
    CompiledPlan,
    Edge,
    EdgeKind,
    Execution,
    Guardrails,
    KeyPart,
    ModelRef,
    PlanNode,
    Prompt,
    RetryPolicy,
    SafetyPolicy,
)
from maestro_dsl.lang.model import (
    Contract,
    Deliverable,
    GiveUp,
    InterfaceSpec,
    ModelSettings,
    Schedule,
)

PERSONAS = ("ada", "bob", "cyd")
ANSWER_TOKENS = 100
POLICIES = (*([GiveUp.SKIP_DEPENDANTS] * 4), GiveUp.FAIL_PLAN, GiveUp.ACCEPT_DEGRADED, GiveUp.KEEP_MOCK)
SUCCESS = ("succeeded", "succeeded_on_mock")


@dataclass(slots=True)
class Draft:
    """A plan while it is made."""

    rand: Random
    nodes: list[PlanNode] = field(default_factory=list)
    contracts: list[CompiledContract] = field(default_factory=list)

    def edges(self) -> tuple[Edge, ...]:
        """Return needs of some nodes that stand already."""
        if not self.nodes:
            return ()
        count = min(len(self.nodes), self.rand.choice((0, 1, 1, 2, 3)))
        chosen = sorted(self.rand.sample(range(len(self.nodes)), count))
        states = (SUCCESS, SUCCESS, ("any",))
        return tuple(
            Edge(source=self.nodes[place].address, states=self.rand.choice(states)) for place in chosen
        )

    def add(self, address: str, action: str, edges: tuple[Edge, ...], **more: object) -> None:
        """Add a node with random policies."""
        rand = self.rand
        if more.pop("asks", False):
            more |= {
                "persona_id": rand.choice(PERSONAS),
                "prompt": Prompt(system="s" * 20, user="u" * 30),
            }
        self.nodes.append(
            PlanNode(
                address=address,
                node=address.partition("[")[0],
                action=action,
                edges=edges,
                key_parts=(KeyPart(name="prompt", digest=address),),
                give_up=rand.choice(POLICIES) if rand.random() < 0.9 else GiveUp.ASK,
                timeout_s=rand.choice((12.0, 60.0, 900.0)),
                attempt_timeout_s=rand.choice((5.0, 30.0)),
                retry=RetryPolicy(
                    max_attempts=rand.choice((1, 2, 3)),
                    max_transport_attempts=rand.choice((1, 3)),
                    max_throttle_wait_s=rand.choice((5.0, 60.0)),
                ),
                safety=SafetyPolicy(
                    max_attempts=rand.choice((1, 2)),
                    breaker=BreakerPolicy(failures=3, reset_after_s=20.0, max_wait_s=60.0),
                ),
                **more,
            )
        )

    def trio(self, number: int) -> None:
        """Add a contract: its mock, its provider, a consumer on the mock, verify and recheck."""
        name, ordered = f"c{number}", Edge(source=f"mock[c{number}]")
        contract = Contract(
            id=name,
            provider_persona_id=self.rand.choice(PERSONAS),
            deliverables=(Deliverable(name="d", artifacts=("*",)),),
            interface_spec=InterfaceSpec(type="openapi", spec_file="a.yaml"),
            token_budget=self.rand.choice((None, None, 900)),
        )
        self.contracts.append(CompiledContract(contract=contract, interface_digest="i" * 64))
        own = {"contract_id": name, "key": name}
        self.add(f"mock[{name}]", "mock", (), **own)
        self.add(f"build[{name}]", "do", (ordered, *self.edges()), asks=True, deliverables=("d",), **own)
        mocked = Edge(source=f"mock[{name}]", kind=EdgeKind.MOCK, contract_id=name)
        self.add(f"use[{name}]", "do", (mocked,), asks=True, deliverables=("d",), consumes_mock=(name,))
        self.add(f"verify[{name}]", "verify", (Edge(source=f"build[{name}]"),), **own)
        needs = (Edge(source=f"use[{name}]"), Edge(source=f"verify[{name}]"))
        self.add(f"recheck[{name}]", "recheck", needs, contract_id=name, rechecks=f"use[{name}]")


def make_plan(rand: Random) -> CompiledPlan:
    """Return a plan of 1 to 14 nodes."""
    draft = Draft(rand)
    for number in range(rand.choice((0, 1, 1, 2))):
        draft.trio(number)
    for place in range(rand.randint(0 if draft.nodes else 1, 7)):
        if rand.random() < 0.1:
            draft.add(f"ok{place}", "approve", draft.edges())
        else:
            draft.add(f"n{place}", "do", draft.edges(), asks=rand.random() < 0.6, effect=rand.random() < 0.1)
    nodes = []
    for node in draft.nodes:  # dedupe needs: one edge a source
        edges = tuple({edge.source: edge for edge in reversed(node.edges)}.values())
        nodes.append(node if len(edges) == len(node.edges) else replace(node, edges=edges))
    tokens = rand.choice((None, None, None, rand.randint(300, 4_000)))
    return plan(
        nodes,
        personas=tuple(_persona(name, rand) for name in PERSONAS),
        contracts=tuple(draft.contracts),
        provider="moody",
        guardrails=Guardrails(max_tokens=tokens, on_exceeded=rand.choice(("pause", "stop"))),
        execution=Execution(
            max_concurrency=rand.choice((1, 2, 3, 20)),
            max_per_persona=rand.choice((1, 2, 9)),
            max_per_provider=rand.choice((1, 2, 9)),
            schedule=rand.choice((Schedule.READY, Schedule.READY, Schedule.WAVES)),
        ),
    )


def _persona(name: str, rand: Random) -> CompiledPersona:
    return persona(
        name,
        model=ModelRef(provider=rand.choice(("moody", "moody", "other")), model=rand.choice("mmn")),
        settings=ModelSettings(max_output_tokens=ANSWER_TOKENS),
        token_budget=rand.choice((100_000, 100_000, 1_500)),
        give_up_on_failure=rand.random() < 0.95,
    )
