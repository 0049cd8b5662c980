"""Who holds the locks that a statement of ours has waited for in vain."""

import psycopg

from batchstream.postgres import locks

MOST = 3
"""As many sessions are named."""

# On tables of data sets and their ledger, and our advisory locks; what conflicts with most is the likeliest.
_FIND = """
SELECT l.pid, a.usename, a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
LEFT JOIN pg_class AS c ON l.locktype = 'relation' AND c.oid = l.relation
WHERE l.granted AND l.pid <> pg_backend_pid() AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND (
    (l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid::bigint = ANY(%s))
    OR c.relnamespace IN (to_regnamespace('batchstream'), to_regnamespace('landing'), to_regnamespace('published'))
    OR (c.relnamespace = to_regnamespace('public') AND c.relname IN (SELECT dataset FROM batchstream.loads))
)
GROUP BY l.pid, a.usename, a.application_name
ORDER BY max(CASE l.mode
    WHEN 'AccessExclusiveLock' THEN 7 WHEN 'ExclusiveLock' THEN 6 WHEN 'ShareRowExclusiveLock' THEN 5 WHEN 'ShareLock' THEN 4
    WHEN 'ShareUpdateExclusiveLock' THEN 3 WHEN 'RowExclusiveLock' THEN 2 WHEN 'RowShareLock' THEN 1 ELSE 0 END) DESC, l.pid
LIMIT %s
"""

_WAITED_FOR = [int(kind) for kind in locks.Kind if kind is not locks.Kind.WORKING]


def named(connection: psycopg.Connection | None) -> str:
    """Process id, role and program of each session that may be in the way, as the end of a clause; empty if none is known.

    Args:
        connection: Outside of a transaction that has failed; None where there is none left to ask by.
    """
    if connection is None:
        return ""
    try:
        found = connection.execute(_FIND, [_WAITED_FOR, MOST]).fetchall()
    except psycopg.Error:
        return ""
    return "".join(f", pid {pid} ({' '.join(filter(None, names)) or 'the server'})" for pid, *names in found)
