"""The stubs of an interface as files: data in JSON, types in Python and TypeScript, its source, a README."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from maestro_dsl.interfaces.stubs.values import values
from maestro_dsl.interfaces.stubs.write_python import write_python
from maestro_dsl.interfaces.stubs.write_typescript import write_typescript

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_dsl.interfaces.stubs.model import Interface


def emit(
    interface: Interface, contract_id: str, spec_bytes: bytes, spec_name: str, *, seed: int | str = 0
) -> Mapping[str, str | bytes]:
    """Return the files of the stubs by path; `spec_name` is the file that the interface came from."""
    made = values(interface, seed)
    data = f"{contract_id}_stubs.json"
    suffix = "".join(PurePosixPath(spec_name).suffixes[-2:]) if spec_name.endswith(".d.ts") else ""
    suffix = suffix or PurePosixPath(spec_name).suffix or ".json"
    return {
        f"contracts/{contract_id}_spec{suffix}": spec_bytes,
        f"contracts/{data}": json.dumps(made, indent=2, ensure_ascii=False) + "\n",
        f"contracts/{contract_id}_stubs.py": write_python(interface, data),
        f"contracts/{contract_id}_stubs.ts": write_typescript(interface, made),
        f"contracts/{contract_id}_README.md": _readme(interface, contract_id, spec_name),
    }


def _readme(interface: Interface, contract_id: str, spec_name: str) -> str:
    methods = [f"{item.name}.{method.name}" for item in interface.services for method in item.methods]
    lines = [
        f"# Stubs of the contract {contract_id}",
        "",
        f"Made from `{spec_name.replace('`', '')}`; written again on every run. There is nothing to serve.",
        "",
        f"- `{contract_id}_stubs.json`: valid sample values, three a type or method",
        f"- `{contract_id}_stubs.py`: the types as `TypedDict`s, the services as protocols with a stub each",
        f"- `{contract_id}_stubs.ts`: the same in TypeScript",
        "",
        f"Types: {', '.join(f'`{name}`' for name in interface.types) or 'none'}.",
        f"Methods: {', '.join(f'`{name}`' for name in methods) or 'none'}.",
        "",
    ]
    return "\n".join(lines)
