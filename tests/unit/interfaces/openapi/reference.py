"""A small correct provider of a small API, and a switch for each way in which it can be wrong."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

SPEC = Path(__file__).with_name("tasks.yaml").read_text("utf-8")

FAULTS: dict[str, tuple[str, str]] = {
    # fault: (operation that must be named, what is planted)
    "missing_list": ("listTasks", "GET /tasks is no route"),
    "missing_create": ("createTask", "POST /tasks is no route"),
    "missing_read": ("getTask", "GET /tasks/{taskId} is no route"),
    "missing_replace": ("replaceTask", "PUT is answered 405"),
    "missing_patch": ("updateTask", "PATCH is answered 501"),
    "missing_delete": ("deleteTask", "DELETE is no route"),
    "missing_action": ("completeTask", "POST /tasks/{taskId}/complete is no route"),
    "missing_plain": ("getStats", "GET /stats is no route"),
    "status_create": ("createTask", "201 becomes 200"),
    "status_delete": ("deleteTask", "204 becomes 202"),
    "status_read": ("getTask", "200 becomes 206"),
    "status_list": ("listTasks", "200 becomes 500"),
    "type_read": ("getTask", "estimate becomes a text"),
    "type_list": ("listTasks", "total becomes a text"),
    "type_create": ("createTask", "id becomes a number"),
    "type_stats": ("getStats", "tasks becomes a text"),
    "field_read": ("getTask", "status is left out"),
    "field_list": ("listTasks", "createdAt is left out"),
    "field_optional": ("getTask", "the optional estimate is left out"),
    "state_lost": ("getTask", "nothing is stored"),
    "state_field_lost": ("getTask", "title is stored empty-handed"),
    "state_list_empty": ("listTasks", "the list is always empty"),
    "state_shared": ("getTask", "every read answers with the newest item"),
    "content_type_read": ("getTask", "text/html"),
    "content_type_list": ("listTasks", "text/plain"),
    "body_no_json": ("getStats", "a Python repr"),
    "delete_keeps": ("deleteTask", "deleted items stay"),
    "delete_all": ("deleteTask", "every item goes"),
    "delete_listed": ("listTasks", "deleted items stay in the list"),
    "put_ignored": ("replaceTask", "PUT echoes but stores nothing"),
    "put_stale": ("replaceTask", "PUT answers the old item"),
    "patch_ignored": ("updateTask", "PATCH echoes but stores nothing"),
    "patch_wipes": ("updateTask", "PATCH resets what it was not given"),
    "no_validation_create": ("createTask", "a missing field is accepted"),
    "no_validation_put": ("replaceTask", "a missing field is accepted"),
    "no_validation_enum": ("createTask", "any status is accepted"),
    "no_validation_type": ("createTask", "any type is accepted"),
    "enum_extra": ("getTask", "status becomes a value the enum does not list"),
    "id_changes": ("replaceTask", "PUT gives the item a new id"),
    "id_read": ("getTask", "another id is answered than was asked for"),
    "id_same": ("createTask", "every item gets the same id"),
    "error_code_create": ("createTask", "422 becomes 400"),
    "error_code_read": ("getTask", "404 becomes 400"),
    "error_unknown_read": ("getTask", "an unknown id is answered 200"),
    "error_unknown_delete": ("deleteTask", "an unknown id is answered 204"),
    "error_body": ("createTask", "the error has no message"),
    "error_crash": ("createTask", "bad input is answered 500"),
    "location_missing": ("createTask", "no Location header"),
    "paging_ignored": ("listTasks", "the limit is not looked at"),
    "closes": ("getStats", "the connection is closed without an answer"),
}

_TYPES = {"title": str, "status": str, "estimate": int, "urgent": bool, "projectId": int, "due": str}


class Provider:
    """The state and rules of the API; `fault` is one of FAULTS or empty for a correct provider."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.tasks: dict[str, dict] = {}
        self.ghosts: list[dict] = []
        self.projects: dict[int, dict] = {}
        self.count = 0
        self.limit = 20

    def has(self, fault: str) -> bool:
        return self.fault == fault

    def answer(
        self, method: str, path: str, body: object, limit: int = 20
    ) -> tuple[int, object, dict[str, str]]:
        self.limit = limit
        path = path.removeprefix("/api") or "/"
        if path == "/projects":
            return self._projects(method, body)
        if match := re.fullmatch(r"/projects/(\w+)", path):
            return self._project(method, match[1])
        if path == "/tasks":
            return self._tasks(method, body)
        if match := re.fullmatch(r"/tasks/([\w-]+)", path):
            return self._task(method, match[1], body)
        if (match := re.fullmatch(r"/tasks/([\w-]+)/complete", path)) and not self.has("missing_action"):
            task = self.tasks.get(match[1])
            return _missing() if task is None else (200, {**task, "status": "done"}, {})
        if path == "/stats" and not self.has("missing_plain"):
            return 200, {"tasks": "many" if self.has("type_stats") else len(self.tasks)}, {}
        return 404, {"message": "no such route"}, {}

    def _projects(self, method: str, body: object):
        if method == "GET":
            return 200, list(self.projects.values()), {}
        if not isinstance(body, dict) or not isinstance(body.get("name"), str) or not body["name"]:
            return 400, {"message": "name"}, {}
        self.count += 1
        self.projects[self.count] = {"id": self.count, "name": body["name"]}
        return 201, self.projects[self.count], {}

    def _project(self, method: str, text: str):
        project = self.projects.get(int(text)) if text.isdigit() else None
        if project is None:
            return _missing()
        if method == "DELETE":
            del self.projects[project["id"]]
            return 204, None, {}
        return 200, project, {}

    def _tasks(self, method: str, body: object):
        if method == "GET":
            return self._list()
        if method != "POST" or self.has("missing_create"):
            return 404, {"message": "no such route"}, {}
        problem = self._problem(body, "create")
        if problem:
            return self._bad(problem)
        self.count += 1
        name = "t1" if self.has("id_same") else f"t{self.count}"
        task = {"status": "open", **body, "id": name, "createdAt": "2026-01-01T00:00:00Z"}
        if not self.has("state_lost"):
            self.tasks[name] = {**task, "title": "-"} if self.has("state_field_lost") else dict(task)
        if self.has("type_create"):
            task["id"] = self.count
        headers = {} if self.has("location_missing") else {"Location": f"/tasks/{name}"}
        return 200 if self.has("status_create") else 201, task, headers

    def _list(self):
        if self.has("missing_list"):
            return 404, {"message": "no such route"}, {}
        if self.has("status_list"):
            return 500, {"message": "crash"}, {}
        items = [] if self.has("state_list_empty") else [*self.tasks.values(), *self.ghosts]
        if self.has("field_list"):
            items = [{key: value for key, value in item.items() if key != "createdAt"} for item in items]
        total = "few" if self.has("type_list") else len(items)
        shown = items if self.has("paging_ignored") else items[: self.limit]
        return 200, {"items": shown, "total": total}, {}

    def _task(self, method: str, name: str, body: object):
        if self.has(f"missing_{ {'GET': 'read', 'DELETE': 'delete'}.get(method, '') }"):
            return 404, {"message": "no such route"}, {}
        if self.has("missing_replace") and method == "PUT":
            return 405, {"message": "no such method"}, {}
        if self.has("missing_patch") and method == "PATCH":
            return 501, {"message": "later"}, {}
        task = self.tasks.get(name)
        if task is None:
            return self._unknown(method)
        if method == "GET":
            return self._read(task)
        if method == "DELETE":
            return self._delete(name)
        return self._update(method, task, body)

    def _unknown(self, method: str):
        if method == "GET" and self.has("error_code_read"):
            return 400, {"message": "no"}, {}
        if method == "GET" and self.has("error_unknown_read") and self.tasks:
            return 200, next(iter(self.tasks.values())), {}
        if method == "DELETE" and self.has("error_unknown_delete"):
            return 204, None, {}
        return _missing()

    def _read(self, task: dict):
        shown = dict(task)
        if self.has("type_read"):
            shown["estimate"] = "much"
        if self.has("field_read"):
            del shown["status"]
        if self.has("field_optional"):
            shown.pop("estimate", None)
        if self.has("enum_extra"):
            shown["status"] = "archived"
        if self.has("id_read"):
            shown["id"] = "t0"
        if self.has("state_shared"):
            shown = {**list(self.tasks.values())[-1], "id": task["id"]}
        return 206 if self.has("status_read") else 200, shown, {}

    def _delete(self, name: str):
        gone = self.tasks[name]
        if self.has("delete_all"):
            self.tasks.clear()
        elif not self.has("delete_keeps"):
            del self.tasks[name]
        if self.has("delete_listed"):
            self.ghosts.append(gone)
        return 202 if self.has("status_delete") else 204, None, {}

    def _update(self, method: str, task: dict, body: object):
        problem = self._problem(body, "put" if method == "PUT" else "patch")
        if problem:
            return self._bad(problem)
        own = {"id": task["id"], "createdAt": task["createdAt"]}
        new = {"status": "open", **body, **own} if method == "PUT" else {**task, **body}
        if method == "PATCH" and self.has("patch_wipes"):
            new = {"title": "-", "projectId": 1, "status": "open", **body, **own}
        if method == "PUT" and self.has("put_stale"):
            return 200, task, {}
        if not self.has("put_ignored" if method == "PUT" else "patch_ignored"):
            self.tasks[task["id"]] = new
        if method == "PUT" and self.has("id_changes"):
            new = {**new, "id": "t0"}
        return 200, new, {}

    def _problem(self, body: object, use: str) -> str | None:
        if not isinstance(body, dict):
            return "body"
        if use != "patch" and not self.has(f"no_validation_{use}"):
            for name in ("title", "projectId"):
                if name not in body:
                    return name
        for name, kind in _TYPES.items():
            wrong = name in body and (type(body[name]) is not kind)
            if wrong and not self.has("no_validation_type"):
                return name
        if body.get("status", "open") not in ("open", "doing", "done"):
            wrong_type = not isinstance(body["status"], str)
            if not self.has("no_validation_enum") and not (wrong_type and self.has("no_validation_type")):
                return "status"
        if isinstance(body.get("estimate"), int) and body["estimate"] < 0:
            return "estimate"
        return "title" if body.get("title") == "" else None

    def _bad(self, problem: str):
        if self.has("error_crash"):
            return 500, {"message": "crash"}, {}
        body = {"reason": problem} if self.has("error_body") else {"message": problem}
        return 400 if self.has("error_code_create") else 422, body, {}


def _missing():
    return 404, {"message": "no such item"}, {}


def handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            raw = self.rfile.read(size) if size else b""
            path, _, query = self.path.partition("?")
            limit = int(dict(parse_qsl(query)).get("limit", 20))
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                body = None
            if provider.has("closes") and path.endswith("/stats"):
                return
            status, data, headers = provider.answer(self.command, path, body, limit)
            content = b"" if data is None else json.dumps(data).encode()
            kind = "application/json"
            if provider.has("content_type_read") and self.command == "GET" and "/tasks/" in path:
                kind = "text/html"
            if provider.has("content_type_list") and self.command == "GET" and path.endswith("/tasks"):
                kind = "text/plain"
            if provider.has("body_no_json") and path.endswith("/stats"):
                content = str(data).encode()
            self.send_response(status)
            if data is not None:
                self.send_header("Content-Type", kind)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _do  # noqa: N815 - http.server's names

        def log_message(self, *_args) -> None:
            pass

    return Handler


@contextlib.contextmanager
def running(fault: str = ""):
    """Serve the provider; yields its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(Provider(fault)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
