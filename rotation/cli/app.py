"""The command line's common frame: the commands, and how each error becomes a message and an exit code.

An operator never sees a traceback: what a fault of the program holds in its text or its frames may be anything. What
a command does is in its own file.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import typer

from rotation.asked_for import AmbiguousTokenError, UnknownTokenError
from rotation.cli import output
from rotation.cli.exit_code import ExitCode
from rotation.cli.rotate import rotate
from rotation.cli.status import status
from rotation.run import EveryVaultLeasedError
from rotation.settings import SettingsError

_EXIT_CODES = """\b
Exit codes:
    0  all well
    1  there are problems, or something failed or was left over
    2  the command or the settings cannot be used
    3  a vault cannot be reached, or does not let the job in
    4  another run is under way
   70  a fault of this program
  130  interrupted; a second Ctrl-C stops at once
"""


def ending_well[**P](command: Callable[P, ExitCode]) -> Callable[P, None]:
    """A command that ends with an exit code whatever happens, and says in words of ours what did."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        output.prepare()
        try:
            code = command(*args, **kwargs)
        except (typer.TyperException, BrokenPipeError):  # usage, and a reader that went away: typer knows both
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last line of defence
            code, lines = _explained(error)
            output.say(lines)
        raise typer.Exit(code)

    return run


def _explained(error: BaseException) -> tuple[ExitCode, list[str]]:
    match error:
        case SettingsError():
            return ExitCode.USAGE, ["The settings cannot be used; nothing was contacted:", *error.faults]
        case AmbiguousTokenError():
            return ExitCode.USAGE, ["Several vaults have a token of this name; ask for one of:", *error.candidates]
        case UnknownTokenError():
            return ExitCode.USAGE, [f"There is {error}"]
        case EveryVaultLeasedError():
            return ExitCode.BUSY, [f"Nothing was done: {error}"]
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED, ["Stopped at once; the stored tokens are good: run the command again to go on"]
        case _:
            return ExitCode.FAULT, [f"A fault of this program ({type(error).__name__}): please report it"]


app = typer.Typer(
    name="rotation",
    help="Keep the refresh tokens in Azure Key Vault alive. The settings are environment variables.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain text: a name in an error message is no markup
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,  # they are secrets
)
for _command in (rotate, status):
    app.command(epilog=_EXIT_CODES)(ending_well(_command))
