"""States of a load, set by force."""

import psycopg

IN_PROGRESS = ("opened", "produced", "landed", "verified")


def put_state(admin: psycopg.Connection, load_id: int, state: str, reason: str | None = None) -> None:
    """Bring a load to a state by force."""
    admin.execute("UPDATE batchstream.loads SET state = %s, reason = %s WHERE load_id = %s", [state, reason, load_id])
