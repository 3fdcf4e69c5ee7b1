"""A small sound project that every rule is silent about, and changes of it: what rules are tested on."""

from pathlib import Path

from support.files import write

HEAD = "apiVersion: maestro/v1\nkind: "
CONTRACT = (
    "Contract\nid: {0}\nname: {0}\nprovider_persona_id: {1}\n"
    "deliverables: [{{name: {2}, artifacts: ['{3}']}}]\n"
)
SPEC = (
    "openapi: 3.0.3\ninfo: {title: Shop, version: 1.0.0}\npaths:\n  /items:\n    get:\n      responses:\n"
    "        '200':\n          description: items\n          content:\n            application/json:\n"
    "              schema: {$ref: '#/components/schemas/Item'}\n              example: {id: 1}\n"
    "components:\n  schemas:\n    Item:\n      type: object\n      required: [id, secret]\n"
    "      properties:\n"
    "        id: {type: integer, readOnly: true}\n        secret: {type: string, writeOnly: true}\n"
)
FILES = {
    "maestro.yaml": HEAD + "Project\nid: demo\nvars: {region: eu}\ndefaults: {timeout: 15m}\n",
    "plan.yaml": HEAD
    + "Plan\nid: demo\nblueprint: flow\ninputs: {language: python}\n"
    + "team: {maker: {use: maker}, taker: {use: taker}}\ncontracts: [api.contract.yaml, web.contract.yaml]\n",
    "flow.blueprint.yaml": HEAD
    + "Blueprint\nid: flow\ninputs: {language: {type: string, enum: [python, go]}}\nnodes:\n"
    + "  build: {action: fulfil, foreach: contracts, as: contract}\n"
    + "  check: {action: verify, foreach: contracts, as: contract, needs: [build]}\n"
    + "  tell: {action: command, needs: [check], with: {run: [echo, '{{ inputs.language }}']}}\n",
    "maker.persona.yaml": HEAD + "Persona\nid: maker\nprompt_file: maker.md.j2\n",
    "maker.md.j2": "You are {{ persona.name }}.{# brief #}\n",
    "taker.persona.yaml": HEAD + "Persona\nid: taker\n",
    "api.contract.yaml": HEAD
    + CONTRACT.format("api", "maker", "code", "*.py").replace(
        "deliverables",
        "consumer_persona_ids: [taker]\ntype: REST_API\n"
        "interface_spec: {type: openapi, spec_file: api.yaml}\ndeliverables",
    ),
    "api.yaml": SPEC,
    "web.contract.yaml": HEAD + CONTRACT.format("web", "taker", "page", "*.js"),
}
FLOW, PLAN, PROJECT = "flow.blueprint.yaml", "plan.yaml", "maestro.yaml"
MAKER, API, WEB, PROMPT = "maker.persona.yaml", "api.contract.yaml", "web.contract.yaml", "maker.md.j2"
TAKER = "taker.persona.yaml"
BUILD = "as: contract}\n  check"
PAID = {PROJECT: ("vars:", "models: {good: {provider: anthropic, model: claude-opus-5-5}}\nvars:")}
GOOD = "{use: taker, model: good}"
LIMITED = "contracts: [api"


def write_project(folder: Path) -> None:
    write(folder, FILES)


def change(case) -> None:
    """Change files of the project here: file -> (old, new), a list of those, or the text of a new file."""
    for name, what in case.items():
        if isinstance(what, str):
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(what)
            continue
        text = Path(name).read_text()
        for old, new in what if isinstance(what, list) else [what]:
            assert old in text
            text = text.replace(old, new, 1)
        Path(name).write_text(text)
