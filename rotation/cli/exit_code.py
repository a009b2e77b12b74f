"""What the process says to the program that called it. The numbers are a public contract."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from rotation.outcome import VaultFault
from rotation.reason import Severity


class ExitCode(IntEnum):
    """The exit codes; 70 is EX_SOFTWARE of sysexits.h, 130 what a shell makes of an interrupt."""

    WELL = 0
    PROBLEMS = 1
    USAGE = 2
    VAULT_UNREACHABLE = 3
    BUSY = 4
    FAULT = 70
    INTERRUPTED = 130

    @classmethod
    def of(cls, vault_faults: Iterable[VaultFault], *, all_well: bool) -> ExitCode:
        """The exit code of a report: a vault that could not be listed outweighs every problem in the others."""
        if any(fault.reason.severity is not Severity.NONE for fault in vault_faults):
            return cls.VAULT_UNREACHABLE
        return cls.WELL if all_well else cls.PROBLEMS
