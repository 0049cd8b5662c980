"""Who holds a lock is named, wherever a load waits for it: tables, rows of the ledger, and advisory locks."""

from collections.abc import Callable

import pytest

from batchstream.errors import SinkError
from batchstream.postgres import connection as sessions
from batchstream.postgres import names
from batchstream.postgres.locks import Kind
from tests.support.pipeline import Pipeline

Step = Callable[[Pipeline, int], object]

OPENING = f"SELECT pg_advisory_lock({int(Kind.OPENING)}, hashtext('{{name}}'))"
PUBLISHING = f"SELECT pg_advisory_lock({int(Kind.PUBLISHING)}, hashtext('{{name}}'))"
LEDGER = "SELECT FROM batchstream.loads WHERE load_id = {load_id} FOR UPDATE"
LANDING = "LOCK TABLE landing.{name}_{load_id} IN ACCESS EXCLUSIVE MODE"

STEPS: dict[str, tuple[str, Step]] = {
    "open": (OPENING, lambda pipeline, _: pipeline.open()),
    "topic": (LEDGER, Pipeline.create_topic),
    "send": (LEDGER, Pipeline.produce),
    "land": (LANDING, Pipeline.consume),
    "verify": (LANDING, Pipeline.verify),
    "publish, the ledger": (LEDGER, Pipeline.publish),
    "publish, another publish": (PUBLISHING, Pipeline.publish),
}


@pytest.mark.parametrize("step", STEPS)
def test_the_holder_of_a_lock_is_named(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    load_id = pipeline.produced()
    if step == "verify":
        pipeline.consume(load_id)
    lock, act = STEPS[step]
    monkeypatch.setitem(sessions.SESSION_SETTINGS, "lock_timeout", "300ms")
    with sessions.connect(pipeline.settings(names.OWNER), application_name="psql of anna") as holder, holder.transaction():
        holder.execute(lock.format(name=pipeline.name, load_id=load_id).encode())
        said = rf"somebody else holds a lock .*, pid {holder.info.backend_pid} \(batchstream_owner psql of anna\)"
        with pytest.raises(SinkError, match=said):
            act(pipeline, load_id)
    pipeline.fail(load_id, "the test has ended")
