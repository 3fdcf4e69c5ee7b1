from __future__ import annotations

import pytest
from support.plans import run_record

from maestro_dsl.engine.events import Event, RunStarted, TicketOpened
from maestro_dsl.engine.tickets import TicketStatus, ticket_key
from maestro_dsl.errors import IntegrityError, StateError
from maestro_dsl.storage.journal import Journal
from maestro_dsl.storage.outbox import TicketBox


@pytest.fixture
def journal(tmp_path):
    journal = Journal.open(tmp_path)
    record = run_record("run-1", at=1.0, output="o")
    journal.create_run(record, b"{}")
    started = RunStarted(plan_id="p", plan_digest="d", output="o", tool_version="1")
    journal.append([Event(run_id="run-1", seq=1, at=100.0, body=started)], 1)
    yield journal
    journal.close()


def opened(seq, node, at=100.0):
    key = ticket_key("run-1", node)
    body = TicketOpened(node=node, key=key, title=node, text="why", target={"sink": "github"})
    return Event(run_id="run-1", seq=seq, at=at, body=body)


def states(outbox):
    return {item.node: item.status.value for item in outbox.tickets()}


def test_a_ticket_is_stored_with_its_event_or_not_at_all(journal):
    outbox = TicketBox(journal.database)
    with pytest.raises(StateError):
        journal.append([opened(7, "a")], 1)  # out of order: refused
    assert outbox.tickets() == ()
    journal.append([opened(2, "a"), opened(3, "b", at=101.0)], 1)
    first, second = outbox.tickets()
    assert (first.node, first.run_id, first.made_at, first.target) == (
        "a",
        "run-1",
        100.0,
        {"sink": "github"},
    )
    assert (second.status, second.tries, outbox.tickets("run-2")) == (TicketStatus.PENDING, 0, ())


def test_the_key_is_the_same_for_the_same_node_of_the_same_run_only():
    assert ticket_key("run-1", "a") == ticket_key("run-1", "a")
    assert len({ticket_key("run-1", "a"), ticket_key("run-1", "b"), ticket_key("run-2", "a")}) == 3
    assert len(f"maestro-{ticket_key('run-1', 'a')}") <= 50  # GitHub's longest label


def test_a_claim_holds_until_its_time_and_for_one_only(journal):
    outbox = TicketBox(journal.database)
    journal.append([opened(2, "a")], 1)
    (ticket,) = outbox.due(100.0)
    assert outbox.due(99.0) == ()
    assert outbox.claim(ticket.key, now=100.0, until=160.0)
    assert not outbox.claim(ticket.key, now=159.0, until=300.0)
    assert outbox.due(159.0) == ()
    assert outbox.claim(ticket.key, now=160.0, until=220.0)
    assert outbox.tickets()[0].tries == 2


def test_a_receipt_is_kept_and_later_news_change_nothing(journal):
    outbox = TicketBox(journal.database)
    journal.append([opened(2, "a")], 1)
    key = outbox.tickets()[0].key
    outbox.claim(key, now=100.0, until=160.0)
    outbox.delivered(key, reference="OPS-1", url="https://x/OPS-1")
    outbox.delivered(key, reference="OPS-2", url="")
    outbox.failed(key, error="late", next_at=0.0)
    assert not outbox.drop(key)
    (ticket,) = outbox.tickets()
    assert (ticket.status, ticket.reference, ticket.error) == (TicketStatus.DELIVERED, "OPS-1", "")
    assert outbox.due(10**9) == ()


def test_a_failure_says_why_and_when_again_and_a_dropped_one_is_left_alone(journal):
    outbox = TicketBox(journal.database)
    journal.append([opened(2, "a"), opened(3, "b")], 1)
    first, second = (item.key for item in outbox.tickets())
    outbox.claim(first, now=100.0, until=160.0)
    outbox.failed(first, error="down", next_at=130.0)
    assert [item.key for item in outbox.due(129.0)] == [second]
    assert outbox.drop(second)
    assert not outbox.drop(second)
    assert not outbox.drop("unknown")
    assert sorted(states(outbox).values()) == ["dropped", "pending"]
    assert [item.error for item in outbox.due(130.0)] == ["down"]


def test_a_damaged_ticket_is_noticed(journal):
    outbox = TicketBox(journal.database)
    journal.append([opened(2, "a")], 1)
    with journal.database.writing() as connection:
        connection.exec_driver_sql("UPDATE tickets SET status = 'delivered'")
    with pytest.raises(IntegrityError, match="the stored record of ticket"):
        outbox.tickets()
