"""Tickets delivered over HTTP to mocks that our own tool makes of the published shapes, failures included."""

from __future__ import annotations

import asyncio
import hmac
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from support.plans import run_record

from maestro_dsl.engine.events import Event, RunStarted, TicketOpened
from maestro_dsl.engine.tickets import TicketStatus, ticket_key
from maestro_dsl.errors import UsageError
from maestro_dsl.interfaces.registry import kind_of
from maestro_dsl.lang.model import ContractType, TicketSettings
from maestro_dsl.net.server import serve
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.outbox import TicketBox
from maestro_dsl.testing import FixedClock
from maestro_dsl.tickets.courier import CLAIM_S, Courier, delay_after
from maestro_dsl.tickets.jira import document
from maestro_dsl.tickets.registry import HOSTS, check, open_sink

FIXTURES = Path(__file__).parents[2] / "fixtures" / "openapi"
SECRETS = {"USER": "ann@example.com", "TOKEN": "t0ken-of-ann", "SECRET": "shared secret"}
TEXT = "It failed.\n\nAttempts (2):\n- round 1, attempt 1: invalid\n- round 1, attempt 2: invalid\n\nLook: x"
JIRA = TicketSettings(sink="jira", project="OPS", user_env="USER", token_env="TOKEN", labels=("night",))
GITHUB = TicketSettings(sink="github", repository="acme/shop", token_env="TOKEN", labels=("night",))
WEBHOOK = TicketSettings(sink="webhook", secret_env="SECRET")
SHAPES = {"jira": "jira.yaml", "github": "github-issues.yaml", "webhook": "webhook.yaml"}
EACH = pytest.mark.parametrize("settings", [JIRA, GITHUB, WEBHOOK], ids=lambda item: item.sink)


class Server:
    """Our mock of one place, with faults before it: "500", "slow", "lost" (done, but no answer), "ok"."""

    def __init__(self, sink):
        kind = kind_of(ContractType.REST_API)
        spec = FIXTURES / SHAPES[sink]
        api, problems = kind.parse(spec.read_bytes(), spec.name)
        assert api is not None, problems
        self.calls = []
        self.faults = []
        self.taken = asyncio.Event()
        self._mock = kind.serve(api, seed=1, record=self.calls.append, name=sink)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self._mock(scope, receive, send)
            return
        searches = scope["path"].endswith("/search/jql")
        fault = self.faults.pop(0) if self.faults and scope["method"] == "POST" and not searches else "ok"
        if fault == "500":
            await answer(send, 500, b"a token t0ken-of-ann in the text of an error")
        elif fault == "slow":
            while (await receive())["type"] != "http.disconnect":
                pass
        elif searches:
            await self._search(receive, send)
        else:
            if scope["method"] == "GET":  # to a mock "all" is one more state, and a label the whole list
                scope = {**scope, "query_string": b"per_page=100"}
            await self._mock(scope, receive, dropped(send) if fault == "lost" else send)
            if len(self.posts()) > 1:
                self.taken.set()

    async def _search(self, receive, send):
        """JIRA's query language is more than a mock can know: look through what was made."""
        message = await receive()
        jql = json.loads(message["body"])["jql"]
        found = []
        for call in self.posts():
            fields, made = json.loads(call["body"])["fields"], json.loads(call["response_body"])
            if any(f'labels = "{name}"' in jql for name in fields["labels"]):
                found.append({"id": made["id"], "key": made["key"], "fields": fields})
        await answer(send, 200, json.dumps({"issues": found, "isLast": True}).encode())

    def posts(self):
        made = [call for call in self.calls if call["method"] == "POST" and call["status"] in {201, 202}]
        return [call for call in made if not call["path"].endswith("/jql")]


async def answer(send, status, body):
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def dropped(send):
    async def instead(message):
        if message["type"] == "http.response.start":
            await answer(send, 502, b"the way back broke")

    return instead


@asynccontextmanager
async def world(tmp_path, settings, *, timeout_s=10.0, environ=SECRETS):
    """Yield a mock of the place, an outbox with one ticket for it, a courier and the clock's hand."""
    mock = Server(settings.sink)
    server = await serve(mock)
    try:
        url = server.url + ("/hooks/maestro" if settings.sink == "webhook" else "")
        time = [1_000.0]
        clock = FixedClock(start=0.0, elapsed=lambda: time[0])
        journal = Journal.open(tmp_path / "state")
        try:
            open_in(journal, replace(settings, url=url))
            outbox = TicketBox(journal.database)

            def opened(stated):
                sink = open_sink(stated, Environment(environ), clock)
                return replace(sink, channel=replace(sink.channel, timeout_s=timeout_s))

            yield mock, outbox, Courier(outbox=outbox, open_sink=opened, clock=clock), time
        finally:
            journal.close()
    finally:
        await server.stop()


class Environment:
    def __init__(self, values):
        self.values = values

    def get(self, name):
        return self.values.get(name)


def open_in(journal, settings, run_id="run-1", node="build[api]"):
    from maestro_dsl.codec import to_json

    record = run_record(run_id, at=1.0, output="o")
    journal.create_run(record, b"{}")
    started = RunStarted(plan_id="p", plan_digest="d", output="o", tool_version="1")
    ticket = TicketOpened(
        node=node,
        key=ticket_key(run_id, node),
        title="p: build[api] gave up",
        text=TEXT,
        target=to_json(settings),
    )
    bodies = (started, ticket)
    journal.append([Event(run_id=run_id, seq=n, at=500.0, body=body) for n, body in enumerate(bodies, 1)], 1)


def one(outbox):
    (ticket,) = outbox.tickets()
    return ticket


@EACH
def test_a_ticket_arrives_in_the_published_shape_once(tmp_path, settings):
    async def main():
        async with world(tmp_path, settings) as (mock, outbox, courier, _):
            await courier.settle()
            await courier.settle()
            await courier.deliver(outbox.tickets(), force=True)
            assert [call["violations"] for call in mock.calls] == [[]] * len(mock.calls)
            assert len(mock.posts()) == 1
            ticket = one(outbox)
            assert (ticket.status, ticket.tries, ticket.error) == (TicketStatus.DELIVERED, 1, "")
            return ticket, json.loads(mock.posts()[0]["body"]), mock.posts()[0]

    ticket, body, call = asyncio.run(main())
    if settings.sink == "jira":
        assert body["fields"]["labels"] == [f"maestro-{ticket.key}", "night"]
        assert ticket.url.endswith(f"/browse/{ticket.reference}")
    elif settings.sink == "github":
        assert body["labels"] == [f"maestro-{ticket.key}", "night"]
        assert f"<!-- maestro-ticket: {ticket.key} -->" in body["body"]
        assert ticket.reference.startswith("acme/shop#")
    else:
        assert (body["key"], call["violations"]) == (ticket.key, [])


def test_a_webhook_is_signed_over_time_and_body(tmp_path):
    seen = {}

    async def main():
        async with world(tmp_path, WEBHOOK) as (mock, _, courier, _time):
            inner = mock._mock

            async def looking(scope, receive, send):
                seen.update({name.decode(): value.decode() for name, value in scope["headers"]})
                await inner(scope, receive, send)

            mock._mock = looking
            await courier.settle()
            return mock.posts()[0]

    call = asyncio.run(main())
    assert seen["x-maestro-timestamp"] == "1000"
    assert seen["idempotency-key"] == json.loads(call["body"])["key"]
    signed = b"1000." + call["body"].encode()
    assert seen["x-maestro-signature"] == "sha256=" + hmac.new(b"shared secret", signed, "sha256").hexdigest()


@EACH
def test_a_place_that_fails_first_gets_the_ticket_later_and_no_secret_is_kept(tmp_path, settings):
    async def main():
        async with world(tmp_path, settings, timeout_s=0.2) as (mock, outbox, courier, time):
            mock.faults = ["500", "slow", "ok"]
            await courier.settle()
            first = one(outbox)
            assert (first.status, first.next_at) == (TicketStatus.PENDING, 1_030.0)
            assert "answered 500" in first.error
            assert "t0ken-of-ann" not in first.error or settings.sink == "webhook"
            await courier.settle()  # not due
            assert one(outbox).tries == 1
            time[0] = 1_030.0
            await courier.settle()
            assert (one(outbox).error, one(outbox).next_at) == ("no answer in time", 1_090.0)
            time[0] = 1_090.0
            await courier.settle()
            assert (one(outbox).status, one(outbox).tries, len(mock.posts())) == (
                TicketStatus.DELIVERED,
                3,
                1,
            )

    asyncio.run(main())


@pytest.mark.parametrize("settings", [JIRA, GITHUB], ids=lambda item: item.sink)
def test_an_answer_that_was_lost_makes_no_second_ticket(tmp_path, settings):
    async def main():
        async with world(tmp_path, settings) as (mock, outbox, courier, _):
            mock.faults = ["lost"]
            await courier.settle()
            assert one(outbox).status is TicketStatus.PENDING
            await courier.deliver(outbox.tickets(), force=True)
            assert (one(outbox).status, len(mock.posts())) == (TicketStatus.DELIVERED, 1)
            assert one(outbox).reference

    asyncio.run(main())


@pytest.mark.parametrize("settings", [JIRA, GITHUB], ids=lambda item: item.sink)
def test_a_kill_between_delivery_and_receipt_is_found_by_search(tmp_path, settings):
    class Dying:
        """An outbox whose process ends when it would note the receipt."""

        def __init__(self, outbox):
            self._outbox = outbox

        def __getattr__(self, name):
            return getattr(self._outbox, name)

        def delivered(self, *_args, **_more):
            raise KeyboardInterrupt

    async def main():
        async with world(tmp_path, settings) as (mock, outbox, courier, time):
            courier._outbox = Dying(outbox)
            with pytest.raises(KeyboardInterrupt):
                await courier.settle()
            assert (one(outbox).status, len(mock.posts())) == (TicketStatus.SENDING, 1)
            courier._outbox = outbox
            await courier.settle()
            assert one(outbox).status is TicketStatus.SENDING  # still claimed by the one that died
            time[0] += CLAIM_S
            await courier.settle()
            assert (one(outbox).status, one(outbox).tries, len(mock.posts())) == (
                TicketStatus.DELIVERED,
                2,
                1,
            )

    asyncio.run(main())


def test_of_two_couriers_one_delivers(tmp_path):
    async def main():
        async with world(tmp_path, WEBHOOK) as (mock, outbox, courier, _):
            second = Courier(outbox=outbox, open_sink=courier._open_sink, clock=courier._clock)
            await asyncio.gather(courier.settle(), second.settle())
            assert len(mock.posts()) == 1

    asyncio.run(main())


def test_a_missing_secret_keeps_the_ticket_and_names_the_variable(tmp_path):
    async def main():
        async with world(tmp_path, GITHUB, environ={}) as (mock, outbox, courier, _):
            await courier.settle()
            assert one(outbox).error == "the environment variable TOKEN is not set"
            assert mock.calls == []

    asyncio.run(main())


def test_new_tickets_wake_a_courier_at_work(tmp_path):
    async def main():
        async with world(tmp_path, WEBHOOK) as (mock, outbox, courier, _):
            await courier.settle()
            task = asyncio.create_task(courier.work())
            await asyncio.sleep(0)
            journal = Journal(outbox._database)
            target = one(outbox).target
            opened = TicketOpened(node="b", key=ticket_key("run-1", "b"), title="b", text="b", target=target)
            event = Event(run_id="run-1", seq=3, at=900.0, body=opened)
            journal.append([event], 1)
            courier.on_event(event)
            await mock.taken.wait()
            await courier.settle()
            task.cancel()
            assert len(mock.posts()) == 2

    asyncio.run(asyncio.wait_for(main(), 30))


# ---- settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (TicketSettings(sink="jira"), "tickets: url is missing"),
        (replace(JIRA, url="https://a.atlassian.net", project=None), "tickets: project is missing"),
        (
            replace(JIRA, url="https://a.atlassian.net", project='X" OR 1'),
            'tickets: "X" OR 1" is no key of a JIRA project',
        ),
        (
            replace(JIRA, url="http://a.atlassian.net"),
            "tickets: url would send a secret without encryption: http://a.atlassian.net",
        ),
        (replace(JIRA, url="https://ann:pw@a.net"), "tickets: url holds a user or password"),
        (replace(GITHUB, repository="../x/y"), 'tickets: "../x/y" is no repository'),
        (replace(GITHUB, token_env=None), "tickets: token_env is missing"),
        (replace(WEBHOOK, url="ftp://x"), 'tickets: url is no web address: "ftp://x"'),
    ],
)
def test_settings_that_cannot_be_used_are_told_before_anything_runs(settings, message):
    with pytest.raises(UsageError) as caught:
        check(settings, Environment({HOSTS: "a.atlassian.net, a.net"}))
    assert caught.value.message == message


@pytest.mark.parametrize("settings", [JIRA, WEBHOOK, GITHUB], ids=lambda item: item.sink)
def test_a_project_cannot_send_a_variable_to_a_host_that_the_operator_does_not_name(settings):
    stated = replace(settings, url="https://Evil.example.com/x", token_env="ANTHROPIC_API_KEY")
    for hosts in ("", "example.com", "evil.example.com.org"):
        with pytest.raises(UsageError, match=r"evil\.example\.com is not among the hosts") as caught:
            open_sink(stated, Environment({HOSTS: hosts, "ANTHROPIC_API_KEY": "k"}), FixedClock())
        assert caught.value.hint.endswith(f"{HOSTS}=evil.example.com")
    check(stated, Environment({HOSTS: "x.org, EVIL.example.com"}))
    check(GITHUB, Environment({}))  # GitHub's own address


def test_the_description_is_paragraphs_and_lists():
    kinds = [block["type"] for block in document(TEXT)["content"]]
    assert kinds == ["paragraph", "paragraph", "bulletList", "paragraph"]
    assert len(document(TEXT)["content"][2]["content"]) == 2


def test_back_off_doubles_and_ends_at_six_hours():
    assert [delay_after(tries) for tries in (1, 2, 3, 20)] == [30.0, 60.0, 120.0, 21_600.0]
