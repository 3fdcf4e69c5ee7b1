"""The produced page in a real browser: creates, edits, ticks, filters, deletes on the real service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from support.program import PATIENCE
from support.scaffold import TODO_SPEC, ask, page_files, put, running, service_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from selenium.webdriver.remote.webelement import WebElement

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(DRIVER is None, reason="no chromedriver on this machine"),
]

ANSWERS_WAIT = """
const ask = window.fetch;
window.held = [];
window.fetch = async (url, ...rest) => {
  const answer = await ask(url, ...rest);
  const body = await answer.text();
  answer.text = async () => body;
  if (String(url).includes("done=true")) await new Promise((release) => window.held.push(release));
  return answer;
};
"""
"""Answers to questions for done tasks arrive, but the page gets them only once they are released."""


class Page:
    """What a person sees and does, on a page that is open."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser

    def at(self, selector: str, which: int = 0) -> WebElement:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)[which]

    def click(self, selector: str, which: int = 0) -> None:
        self.at(selector, which).click()

    def text(self, selector: str) -> str:
        return self.at(selector).text

    def value(self, selector: str) -> str:
        return self.at(selector).get_property("value")

    def fill(self, selector: str, text: str) -> None:
        self.at(selector).clear()
        self.at(selector).send_keys(text)

    def choose(self, selector: str, value: str) -> None:
        self.click(f'{selector} option[value="{value}"]')

    def titles(self) -> list[str]:
        return [name.text for name in self.browser.find_elements(By.CSS_SELECTOR, ".card .name")]

    def until(self, check: Callable[[], object]) -> None:
        """Look again and again: the page draws its list anew while it is looked at."""
        ignored = (StaleElementReferenceException, IndexError)
        WebDriverWait(self.browser, PATIENCE, 0.02, ignored).until(lambda _: check())

    def lists(self, *titles: str) -> None:
        """Wait until these are the cards, and say what stands there instead if it never is so."""
        self.until(lambda: self.at("#content").get_attribute("aria-busy") == "false")
        self.until(lambda: self.titles() == list(titles))


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The page of the example, served, with two lists and two tasks in its service."""
    spec = TODO_SPEC.read_bytes()
    folder = put(page_files(spec), tmp_path / "page")
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


@pytest.fixture
def page(address: str, tmp_path: Path) -> Iterator[Page]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for word in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as browser:
        browser.get(f"{address}/#tasks")
        opened = Page(browser)
        opened.lists("Buy milk 1", "Buy milk 2")
        yield opened


def test_a_person_can_do_everything_on_the_page(page):
    page.click("#add")
    page.click("#form .primary")
    page.until(lambda: page.text("#problem-title"))
    assert page.text("#problem-title") == "Title must not be empty"
    assert page.text("#form-error") == "The request is not valid: title must not be empty"
    assert page.browser.switch_to.active_element.get_attribute("id") == "field-title"

    page.fill("#field-title", "<b>New</b>")
    page.choose("#field-list_id", "2")
    page.click("#field-done")
    page.browser.execute_script("document.getElementById('field-due').value = '2026-01-02'")
    page.click("#form .primary")
    page.lists("Buy milk 1", "Buy milk 2", "<b>New</b>")
    assert page.text("#status") == "Task created"

    page.click('[aria-label="Edit <b>New</b>"]')
    assert page.text("#editor-title") == "Edit task"
    assert [page.value(f"#field-{name}") for name in ("title", "list_id", "due")] == [
        "<b>New</b>",
        "2",
        "2026-01-02",
    ]
    assert page.at("#field-done").is_selected()
    page.fill("#field-title", "Renamed")
    page.click("#form .primary")
    page.lists("Buy milk 1", "Buy milk 2", "Renamed")

    page.click(".card input")
    page.until(lambda: page.text(".card.is-on .name") == "Buy milk 1")
    page.lists("Buy milk 1", "Buy milk 2", "Renamed")
    page.choose("#filters select", "true")
    page.lists("Buy milk 1", "Renamed")

    page.click('[aria-label="Delete Renamed"]')
    assert page.text("#confirm-text") == 'Delete task "Renamed"?'
    page.click("#confirm button.danger")
    page.lists("Buy milk 1")

    page.click('#tabs [data-name="lists"]')
    page.lists("Groceries 1", "Groceries 2")
    page.click("#add")
    assert (page.at("#field-color").get_attribute("type"), page.value("#field-color")) == ("color", "#4f46e5")
    page.fill("#field-name", "Work")
    page.click("#form .primary")
    page.lists("Groceries 1", "Groceries 2", "Work")


def test_an_answer_that_comes_late_never_replaces_a_newer_one(page):
    page.browser.execute_script(ANSWERS_WAIT)
    page.choose("#filters select", "true")
    page.until(lambda: page.browser.execute_script("return window.held.length") == 1)
    page.choose("#filters select", "")
    page.lists("Buy milk 1", "Buy milk 2")
    page.browser.execute_script("window.held[0]()")
    # Whatever the page does with the late answer, it does before this script ends.
    page.browser.execute_async_script("setTimeout(arguments[0], 0)")
    assert page.titles() == ["Buy milk 1", "Buy milk 2"]
