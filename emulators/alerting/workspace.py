"""A Log Analytics workspace with the one table that the rules read: rows of `AppEvents` in, results of KQL out.

A query sees what was ingested by the moment it is asked for, no further back than it is given. A row is ingested when
it is sent, or later and in any order, where it says so. KQL is translated by duckdb-kql and run by DuckDB; the moment
is what `ago()` counts from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, Statement

_TABLE = """
    SET threads = 1;
    CREATE TABLE ingested ("TimeGenerated" TIMESTAMP, "Name" VARCHAR, "Properties" JSON, visible TIMESTAMP);
    SET VARIABLE first = TIMESTAMP '1970-01-01';
    SET VARIABLE last = TIMESTAMP '1970-01-01';
    CREATE VIEW "AppEvents" AS SELECT * EXCLUDE visible FROM ingested
        WHERE "TimeGenerated" > getvariable('first') AND visible <= getvariable('last');
"""
_SCHEMA = {"AppEvents": ["TimeGenerated", "Name", "Properties"]}
_AGO = re.compile(r"ago\((\d+)([smhd])\)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")


type Row = Mapping[str, Any]
"""One row of `AppEvents` by its columns; the rules read `TimeGenerated`, `Name` and `Properties`.

`Visible`, where there is one, is when a query first sees it: `ingestion_time()` in the service.
"""


class Workspace:
    """The rows of one workspace; they are given once, and become visible at their own time."""

    def __init__(self, rows: Iterable[Row]) -> None:
        import duckdb_kql  # noqa: PLC0415 - takes half a second, and who imports this does not always ask a workspace

        self._database: DuckDBPyConnection = duckdb_kql.connect()
        self._database.execute(_TABLE)
        given = [_stored(row) for row in rows]
        if given:
            columns = [list(column) for column in zip(*given, strict=True)]
            self._database.execute(
                "INSERT INTO ingested SELECT unnest($1), unnest($2), unnest($3), unnest($4)", columns
            )
        told = (found for _, _, properties, _ in given for found in _MOMENT.findall(properties))
        self._dates = frozenset((*(at for sent, _, _, seen in given for at in (sent, seen)), *map(_read, told)))

    def query(self, kql: str, *, at: datetime, reaching_back: timedelta) -> list[dict[str, object]]:
        """The rows of a result at a moment. Raises what duckdb-kql and DuckDB raise."""
        moment = _plain(at)
        self._database.execute("SET VARIABLE first = CAST($1 AS TIMESTAMP)", [moment - reaching_back])
        self._database.execute("SET VARIABLE last = CAST($1 AS TIMESTAMP)", [moment])
        result = self._database.execute(_parsed(kql), {"kqlnow": moment})
        columns = [column for column, *_ in result.description]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]

    def changes(self, kql: str, *, reaching_back: timedelta) -> list[datetime]:
        """Every moment at which the result of a query can change, in order.

        A query that knows the time by `ago()` alone can answer otherwise only when a row arrives or leaves, or when
        a date in the rows or in the query passes an `ago()`.
        """
        spans = {timedelta(**{_UNITS[unit]: int(count)}) for count, unit in _AGO.findall(kql)}
        dates = self._dates.union(map(_read, _MOMENT.findall(kql)))
        return sorted(
            {(date + span).replace(tzinfo=UTC) for date in dates for span in (timedelta(), reaching_back, *spans)}
        )


def _stored(row: Row) -> tuple[datetime, str, str, datetime]:
    sent = _plain(row["TimeGenerated"])
    visible = _plain(row["Visible"]) if "Visible" in row else sent
    return sent, row["Name"], json.dumps(dict(row["Properties"])), max(sent, visible)


@cache
def _parsed(kql: str) -> Statement:
    """The query in SQL, parsed once: that takes as long as running it."""
    import duckdb  # noqa: PLC0415 - see above
    import duckdb_kql  # noqa: PLC0415

    any_moment = datetime(2026, 1, 1, tzinfo=UTC)
    (statement,) = duckdb.extract_statements(duckdb_kql.to_sql(kql, query_now=any_moment, schema=_SCHEMA))
    return statement


def _plain(moment: datetime) -> datetime:
    """A moment as DuckDB's TIMESTAMP has it: UTC, unsaid."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _read(text: str) -> datetime:
    return _plain(datetime.fromisoformat(text))
