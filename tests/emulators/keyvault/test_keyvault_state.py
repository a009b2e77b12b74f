"""What the state promises beyond the contract: time, names, deletions that take a while, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from emulators.keyvault.errors import (
    BadParameterError,
    SecretExistsError,
    SecretIsBeingDeletedError,
    SecretIsBeingRecoveredError,
    SecretIsDeletedError,
    SecretNotFoundError,
)
from emulators.keyvault.secret import SecretVersion
from emulators.keyvault.state import VaultState

MINUTE = timedelta(minutes=1)


def slow_vault() -> VaultState:
    vault = VaultState("contoso", settle_after=MINUTE)
    vault.put("token", "one")
    return vault


def test_ageing_moves_every_date_of_every_version_back() -> None:
    vault, expires = VaultState("contoso"), datetime.now(UTC) + timedelta(days=90)
    before = vault.put("token", "one", expires_on=expires, not_before=expires)
    vault.age(timedelta(days=10))
    after = vault.current("token")
    for date in ("created", "updated", "expires_on", "not_before"):
        assert getattr(before, date) - getattr(after, date) == timedelta(days=10)


def test_ageing_makes_the_text_of_tags_earlier_and_changes_no_version() -> None:
    vault = VaultState("contoso")
    stored = vault.put("contoso", "value", tags={"paused-until": "2026-11-21"})

    vault.age(timedelta(days=1), in_tags=lambda text: text.replace("21", "20"))

    aged = vault.current("contoso")
    assert aged.tags == {"paused-until": "2026-11-20"}
    assert stored.created - aged.created == stored.updated - aged.updated == timedelta(days=1)


def test_a_list_has_what_is_there_at_its_moment() -> None:
    vault = VaultState("contoso")
    lists = [vault.names()]
    vault.put("b", "one")
    lists.append(vault.names())
    vault.put("a", "one")
    lists.append(vault.names())
    blob = vault.backup("b")
    vault.delete("b")
    lists.append(vault.names())
    vault.recover("b")
    lists.append(vault.names())
    vault.delete("b")
    vault.purge("b")
    lists.append(vault.names())
    vault.restore(blob)
    assert [*lists, vault.names()] == [(), ("b",), ("a", "b"), ("a",), ("a", "b"), ("a",), ("a", "b")]


def test_a_part_of_a_list_begins_after_a_name_and_is_as_long_as_was_asked() -> None:
    vault = VaultState("contoso")
    for name in "dbca":
        vault.put(name, "one")
    assert [version.name for version in vault.latest(after="a", at_most=2)] == ["b", "c"]
    assert [version.name for version in vault.latest(after="bb")] == ["c", "d"]


def test_versions_are_told_from_the_oldest_to_the_current() -> None:
    vault = VaultState("contoso")
    stored = [vault.put("token", value) for value in ("one", "two", "three")]
    assert list(vault.versions("token")) == stored
    assert vault.current("token") == stored[-1]


def test_names_differ_in_more_than_case() -> None:
    vault = VaultState("contoso")
    vault.put("Token", "one")
    vault.put("tOKEN", "two")
    assert vault.names() == ("Token",)
    assert vault.current("TOKEN").value == "two"


def test_a_deleted_secret_is_purged_after_ninety_days() -> None:
    vault = VaultState("contoso")
    vault.put("token", "one")
    vault.delete("token")
    vault.age(timedelta(days=89))
    assert vault.deleted_names() == ("token",)
    vault.age(timedelta(days=2))
    assert vault.deleted_names() == ()
    vault.put("token", "two")


def test_a_purged_name_is_free_again() -> None:
    vault = VaultState("contoso")
    vault.put("token", "one")
    vault.delete("token")
    vault.purge("token")
    vault.put("token", "two")
    assert len(vault.versions("token")) == 1


def test_a_deletion_is_not_seen_until_it_has_settled() -> None:
    vault = slow_vault()
    vault.delete("token")
    assert (vault.names(), vault.deleted_names()) == ((), ())
    with pytest.raises(SecretIsBeingDeletedError):
        vault.put("token", "two")
    vault.age(MINUTE)
    assert vault.deleted("token").latest.value == "one"
    with pytest.raises(SecretIsDeletedError):
        vault.put("token", "two")


def test_a_recovery_is_not_seen_until_it_has_settled() -> None:
    vault = slow_vault()
    vault.delete("token")
    vault.age(MINUTE)
    vault.recover("token")
    with pytest.raises(SecretNotFoundError):
        vault.current("token")
    with pytest.raises(SecretIsBeingRecoveredError):
        vault.put("token", "two")
    vault.age(MINUTE)
    assert vault.current("token").value == "one"


def test_settling_ends_a_deletion_and_a_recovery_and_moves_no_date() -> None:
    vault = slow_vault()
    before = vault.current("token")
    vault.delete("token")
    vault.settle()
    assert vault.deleted_names() == ("token",)
    vault.recover("token")
    assert vault.names() == ()
    vault.settle()
    assert vault.current("token") == before


def test_without_soft_delete_a_deleted_secret_is_gone() -> None:
    vault = VaultState("contoso", soft_delete=False)
    vault.put("token", "one")
    assert isinstance(vault.delete("token"), SecretVersion)
    assert vault.deleted_names() == ()
    vault.put("token", "two")


def test_a_backup_brings_back_every_version_under_its_id() -> None:
    vault = VaultState("contoso")
    stored = tuple(vault.put("token", value) for value in ("one", "two"))
    blob = vault.backup("token")
    with pytest.raises(SecretExistsError):
        vault.restore(blob)
    vault.delete("token")
    vault.purge("token")
    vault.restore(blob)
    assert vault.versions("token") == stored


def test_a_blob_that_is_no_backup_is_refused() -> None:
    with pytest.raises(BadParameterError):
        VaultState("contoso").restore("blob")


def test_disable_and_enable_and_retag_change_one_version() -> None:
    vault = VaultState("contoso")
    first, second = vault.put("token", "one", tags={"a": "1"}), vault.put("token", "two")
    vault.disable("token", first.version)
    vault.retag("token", {"b": "2"})
    assert [(each.enabled, each.tags) for each in vault.versions("token")] == [(False, {"a": "1"}), (True, {"b": "2"})]
    vault.enable("token", first.version)
    assert vault.version("token", first.version).enabled
    assert vault.current("token").version == second.version


def test_a_value_is_not_shown_by_its_version() -> None:
    assert "very-secret" not in repr(VaultState("contoso").put("token", "very-secret"))


def test_no_store_is_lost_among_threads() -> None:
    vault = VaultState("contoso")
    with ThreadPoolExecutor(16) as pool:
        stored = list(pool.map(lambda number: vault.put("token", str(number)), range(200)))
    assert {each.version for each in vault.versions("token")} == {each.version for each in stored}
