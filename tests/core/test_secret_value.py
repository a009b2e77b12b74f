"""A secret value shows itself to `reveal` and to nothing else."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.traceback import Traceback

from rotation.ports import SecretVersion
from rotation.secret_value import ClientSecret, RefreshToken, SecretValue

VALUE = "0.AXoA-contoso-refresh-token-value"
KINDS = [SecretValue, ClientSecret, RefreshToken]

SHOWN: dict[str, Callable[[SecretValue], str]] = {
    "repr": repr,
    "str": str,
    "f-string": lambda secret: f"{secret}",
    "f-string with !r": lambda secret: f"{secret!r}",
    "f-string with a width": lambda secret: f"{secret:>80}",
    "f-string with =": lambda secret: f"{secret=}",
    "format": lambda secret: format(secret, "s"),
    "str.format": lambda secret: "{} {0!s}".replace("{}", "{0}").format(secret),
    "percent s": lambda secret: "%s" % secret,  # noqa: UP031 - the old way is what is tested
    "percent r": lambda secret: "%r" % (secret,),  # noqa: UP031
    "in a list": lambda secret: str([secret]),
    "in a dict": lambda secret: str({"token": secret}),
    "in an exception": lambda secret: repr(ValueError(secret)) + str(ValueError(secret)),
    "in json with default=str": lambda secret: json.dumps({"token": secret}, default=str),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN.keys())
def test_no_way_of_showing_it_shows_the_value(kind: type[SecretValue], show: Callable[[SecretValue], str]) -> None:
    shown = show(kind(VALUE))
    assert VALUE not in shown
    assert "********" in shown


REFUSED: dict[str, Callable[[SecretValue], object]] = {
    "json": json.dumps,
    "json in an object": lambda secret: json.dumps({"token": secret}),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "vars": vars,
    "hash": hash,
    "as a key": lambda secret: {secret: 1},
    "concatenation": lambda secret: "Bearer " + secret,  # type: ignore[operator]
    "join": lambda secret: ",".join({secret.reveal(): secret}.values()),  # type: ignore[arg-type]
    "iteration": iter,  # type: ignore[dict-item]
    "length": len,  # type: ignore[dict-item]
    "bytes": lambda secret: bytes(secret),  # type: ignore[call-overload]  # noqa: PLW0108
    "state": lambda secret: secret.__getstate__(),
    "new attribute": lambda secret: setattr(secret, "note", "x"),
    **{f"pickle {number}": lambda secret, n=number: pickle.dumps(secret, n) for number in range(6)},  # type: ignore[misc]
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use", REFUSED.values(), ids=REFUSED.keys())
def test_what_would_carry_the_value_away_is_refused(
    kind: type[SecretValue], use: Callable[[SecretValue], object]
) -> None:
    with pytest.raises((TypeError, AttributeError)) as refused:
        use(kind(VALUE))
    assert VALUE not in str(refused.value)


def version_with(value: SecretValue) -> SecretVersion:
    return SecretVersion(
        name="contoso",
        version="1",
        value=value,
        enabled=True,
        tags={},
        content_type=None,
        expires_on=None,
        holds_certificate=False,
    )


def test_the_dataclass_that_carries_it_does_not_show_it() -> None:
    assert VALUE not in repr(version_with(RefreshToken(VALUE)))


def test_the_dataclass_that_carries_it_cannot_be_turned_into_a_dict() -> None:
    with pytest.raises(TypeError):
        dataclasses.asdict(version_with(RefreshToken(VALUE)))


def test_a_log_line_does_not_show_it() -> None:
    written = io.StringIO()
    logger = logging.getLogger("tests.secret_value")
    logger.addHandler(logging.StreamHandler(written))
    logger.warning("redeemed %s", RefreshToken(VALUE))
    logger.warning("redeemed %(token)r", {"token": RefreshToken(VALUE)})
    assert written.getvalue().count("********") == 2
    assert VALUE not in written.getvalue()


def fail_with(secret: SecretValue) -> KeyError:
    held = {"token": secret}
    with pytest.raises(KeyError) as failed:
        held.pop("another")
    return failed.value


def test_a_traceback_with_locals_does_not_show_it() -> None:
    fault = fail_with(RefreshToken(VALUE))
    text = "".join(traceback.TracebackException.from_exception(fault, capture_locals=True).format())
    assert "RefreshToken(********)" in text
    assert VALUE not in text


def test_a_rich_traceback_with_locals_does_not_show_it() -> None:
    fault = fail_with(RefreshToken(VALUE))
    console = Console(file=io.StringIO(), width=200)
    console.print(Traceback.from_exception(type(fault), fault, fault.__traceback__, show_locals=True))
    assert isinstance(console.file, io.StringIO)
    assert "RefreshToken(********)" in console.file.getvalue()
    assert VALUE not in console.file.getvalue()


def test_it_equals_its_own_kind_of_the_same_value_and_nothing_else() -> None:
    assert RefreshToken(VALUE) == RefreshToken(VALUE)
    assert RefreshToken(VALUE) == SecretValue(VALUE)
    assert RefreshToken(VALUE) != RefreshToken(VALUE + "x")
    assert RefreshToken(VALUE) != VALUE
    assert VALUE != RefreshToken(VALUE)  # noqa: SIM300 - the string is asked first


class Watched(str):
    """A string that cannot be compared the way strings are, which stops at the first difference."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared in the clear")


def test_two_of_them_compare_in_constant_time() -> None:
    assert SecretValue(Watched("a")) == SecretValue(Watched("a"))
    assert SecretValue(Watched("a")) != SecretValue(Watched("b"))


@pytest.mark.parametrize("value", ["", "\ud800", "ä", "\x00", "日本"])
def test_any_text_compares_without_an_exception(value: str) -> None:
    assert SecretValue(value) == SecretValue(value)
    assert SecretValue(value) != SecretValue(value + "x")


def test_reveal_gives_the_value_itself() -> None:
    assert ClientSecret(VALUE).reveal() == VALUE
    assert [name for name in dir(ClientSecret) if not name.startswith("_")] == ["reveal"]


@pytest.mark.parametrize("value", ["x", VALUE, "!~", "a" * 24 * 1024])
def test_what_may_be_a_refresh_token_has_no_fault(value: str) -> None:
    assert RefreshToken(value).fault() is None


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "empty"),
        (" ", "spaces"),
        ("two words", "spaces"),
        (VALUE + "\n", "spaces"),
        ("a\r\nb", "spaces"),
        ("tab\tbed", "spaces"),
        ("nul\x00", "spaces"),
        ("\x7f", "spaces"),
        ("tökén", "spaces"),
        ("\ud800", "spaces"),
        ("\u200b", "spaces"),
        ("a" * (24 * 1024 + 1), "longer"),
        ("ä" * 24 * 1024, "longer"),
        ("\ud800" * 24 * 1024, "longer"),
    ],
)
def test_what_cannot_be_a_refresh_token_has_a_fault_that_does_not_repeat_it(value: str, fault: str) -> None:
    said = RefreshToken(value).fault()
    assert said is not None
    assert fault in said
    assert len(value.strip()) < 3 or value not in said
