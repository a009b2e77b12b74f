"""`python -m rotation`: starts the command line, or says in a line what it needs. What it does is in `rotation.cli`."""

from __future__ import annotations

import sys

_INSTALL = "python -m pip install --require-hashes -r requirements-dev.txt"
_PYTHON = (3, 13)


def main() -> int:
    """Run the command line, which ends the process itself; what is returned is for when it cannot be loaded."""
    if sys.version_info[:2] != _PYTHON:
        return _told(
            2, f"Python 3.13 is needed, and this is {sys.version.split()[0]}; after make it is .venv/bin/python"
        )
    try:
        from rotation.cli.app import app  # noqa: PLC0415 - only here can its absence be told in a line
    except ModuleNotFoundError as error:
        return _told(2, f"The command line needs {error.name}, which is not installed: {_INSTALL}")
    except KeyboardInterrupt:
        return _told(130, "Interrupted")
    app()
    return 0


def _told(code: int, message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201 - a command prints
    return code


if __name__ == "__main__":
    sys.exit(main())
