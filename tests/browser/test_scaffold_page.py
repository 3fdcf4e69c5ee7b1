"""The produced page in a real browser: creates, edits, ticks, filters, deletes on the real service."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.scaffold import TODO_SPEC, ask, page_files, put, running, service_files

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
DRIVE = Path(__file__).parents[1] / "support" / "page_drive.js"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")


@pytest.fixture
def page(tmp_path):
    spec = TODO_SPEC.read_bytes()
    files = page_files(spec)
    files["app.js"] += DRIVE.read_text()
    folder = put(files, tmp_path / "page")
    with running(put(service_files(spec), tmp_path / "service"), tmp_path / "data") as (api, _):
        for number in (1, 2):
            ask(f"{api}/lists", "POST", {"name": f"Groceries {number}"})
            ask(f"{api}/tasks", "POST", {"title": f"Buy milk {number}", "list_id": 1})
        process = subprocess.Popen(
            [sys.executable, "serve.py", "--port", "0", "--api", api],
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def test_a_person_can_do_everything_on_the_page(page, tmp_path):
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    seen = subprocess.run(
        [BROWSER, *options, "--virtual-time-budget=15000", "--dump-dom", f"{page}/#tasks"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    ).stdout
    title = html.unescape(re.search("<title>(.*?)</title>", seen, re.DOTALL)[1])
    assert title.split(" ## ") == [
        "problem:Title must not be empty|The request is not valid: title must not be empty|focus field-title",
        "created:Buy milk 1,Buy milk 2,<b>New</b> status Task created",
        "editing:Edit task <b>New</b> 2 2026-01-02 true",
        "edited:Buy milk 1,Buy milk 2,Renamed",
        "toggled",
        "filtered:Buy milk 1,Renamed",
        'confirm:Delete task "Renamed"?',
        "deleted:Buy milk 1",
        "lists:Groceries 1,Groceries 2",
        "color color#4f46e5",
        "ok",
    ]
