"""Fail-over, drilled: an engine that trades is lost, stopped or killed, and the one that stands by
guards what it held. Judged by the exchange's truth.

    python -m tests.bench.failover POSTGRESQL-URL [--drills N] [--seed S]

Each drill has an exchange, a schema of the journal and two homes of its own. A stopped engine is
woken once the other one guards, and must send nothing; prints the seconds from the loss to guarded.
"""

import argparse
import sys
import tempfile
import uuid
from pathlib import Path
from random import Random
from statistics import median

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.support.standby import Drill, play

MOST = 25.0
"""Seconds to guarded that a drill may take."""


def drill(url: str, seed: int) -> tuple[str, float, str]:
    """Play one; how, the seconds, and what was broken."""
    random = Random(seed)
    how, after = random.choice(("stop", "kill")), random.random() * 2
    schema = f"drill_{uuid.uuid4().hex}"
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    place = f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        found = Drill(Path(folder), place, seed, "journal.failover=automatic")
        try:
            return how, play(found, how, after), ""
        except AssertionError as error:
            return how, 0.0, str(error)[:600] or "it broke off"
        finally:
            found.close()
            with engine.begin() as connection:
                connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")


def main(words: list[str]) -> int:
    """Drill, print a line each and a table; 1 where anything was broken or took too long."""
    parser = argparse.ArgumentParser(description="fail-over, drilled")
    parser.add_argument("url", help="of a PostgreSQL database that may be used for schemas")
    parser.add_argument("--drills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args(words)
    took: dict[str, list[float]] = {"stop": [], "kill": []}
    broken = 0
    for seed in range(told.seed, told.seed + told.drills):
        how, seconds, why = drill(told.url, seed)
        print(f"seed {seed}: {how}: {why or f'guarded after {seconds:.1f} s'}", flush=True)
        broken += bool(why) or seconds > MOST
        took[how] += [] if why else [seconds]
    for how, found in took.items():
        if found:
            print(
                f"{how}: {len(found)} drills, to guarded: median {median(found):.1f} s,"
                f" longest {max(found):.1f} s"
            )
    print(f"{broken} of {told.drills} broken, or longer than {MOST:g} s")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
