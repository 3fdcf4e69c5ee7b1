"""Interfaces of code and data that several suites read: one a language, with names that are hard to write."""

SCHEMA = {
    "title": "Order book",
    "type": "object",
    "required": ["orders", "kind"],
    "properties": {
        "orders": {"type": "array", "items": {"$ref": "#/$defs/order"}},
        "kind": {"enum": ["spot", 'it\'s "quoted"', None]},
        "parent": {"$ref": "#"},
        "totals": {"type": "object", "additionalProperties": {"type": "number"}},
        "class": {"type": "string"},
        "odd-name": {"type": ["integer", "null"]},
    },
    "$defs": {
        "order": {
            "type": "object",
            "required": ["id", "amount"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "amount": {"type": "number", "minimum": 0},
                "placed": {"type": "string", "format": "date-time"},
                "address": {"type": "object", "properties": {"street": {"type": "string"}}},
                "side": {"const": "buy"},
            },
        },
        "limit-order": {
            "allOf": [
                {"$ref": "#/$defs/order"},
                {"type": "object", "properties": {"limit": {"type": "integer"}}, "required": ["limit"]},
            ]
        },
        "either": {"oneOf": [{"$ref": "#/$defs/order"}, {"type": "string"}]},
        "list": {"type": "array", "items": {"$ref": "#/$defs/list"}},
    },
}

PYTHON = '''
"""What keeps tasks."""
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NotRequired, Protocol, TypedDict


class State(StrEnum):
    OPEN = "open"
    DONE = "done"


@dataclass(frozen=True)
class Task:
    id: int
    title: str
    state: State
    due: datetime | None = None
    tags: tuple[str, ...] = ()


class Page(TypedDict):
    items: list[Task]
    total: int
    next: NotRequired[str]


class Store(Protocol):
    """Keeps tasks."""

    def get(self, task_id: int) -> Task | None: ...

    def find(self, text: str = "", *, state: State | None = None, limit: int = 20) -> Page: ...

    async def save(self, task: "Task") -> None: ...

    def counts(self) -> dict[str, int]: ...

    def mode(self) -> Literal["fast", "safe"]: ...


def connect(url: str) -> Store: ...
'''

TYPESCRIPT = """
// What keeps tasks.
export enum State { Open = "open", Done = "done" }
export interface Task extends Base {
  title: string; state: State; due?: Date | null; readonly tags: string[];
}
interface Base { id: number }
export type Page = { items: Task[]; total: number; 'next-page'?: string };
export type Result<T> = { ok: true; value: T } | { ok: false; reason: "busy" | "gone" };
export interface Store {
  get(taskId: number): Promise<Task | null>;
  find(text?: string, limit?: number): Page;
  save(task: Task): Promise<void>;
  counts(): Record<string, number>;
  each(visit: (task: Task) => void): void;
  pair(): [number, string];
}
export declare function connect(url: string, ...rest: string[]): Store;
"""
