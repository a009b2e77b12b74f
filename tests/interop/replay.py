"""Ask the emulator what was asked of the real Key Vault, in the same order, and note where it answers otherwise.

What only the service could know is carried over: version ids, backups and page marks of the recording stand for
those that the emulator gave in the same place. The recording also says when the service was done with deleting and
recovering, which took it seconds: the emulator is told to be done at the same point.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from emulators.keyvault.operations import kind_of
from emulators.keyvault.state import VaultState
from tests.contracts.emulated_vault import OPERATOR, EmulatedVault, token_of
from tests.interop.comparison import Difference, differences
from tests.interop.recordings import Ask, Exchange, Reply, parsed

UNTIL_TOLD = timedelta(days=1)


def recorded_vault(exchanges: Sequence[Exchange]) -> VaultState:
    """An empty vault that is set up as the recorded one was: some were made before soft delete was the rule."""
    soft_delete = "Recoverable" in str([each.reply.body for each in exchanges])
    return VaultState("contoso", soft_delete=soft_delete, settle_after=UNTIL_TOLD)


@dataclass(slots=True)
class Replay:
    """One recording on one vault."""

    vault: EmulatedVault
    session: requests.Session
    _ours: dict[str, str] = field(default_factory=dict)  # the emulator's word for a word of the recording
    _unsettled: set[str] = field(default_factory=set)

    def run(self, exchanges: Sequence[Exchange]) -> list[Difference]:
        """Every difference, in order."""
        return [found for exchange in exchanges for found in self._step(exchange)]

    def _step(self, exchange: Exchange) -> list[Difference]:
        operation = kind_of(exchange.ask.method, exchange.ask.path)
        self._settle(operation, exchange)
        reply = self._asked(exchange.ask, authorized=exchange.reply.status != requests.codes.unauthorized)
        self._learn(exchange.reply.body, reply.body)
        return differences(operation, exchange.reply, reply)

    def _settle(self, operation: str, exchange: Exchange) -> None:
        name = exchange.ask.path.split("/")[2:3]
        if operation in {"delete", "recover"}:
            self._unsettled.update(name)
        elif self._unsettled.issuperset(name) and exchange.reply.status < requests.codes.bad_request:
            self.vault.state.settle()
            self._unsettled.clear()

    def _asked(self, ask: Ask, *, authorized: bool) -> Reply:
        query = urlencode([(name, self._ours.get(value, value)) for name, value in ask.query])
        with self.session.request(
            ask.method,
            f"{self.vault.url}{self._translated(ask.path)}?{query}",
            data=self._translated(ask.body) if ask.body else None,
            headers={"Authorization": f"Bearer {token_of(OPERATOR)}"} if authorized else {},
            verify=self.vault.authority_file,
            timeout=60,
        ) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status_code, headers, parsed(answer.text))

    def _translated(self, text: str) -> str:
        return re.sub(r"[\w-]{32,}", lambda word: self._ours.get(word[0], word[0]), text)

    def _learn(self, recorded: Any, emulated: Any) -> None:
        """Version ids, backups and page marks: whatever both gave in the same place."""
        if not isinstance(recorded, dict) or not isinstance(emulated, dict):
            return
        for key in recorded.keys() & emulated.keys():
            theirs, ours = recorded[key], emulated[key]
            if isinstance(theirs, str) and isinstance(ours, str):
                self._ours.update(zip(_words(key, theirs), _words(key, ours), strict=False))


def _words(key: str, text: str) -> list[str]:
    match key:
        case "id":
            return urlsplit(text).path.split("/")[3:]
        case "nextLink":
            return [value for name, value in parse_qsl(urlsplit(text).query) if name == "$skiptoken"]
        case "value":
            return [text]
        case _:
            return []
