"""What the host knows of a function: its trigger, read from the bindings that the worker reports. Runs nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from emulators.functions_host import protos

TIMER = "timerTrigger"
HTTP = "httpTrigger"
_SETTING = re.compile(r"%([^%]+)%")


class SettingMissing(Exception):
    """A binding names an application setting that the environment does not have; Azure would not start the function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionInfo:
    """One function and its trigger, as the runtime reports them to Azure.

    `schedule` is as written, `%SETTING%` included; `auth_level` is in lower case, `methods` in upper case and empty
    when the function takes every method. What a trigger of its type does not have is None.
    """

    name: str
    function_id: str
    bindings: tuple[Mapping[str, Any], ...]
    type: str
    arg_name: str
    auth_level: str | None = None
    route: str | None = None
    methods: frozenset[str] = frozenset()
    schedule: str | None = None
    run_on_startup: bool | None = None
    use_monitor: bool | None = None

    @classmethod
    def read(cls, metadata: protos.RpcFunctionMetadata) -> Self:
        """Read the runtime's description of one function."""
        bindings = tuple(json.loads(binding) for binding in metadata.raw_bindings)
        trigger = next(binding for binding in bindings if binding["type"].endswith("Trigger"))
        level = trigger.get("authLevel")
        return cls(
            name=metadata.name,
            function_id=metadata.function_id,
            bindings=bindings,
            type=trigger["type"],
            arg_name=trigger["name"],
            auth_level=level and level.lower(),
            route=trigger.get("route"),
            methods=frozenset(method.upper() for method in trigger.get("methods") or ()),
            schedule=trigger.get("schedule"),
            run_on_startup=trigger.get("runOnStartup"),
            use_monitor=trigger.get("useMonitor"),
        )

    def resolved_schedule(self, environment: Mapping[str, str]) -> str:
        """The schedule with each `%SETTING%` replaced; nothing here says whether it is a valid one.

        Raises SettingMissing, and ValueError for a function that is not a timer.
        """
        if self.schedule is None:
            raise ValueError(f"{self.name} is no timer")
        return _SETTING.sub(lambda match: self._setting(match[1], environment), self.schedule)

    def _setting(self, name: str, environment: Mapping[str, str]) -> str:
        if name not in environment:
            raise SettingMissing(f"%{name}% in the schedule of {self.name} does not resolve to a value")
        return environment[name]
