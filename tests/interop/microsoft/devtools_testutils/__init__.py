"""Stands in for Microsoft's `devtools_testutils`, which is not published: just what its Key Vault tests import from it.

Nothing is recorded and nothing played back: every test runs live against `AZURE_KEYVAULT_URL`, as the holder of
`INTEROP_ACCESS_TOKEN`, trusting `INTEROP_AUTHORITY_FILE`. This module runs in the process of those tests only.
"""

from __future__ import annotations

import asyncio
import functools
import os
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from azure.core.credentials import AccessToken


def is_live() -> bool:
    return True


@pytest.fixture(scope="session")
def test_proxy() -> None:
    """The recording proxy: there is none."""


def recorded_by_proxy[T](test: T) -> T:
    return test


def _nothing_to_record(*_: object, **__: object) -> None:
    """What prepares recordings has nothing to do."""


add_oauth_response_sanitizer = add_general_regex_sanitizer = add_body_key_sanitizer = _nothing_to_record
add_remove_header_sanitizer = remove_batch_sanitizers = set_custom_default_matcher = _nothing_to_record


class GivenToken:
    """A `TokenCredential` that hands out the token it was given."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken(os.environ["INTEROP_ACCESS_TOKEN"], int(time.time()) + 3600)


class GivenTokenAsync(GivenToken):
    """The same as an `AsyncTokenCredential`."""

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:  # type: ignore[override]
        return super().get_token()


class AzureRecordedTestCase:
    """One instance per test, so that a name is the test's own."""

    is_live = True

    @functools.cached_property
    def _suffix(self) -> str:
        return uuid.uuid4().hex[:12]

    def get_resource_name(self, name: str) -> str:
        return f"{name}{self._suffix}"

    def get_credential(self, _client: type, *, is_async: bool = False) -> GivenToken:
        return GivenTokenAsync() if is_async else GivenToken()

    def create_client_from_credential(self, client: Callable[..., Any], **given: Any) -> Any:
        trust = {"connection_verify": os.environ["INTEROP_AUTHORITY_FILE"], "verify_challenge_resource": False}
        return client(**{"logging_enable": True} | given | trust)

    @staticmethod
    def await_prepared_test[**P](test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
        @functools.wraps(test)
        def awaited(*args: P.args, **kwargs: P.kwargs) -> None:
            asyncio.run(test(*args, **kwargs))

        return awaited
