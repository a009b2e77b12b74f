"""The command line as a process of its own: what only a real process, a real terminal and a real signal can show."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from emulators.faults import Answer, Hang, Held
from emulators.world import World
from tests.effects.partners import Partner, values_of
from tests.waiting import LONG, wait_until

CHECKOUT = Path(__file__).parents[2]
AT_ONCE = 20.0
"""Seconds, on a busy machine; the two attempts of a redemption that is never answered take thirty."""


def started(*args: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "rotation", *args]
    return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True)


def test_the_command_rotates_and_says_so_in_a_pipe_without_colour_or_progress(partner: Partner) -> None:
    token = partner.put("contoso", tags=partner.tags(label="Contoso Ltd"))
    with started("rotate") as process:
        stdout, stderr = process.communicate(timeout=LONG)
    assert (process.returncode, stderr) == (0, b"")
    assert b"contoso (Contoso Ltd)  rotated  due     90 d\n" in stdout
    assert b"\x1b" not in stdout
    assert values_of(partner.vault, "contoso")[0] == token
    assert len(values_of(partner.vault, "contoso")) == 2


def test_progress_is_on_the_terminal_and_stdout_stays_one_json_object(partner: Partner) -> None:
    partner.put_some(2)
    ours, theirs = pty.openpty()
    with started("rotate", "--json", stderr=theirs) as process:
        os.close(theirs)
        stdout, _ = process.communicate(timeout=LONG)
    seen = os.read(ours, 100_000)
    os.close(ours)
    assert json.loads(stdout)["counts"]["rotated"] == 2
    assert b"Rotating" in seen


def test_an_interrupt_is_130_and_what_was_redeemed_is_stored_and_told(world: World, partner: Partner) -> None:
    names = partner.put_some(4)
    redemption = Held()
    world.entra_faults.fail_next(redemption, method="POST")
    with started("rotate") as process:
        wait_until(lambda: world.entra_log.count("redeem"))
        process.send_signal(signal.SIGINT)
        first = process.stderr.readline() if process.stderr else b""
        redemption.released.set()
        stdout, stderr = process.communicate(timeout=LONG)
    assert (process.returncode, stderr) == (130, b"")
    assert first == b"Interrupted: finishing what is under way; once more to stop at once\n"
    assert b"4 tokens: 1 rotated, 3 deferred; no problems\n" in stdout
    assert sum(len(values_of(world.vault, name)) for name in names) == 5


def test_a_second_interrupt_ends_at_once(world: World, partner: Partner) -> None:
    partner.put("contoso")
    world.entra_faults.fail_next(Hang(), method="POST", times=None)
    with started("rotate") as process:
        wait_until(lambda: world.entra_log.count("redeem"))
        process.send_signal(signal.SIGINT)
        first = process.stderr.readline() if process.stderr else b""
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=AT_ONCE)
    assert (process.returncode, stdout) == (130, b"")
    assert first == b"Interrupted: finishing what is under way; once more to stop at once\n"
    assert stderr == b"Stopped at once; the stored tokens are good: run the command again to go on\n"


IN_THE_MIDDLE = """
import io, os, signal, sys
from rotation.cli import rotate

class Interrupting(io.RawIOBase):
    def writable(self):
        return True
    def write(self, data):
        signal.raise_signal(signal.SIGINT)
        return os.write(2, data)

sys.stderr = io.TextIOWrapper(io.BufferedWriter(Interrupting()), line_buffering=True)
with rotate._interruptible():
    signal.raise_signal(signal.SIGINT)
"""


def test_a_second_interrupt_while_the_first_is_being_told_ends_at_once_too() -> None:
    """A stream of Python's is not to be written to by a handler that interrupted a writing: that is a RuntimeError."""
    ended = subprocess.run([sys.executable, "-c", IN_THE_MIDDLE], cwd=CHECKOUT, capture_output=True, check=False)

    assert (ended.returncode, ended.stdout) == (130, b"")
    assert ended.stderr == b"Stopped at once; the stored tokens are good: run the command again to go on\n"


def test_libraries_do_not_log_to_the_operator(world: World) -> None:
    """azure-identity warns at length when the identity endpoint refuses; what counts of it is in the report."""
    world.identity_faults.fail_next(Answer(400, body={"error": "invalid_request"}), times=None)
    with started("status") as process:
        stdout, stderr = process.communicate(timeout=LONG)
    assert (process.returncode, stderr) == (3, b"")
    assert b"the job's own identity got no token: see the AZURE_ settings, or sign in with az login" in stdout


def test_without_typer_and_rich_it_says_how_to_install_them_in_one_line() -> None:
    missing = "import runpy, sys; sys.modules['typer'] = None; runpy.run_module('rotation', run_name='__main__')"
    ended = subprocess.run([sys.executable, "-c", missing], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "The command line needs typer, which is not installed: "
        "python -m pip install --require-hashes -r requirements-dev.txt\n"
    )
