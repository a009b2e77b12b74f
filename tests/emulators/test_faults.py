"""Faults hit the requests that a test names, look real to a real client, and say whether they were spent."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import requests
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from emulators.faults import Answer, Delay, FaultLayer, Faults, Hang, Held, Meanwhile, Reset
from emulators.serve import Site, listen, serving, url_of
from emulators.tls import LoopbackTls
from tests.waiting import LONG, wait_until


@dataclass(frozen=True, slots=True)
class Broken:
    """A little site that notes what it did; `get` and `post` go through real TLS connections."""

    url: str
    authority_file: str
    faults: Faults
    effects: list[str] = field(default_factory=list)

    def ask(self, path: str = "/", *, method: str = "GET", read_seconds: float = LONG) -> tuple[int, bytes]:
        url = f"{self.url}{path}"
        with requests.request(method, url, verify=self.authority_file, timeout=(LONG, read_seconds)) as answer:
            return answer.status_code, answer.content


@pytest.fixture
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    bound, tls = listen(), LoopbackTls.create(tmp_path_factory.mktemp("tls"))
    site = Broken(url_of(bound), str(tls.authority_file), Faults())

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  # the bare ASGI form
        site.effects.append(Request(scope).url.path)
        await PlainTextResponse("done")(scope, receive, send)

    with serving([Site(bound, FaultLayer(app, site.faults), tls.context)]):
        yield site


def test_an_answer_replaces_the_application_once(broken: Broken) -> None:
    broken.faults.fail_next(Answer(503, body={"error": "busy"}))
    assert broken.ask() == (503, b'{"error": "busy"}')
    assert broken.effects == []
    assert broken.ask() == (200, b"done")


def test_an_answer_carries_its_headers_and_raw_bytes(broken: Broken) -> None:
    broken.faults.fail_next(Answer(429, {"Retry-After": "7", "Content-Type": "text/html"}, b"<html>"))
    with requests.get(broken.url, verify=broken.authority_file, timeout=60) as answer:
        assert (answer.status_code, answer.content) == (429, b"<html>")
        assert (answer.headers["Retry-After"], answer.headers["Content-Type"]) == ("7", "text/html")


def test_an_answer_after_the_effect_leaves_the_effect(broken: Broken) -> None:
    broken.faults.fail_next(Answer(500, after_effect=True))
    assert broken.ask() == (500, b"")
    assert broken.effects == ["/"]


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_reset_drops_the_connection_before_or_after_the_effect(
    broken: Broken,
    after_effect: bool,  # noqa: FBT001  # a case, not a flag
) -> None:
    broken.faults.fail_next(Reset(after_effect=after_effect))
    with pytest.raises(requests.ConnectionError):
        broken.ask()
    assert broken.effects == (["/"] if after_effect else [])
    assert broken.ask() == (200, b"done")


def test_a_delay_answers_as_ever_but_later(broken: Broken) -> None:
    broken.faults.fail_next(Delay(0.5))
    with pytest.raises(requests.ReadTimeout):
        broken.ask(read_seconds=0.1)
    broken.faults.fail_next(Delay(0.01))
    assert broken.ask() == (200, b"done")


def test_what_is_held_is_answered_as_ever_once_it_is_released(broken: Broken) -> None:
    held = Held()
    broken.faults.fail_next(held)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(broken.ask)
        wait_until(lambda: broken.faults.met)
        assert broken.ask("/another") == (200, b"done")
        assert broken.effects == ["/another"]
        held.released.set()
        assert asked.result() == (200, b"done")


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_hang_lasts_until_the_client_gives_up(
    broken: Broken,
    after_effect: bool,  # noqa: FBT001  # a case, not a flag
) -> None:
    broken.faults.fail_next(Hang(after_effect=after_effect))
    with pytest.raises(requests.ReadTimeout):
        broken.ask(read_seconds=0.1)
    wait_until(lambda: broken.faults.unspent == 0 and len(broken.effects) == after_effect)
    assert broken.effects == (["/"] if after_effect else [])
    assert broken.ask() == (200, b"done")


@pytest.mark.parametrize("after_effect", [False, True])
def test_somebody_acts_before_the_application_or_before_its_answer(
    broken: Broken,
    after_effect: bool,  # noqa: FBT001  # a case, not a flag
) -> None:
    broken.faults.fail_next(Meanwhile(lambda: broken.effects.append("somebody"), after_effect=after_effect))
    assert broken.ask() == (200, b"done")
    assert broken.effects == (["/", "somebody"] if after_effect else ["somebody", "/"])


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_request_that_is_cut_has_its_effect_before_or_never(
    broken: Broken,
    after_effect: bool,  # noqa: FBT001  # a case, not a flag
) -> None:
    broken.faults.fail_next(Meanwhile(lambda: None, after_effect=after_effect, cut=True))
    with pytest.raises(requests.ConnectionError):
        broken.ask()
    assert broken.effects == (["/"] if after_effect else [])


def test_a_fault_waits_for_its_method_and_path(broken: Broken) -> None:
    broken.faults.fail_next(Answer(500), method="POST", path="^/secrets/contoso$")
    assert broken.ask("/secrets/contoso")[0] == 200
    assert broken.ask("/secrets/contoso-2", method="POST")[0] == 200
    assert broken.ask("/secrets/contoso", method="POST")[0] == 500


def test_after_lets_so_many_matching_requests_pass(broken: Broken) -> None:
    broken.faults.fail_next(Answer(500), path="/a", after=2)
    assert [broken.ask(path)[0] for path in ("/a", "/b", "/a", "/b", "/a", "/a")] == [200, 200, 200, 200, 500, 200]


def test_times_repeats_a_fault_and_none_repeats_it_until_cleared(broken: Broken) -> None:
    broken.faults.fail_next(Answer(500), times=2)
    broken.faults.fail_next(Answer(502), times=None)
    assert [broken.ask()[0] for _ in range(4)] == [500, 500, 502, 502]
    assert broken.faults.unspent == 1
    broken.faults.clear()
    assert (broken.ask()[0], broken.faults.unspent) == (200, 0)


def test_faults_are_spent_in_the_order_of_queueing(broken: Broken) -> None:
    for status in (500, 502, 503):
        broken.faults.fail_next(Answer(status))
    assert broken.faults.unspent == 3
    assert [broken.ask()[0] for _ in range(3)] == [500, 502, 503]
    assert broken.faults.unspent == 0
    assert broken.faults.met == (Answer(500), Answer(502), Answer(503))
