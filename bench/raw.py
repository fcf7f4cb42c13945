"""How fast is the raw driver with the same work: a row in, claimed, its outcome kept, every commit durable?

Batches of 500 both ways and no program around them: nobody gets past this.
"""

import sqlite3
import time
from pathlib import Path

BATCH = 500
_TABLE = "CREATE TABLE q (due INTEGER, id INTEGER, state INTEGER, PRIMARY KEY (due, id))"


def sqlite(folder: Path, n: int) -> float:
    """Messages a second."""
    db = sqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        db.execute(f"PRAGMA {pragma}")
    db.execute(f"{_TABLE} WITHOUT ROWID")
    db.execute("CREATE TABLE done (id INTEGER PRIMARY KEY, outcome TEXT)")
    begun = time.perf_counter()
    for first in range(0, n, BATCH):
        db.execute("BEGIN IMMEDIATE")
        ids = range(first, min(n, first + BATCH))
        db.executemany("INSERT INTO q VALUES (?, ?, 0)", [(i * 7919 % n, i) for i in ids])
        db.execute("COMMIT")
    while rows := db.execute("SELECT due, id FROM q WHERE state = 0 LIMIT ?", (BATCH,)).fetchall():
        db.execute("BEGIN IMMEDIATE")
        db.executemany("UPDATE q SET state = 1 WHERE due = ? AND id = ?", rows)
        db.execute("COMMIT")
        db.execute("BEGIN IMMEDIATE")
        db.executemany("DELETE FROM q WHERE due = ? AND id = ?", rows)
        db.executemany("INSERT INTO done VALUES (?, 'accepted')", [(i,) for _, i in rows])
        db.execute("COMMIT")
    taken = time.perf_counter() - begun
    db.close()
    return n / taken


def postgres(url: str, n: int) -> float:
    """Messages a second."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as db:
        db.execute(_TABLE)
        db.execute("CREATE TABLE done (id INTEGER PRIMARY KEY, outcome TEXT)")
        begun = time.perf_counter()
        for first in range(0, n, BATCH):
            ids = list(range(first, min(n, first + BATCH)))
            due = [i * 7919 % n for i in ids]
            db.execute("INSERT INTO q SELECT *, 0 FROM unnest(%s::int[], %s::int[])", (due, ids))
        claim = (
            "UPDATE q SET state = 1 WHERE (due, id) IN (SELECT due, id FROM q WHERE state = 0 "
            "ORDER BY due, id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING due, id"
        )
        end = (
            "WITH gone AS (DELETE FROM q WHERE (due, id) IN (SELECT * FROM unnest(%s::int[], %s::int[])) "
            "RETURNING id) INSERT INTO done SELECT id, 'accepted' FROM gone"
        )
        while rows := db.execute(claim, (BATCH,)).fetchall():
            db.execute(end, tuple(map(list, zip(*rows, strict=True))))
        return n / (time.perf_counter() - begun)
