"""What this project relies on in a Key Vault, asked through the real SDK. Runs on the emulator and on any real vault.

On a vault from outside it needs the role Key Vault Secrets Officer, and touches nothing but secrets of its own.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.secrets import SecretProperties

from tests.contracts.vault_under_test import VaultUnderTest

LATER = datetime(2050, 2, 2, 8, tzinfo=UTC)
ABSENT_VERSION = "0" * 32


def inner_code(refused: HttpResponseError) -> str | None:
    body: dict[str, dict[str, dict[str, str]]] = json.loads(refused.response.text())  # type: ignore[union-attr]
    return body["error"].get("innererror", {}).get("code")


def listed(vault: VaultUnderTest, name: str) -> SecretProperties:
    return next(each for each in vault.client.list_properties_of_secrets() if each.name == name)


def version_ids(vault: VaultUnderTest, name: str) -> list[str | None]:
    return [each.version for each in vault.client.list_properties_of_secret_versions(name)]


def test_a_stored_secret_is_read_back_with_all_that_was_given(vault: VaultUnderTest) -> None:
    name, tags = vault.new_name(), {"managed-by": "contract", "empty": ""}
    stored = vault.client.set_secret(name, "one", tags=tags, content_type="text/plain", expires_on=LATER)
    read = vault.client.get_secret(name)
    assert (read.value, read.properties.content_type) == ("one", "text/plain")
    assert (read.properties.tags, read.properties.expires_on) == (tags, LATER)
    assert read.properties.version == stored.properties.version
    assert re.fullmatch("[0-9a-f]{32}", read.properties.version or "")


def test_a_new_secret_is_enabled_dated_now_and_names_its_recovery_level(vault: VaultUnderTest) -> None:
    properties = vault.client.set_secret(vault.new_name(), "one").properties
    assert properties.enabled is True
    assert properties.created_on is not None
    assert abs(properties.created_on - datetime.now(UTC)) < timedelta(minutes=5)
    assert "Recoverable" in (properties.recovery_level or "")
    assert (properties.recoverable_days or 0) >= 7


def test_a_new_version_starts_from_nothing(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    vault.client.set_secret(name, "one", tags={"a": "1"}, content_type="text/plain", expires_on=LATER, enabled=False)
    vault.client.set_secret(name, "two")
    read = vault.client.get_secret(name).properties
    assert not read.tags
    assert (read.content_type, read.expires_on, read.enabled) == (None, None, True)


def test_the_listing_has_tags_and_dates_and_no_version_id(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    vault.client.set_secret(name, "one", tags={"a": "1"}, expires_on=LATER, enabled=False)
    found = listed(vault, name)
    assert (found.tags, found.expires_on, found.enabled) == ({"a": "1"}, LATER, False)
    assert found.version is None
    assert (found.id or "").endswith(f"/secrets/{name}")


def test_the_listing_shows_the_newest_version(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    vault.client.set_secret(name, "one", tags={"a": "1"})
    vault.client.set_secret(name, "two", tags={"a": "2"})
    assert listed(vault, name).tags == {"a": "2"}


def test_every_version_is_listed_with_its_id(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    stored = {vault.client.set_secret(name, value).properties.version for value in ("one", "two", "three")}
    ids = version_ids(vault, name)
    assert len(ids) == 3
    assert set(ids) == stored


def test_the_versions_of_a_name_that_is_not_there_are_an_empty_list(vault: VaultUnderTest) -> None:
    assert version_ids(vault, vault.new_name()) == []


def test_a_list_comes_in_pages(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    stored = {vault.client.set_secret(name, value).properties.version for value in ("one", "two", "three")}
    pages = vault.client.list_properties_of_secret_versions(name, max_page_size=2).by_page()
    sizes_and_ids = [[each.version for each in page] for page in pages]
    assert len(sizes_and_ids) >= 2
    assert {each for page in sizes_and_ids for each in page} == stored


def test_an_older_version_is_read_by_its_id(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    first = vault.client.set_secret(name, "one").properties.version
    vault.client.set_secret(name, "two")
    assert vault.client.get_secret(name, first).value == "one"
    assert vault.client.get_secret(name).value == "two"


def test_an_update_replaces_the_tags_as_a_whole_and_keeps_the_rest(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    version = vault.client.set_secret(
        name, "one", tags={"a": "1"}, content_type="x", expires_on=LATER
    ).properties.version
    vault.client.update_secret_properties(name, version, tags={"b": "2"})
    read = vault.client.get_secret(name)
    assert read.properties.tags == {"b": "2"}
    assert (read.value, read.properties.version) == ("one", version)
    assert (read.properties.content_type, read.properties.expires_on) == ("x", LATER)


def test_an_update_without_tags_keeps_the_tags(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    version = vault.client.set_secret(name, "one", tags={"a": "1"}, expires_on=LATER).properties.version
    updated = vault.client.update_secret_properties(name, version, enabled=False)
    assert (updated.tags, updated.expires_on, updated.enabled) == ({"a": "1"}, LATER, False)


def test_an_update_of_the_tags_alone_leaves_a_disabled_version_disabled(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    version = vault.client.set_secret(name, "one", enabled=False).properties.version
    assert vault.client.update_secret_properties(name, version, tags={"a": "1"}).enabled is False


def test_an_update_of_one_version_leaves_the_others_alone(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    first = vault.client.set_secret(name, "one", tags={"a": "1"}).properties.version
    vault.client.set_secret(name, "two", tags={"a": "2"})
    vault.client.update_secret_properties(name, first, enabled=False, tags={})
    current = vault.client.get_secret(name)
    assert (current.value, current.properties.tags, current.properties.enabled) == ("two", {"a": "2"}, True)


def test_an_update_without_a_version_hits_whatever_is_newest(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    first = vault.client.set_secret(name, "one", tags={"a": "1"}).properties.version
    second = vault.client.set_secret(name, "two", tags={"a": "2"}).properties.version
    assert vault.client.update_secret_properties(name, tags={"a": "3"}).version == second
    assert vault.client.get_secret(name, first).properties.tags == {"a": "1"}


def test_a_disabled_version_answers_403_secret_disabled(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    version = vault.client.set_secret(name, "one").properties.version
    vault.client.update_secret_properties(name, version, enabled=False)
    with pytest.raises(HttpResponseError) as refused:
        vault.client.get_secret(name)
    assert refused.value.status_code == 403
    assert inner_code(refused.value) == "SecretDisabled"


def test_a_disabled_old_version_leaves_the_current_one_readable(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    first = vault.client.set_secret(name, "one").properties.version
    vault.client.set_secret(name, "two")
    vault.client.update_secret_properties(name, first, enabled=False)
    assert vault.client.get_secret(name).value == "two"
    with pytest.raises(HttpResponseError, match="disabled"):
        vault.client.get_secret(name, first)


def test_an_unknown_name_or_version_answers_404_secret_not_found(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        vault.client.get_secret(name)
    vault.client.set_secret(name, "one")
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        vault.client.get_secret(name, ABSENT_VERSION)


def test_a_soft_deleted_name_cannot_be_stored_to(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    vault.client.set_secret(name, "one")
    vault.client.begin_delete_secret(name).wait()
    with pytest.raises(ResourceNotFoundError):
        vault.client.get_secret(name)
    with pytest.raises(ResourceExistsError) as refused:
        vault.client.set_secret(name, "two")
    assert inner_code(refused.value) == "ObjectIsDeletedButRecoverable"


def test_a_deleted_secret_says_when_it_goes_and_is_recovered_with_every_version(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    stored = {vault.client.set_secret(name, value, tags={"a": "1"}).properties.version for value in ("one", "two")}
    vault.client.begin_delete_secret(name).wait()
    deleted = vault.client.get_deleted_secret(name)
    assert deleted.deleted_date is not None
    assert deleted.scheduled_purge_date is not None
    assert deleted.scheduled_purge_date > deleted.deleted_date
    vault.client.begin_recover_deleted_secret(name).wait()
    assert set(version_ids(vault, name)) == stored
    assert vault.client.get_secret(name).properties.tags == {"a": "1"}


def test_a_value_of_25_kb_is_stored_and_a_longer_one_is_refused(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    vault.client.set_secret(name, "x" * 25600)
    with pytest.raises(HttpResponseError, match="BadParameter") as refused:
        vault.client.set_secret(name, "x" * 25601)
    assert refused.value.status_code == 400
    assert len(vault.client.get_secret(name).value or "") == 25600


def test_fifteen_tags_of_256_characters_are_stored_and_more_are_refused(vault: VaultUnderTest) -> None:
    name = vault.new_name()
    tags = {f"{number:0256}": "v" * 256 for number in range(15)}
    vault.client.set_secret(name, "one", tags=tags)
    assert vault.client.get_secret(name).properties.tags == tags
    for too_much in (tags | {"sixteenth": ""}, {"long": "v" * 257}):
        with pytest.raises(HttpResponseError, match="BadParameter"):
            vault.client.set_secret(name, "two", tags=too_much)


def test_a_name_with_an_underscore_is_refused(vault: VaultUnderTest) -> None:
    with pytest.raises(HttpResponseError, match="BadParameter") as refused:
        vault.client.set_secret(f"{vault.new_name()}_", "one")
    assert refused.value.status_code == 400


def test_a_request_without_a_token_is_challenged(vault: VaultUnderTest) -> None:
    url = f"{vault.client.vault_url.rstrip('/')}/secrets?api-version=7.6"
    with requests.get(url, verify=vault.verify, timeout=30) as answer:
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Unauthorized")
        header = answer.headers["WWW-Authenticate"]
    challenge = re.fullmatch(r'Bearer authorization="(.+?)", resource="(.+?)"', header)
    assert challenge is not None
    assert len(urlsplit(challenge[1]).path) > 1
    assert (urlsplit(challenge[2]).hostname or "").startswith("vault.")
