"""The faults that a file gives an exchange."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.exchange import Delay, Faults, Interval
from engine.rehearsal.scenario.tables import inner_table, only_known
from engine.rehearsal.scenario.words import ScenarioError, duration, fraction

_RATES = ("lose_reply", "lose_request", "duplicate_report", "reorder_reports", "reject_stop")


def read_faults(path: Path) -> Faults:
    """The faults of a file: the keys of `[faults]`, with or without the heading where nothing else
    is in it. Raises ScenarioError.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        if table.keys() & {"exchange", "futures"} and "faults" not in table:
            return Faults()
        return faults_of(inner_table(table, "faults") if "faults" in table else table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ScenarioError) as error:
        raise ScenarioError(f"{path}: {error}") from error


def faults_of(table: Mapping[str, Any]) -> Faults:
    """The faults of a table. Raises ScenarioError."""
    only_known(table, (*_RATES, "delay", "disconnect", "rest_lag", "rate_limit_storm"), "faults.")
    rates = {}
    for key in _RATES:
        rate = float(fraction(table.get(key, 0), f"faults.{key}"))
        if not 0 <= rate <= 1:
            raise ScenarioError(
                f"faults.{key} is {table[key]!r}; expected a probability from 0 to 1"
            )
        rates[key] = rate
    delay = None
    if "delay" in table:
        only_known(inner_table(table, "delay"), ("p50", "p99"), "faults.delay.")
        p50 = duration(inner_table(table, "delay").get("p50", "40ms"), "faults.delay.p50")
        p99 = duration(inner_table(table, "delay").get("p99", "150ms"), "faults.delay.p99")
        if p99 < p50:
            raise ScenarioError(
                f"faults.delay.p99 is below p50 ({p99 / 1e9:g} s < {p50 / 1e9:g} s)"
            )
        delay = Delay(p50, p99)
    return Faults(
        lose_reply=rates["lose_reply"],
        lose_request=rates["lose_request"],
        duplicate_report=rates["duplicate_report"],
        reorder_reports=rates["reorder_reports"],
        reject_stop=rates["reject_stop"],
        delay=delay,
        disconnect=_interval(table, "disconnect"),
        rest_lag=duration(table.get("rest_lag", 0), "faults.rest_lag"),
        rate_limit_storm=_interval(table, "rate_limit_storm"),
    )


def _interval(table: Mapping[str, Any], key: str) -> Interval | None:
    if key not in table:
        return None
    inner = inner_table(table, key)
    only_known(inner, ("every", "lasts"), f"faults.{key}.")
    for needed in ("every", "lasts"):
        if needed not in inner:
            raise ScenarioError(f"faults.{key}.{needed} is missing")
    every, lasts = (
        duration(inner["every"], f"faults.{key}.every"),
        duration(inner["lasts"], f"faults.{key}.lasts"),
    )
    if not 0 < lasts < every:
        raise ScenarioError(
            f"faults.{key} lasts {lasts / 1e9:g} s of every {every / 1e9:g} s; expected more than"
            " nothing and less than all"
        )
    return Interval(every, lasts)
