"""From items to rows: the tables of a Log Analytics workspace, with the names and types of their columns.

Sources: Azure Monitor reference, "AppEvents", "AppTraces", "AppRequests", "AppDependencies" and "AppExceptions"; the
names of context tags are those of Application Insights' `ContextTagKeys`. A type that no table here is for has no row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from emulators.monitor.envelope import Envelope

type Row = dict[str, Any]

_DURATION = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>\d+(?:\.\d+)?)")
_BUCKETS = (
    (250, "<250ms"), (500, "250ms-500ms"), (1000, "500ms-1sec"), (3000, "1sec-3sec"), (7000, "3sec-7sec"),
    (15_000, "7sec-15sec"), (30_000, "15sec-30sec"), (60_000, "30sec-1min"), (120_000, "1min-2min"),
    (300_000, "2min-5min"),
)  # fmt: skip


def _common(envelope: Envelope) -> Row:
    tags = envelope.tags
    return {
        "TimeGenerated": envelope.time,
        "Properties": dict(envelope.data.get("properties") or {}),
        "Measurements": dict(envelope.data.get("measurements") or {}),
        "ItemCount": round(100 / envelope.sample_rate),
        "OperationName": tags.get("ai.operation.name", ""),
        "OperationId": tags.get("ai.operation.id", ""),
        "ParentId": tags.get("ai.operation.parentId", ""),
        "SyntheticSource": tags.get("ai.operation.syntheticSource", ""),
        "SessionId": tags.get("ai.session.id", ""),
        "UserId": tags.get("ai.user.id", ""),
        "AppVersion": tags.get("ai.application.ver", ""),
        "AppRoleName": tags.get("ai.cloud.role", ""),
        "AppRoleInstance": tags.get("ai.cloud.roleInstance", ""),
        "ClientType": tags.get("ai.device.type", ""),
        "IKey": envelope.instrumentation_key,
        "SDKVersion": tags.get("ai.internal.sdkVersion", ""),
        "SourceSystem": "Azure",
    }


def _event(data: Mapping[str, Any]) -> Row:
    return {"Name": data["name"]}


def _trace(data: Mapping[str, Any]) -> Row:
    return {"Message": data["message"], "SeverityLevel": _severity(data.get("severityLevel"))}


def _request(data: Mapping[str, Any]) -> Row:
    return {
        "Id": data["id"],
        "Source": data.get("source") or "",
        "Name": data.get("name") or "",
        "Url": data.get("url") or "",
        **_ended(data, "responseCode"),
    }


def _dependency(data: Mapping[str, Any]) -> Row:
    return {
        "Id": data.get("id") or "",
        "Target": data.get("target") or "",
        "DependencyType": data.get("type") or "",
        "Name": data["name"],
        "Data": data.get("data") or "",
        **_ended(data, "resultCode"),
    }


def _exception(data: Mapping[str, Any]) -> Row:
    details = data["exceptions"]
    outer, innermost = details[0], details[-1]
    return {
        "ProblemId": data.get("problemId") or outer.get("typeName", ""),
        "ExceptionType": outer.get("typeName", ""),
        "OuterType": outer.get("typeName", ""),
        "OuterMessage": outer.get("message", ""),
        "InnermostType": innermost.get("typeName", ""),
        "InnermostMessage": innermost.get("message", ""),
        "SeverityLevel": _severity(data.get("severityLevel")),
        "Details": details,
    }


TABLES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], Row]]] = {
    "EventData": ("AppEvents", _event),
    "MessageData": ("AppTraces", _trace),
    "RequestData": ("AppRequests", _request),
    "RemoteDependencyData": ("AppDependencies", _dependency),
    "ExceptionData": ("AppExceptions", _exception),
}
"""The type of an item's data, its table, and what that table has beside the common columns."""


def row_of(envelope: Envelope) -> tuple[str, Row]:
    """The table of an item and its row; a type without a table here is told by its own name."""
    table, own = TABLES.get(envelope.base_type, (envelope.base_type, lambda _: {}))
    return table, {**_common(envelope), **own(envelope.data), "Type": table}


def _severity(level: object) -> int | None:
    """Sent by name or by number."""
    names = ("Verbose", "Information", "Warning", "Error", "Critical")
    if isinstance(level, str):
        return names.index(level)
    return level if isinstance(level, int) else None


def _ended(data: Mapping[str, Any], code: str) -> Row:
    milliseconds = _milliseconds(data["duration"])
    return {
        "Success": bool(data.get("success", True)),
        "ResultCode": data.get(code) or "",
        "DurationMs": milliseconds,
        "PerformanceBucket": next((name for limit, name in _BUCKETS if milliseconds < limit), ">=5min"),
    }


def _milliseconds(duration: str) -> float:
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"{duration} is no duration of the form d.hh:mm:ss.fff")
    minutes = (int(found["days"] or 0) * 24 + int(found["hours"])) * 60 + int(found["minutes"])
    return round((minutes * 60 + float(found["seconds"])) * 1000, 3)
