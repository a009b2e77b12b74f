"""The HTTP door: from a request's body to a status and a JSON body. Knows nothing of Azure Functions.

Errors are problem documents (RFC 9457). Keys, routes and methods are the host's; `function_app.py` names them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from rotation.asked_for import AmbiguousTokenError, UnknownTokenError
from rotation.plan import RunRequest
from rotation.ports import LeaseHolder
from rotation.report import Trigger
from rotation.run import EveryVaultLeasedError
from rotation.settings import SettingsError
from rotation.token import timestamp
from rotation.wiring import Application, application

_logger = logging.getLogger(__name__)

_LONGEST_BODY_BYTES = 64 * 1024
_RETRY_AFTER_SECONDS = 30  # a holder that died has lost its lease by then
_EVERY = object()  # the field is left out; a null is a mistake, and must not mean every token
_FLAGS = {"force": "force", "dry_run": "dry_run", "all": "list_all"}


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back: a status, a JSON object, and the headers beside the content type."""

    status: HTTPStatus
    body: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        """Of RFC 9457 for an error, JSON otherwise."""
        return "application/problem+json" if self.status >= HTTPStatus.BAD_REQUEST else "application/json"

    def text(self) -> str:
        """The body as it is sent."""
        return json.dumps(self.body)


class BadRequestError(Exception):
    """The body does not say what to do; the text says where and what is expected."""


def rotate(body: bytes, environ: Mapping[str, str], *, now: datetime, trace_parent: str = "") -> Response:
    """`POST /api/rotate`: 200 with the run report whenever the run was carried out, else a problem document.

    `trace_parent` is the invocation's, as W3C Trace Context writes it: telemetry goes under it.
    """
    if len(body) > _LONGEST_BODY_BYTES:
        return _problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is longer than 64 KiB: ask for fewer tokens at once"
        )
    try:
        request = parse_request(body)
    except BadRequestError as error:
        return _problem(HTTPStatus.BAD_REQUEST, str(error))
    return _answered(environ, lambda app: app.rotate(request, now=now, trace_parent=trace_parent).to_json())


def status(environ: Mapping[str, str], *, now: datetime) -> Response:
    """`GET /api/status`: how every managed token and client credential is."""
    return _answered(environ, lambda app: app.status(now=now).to_json())


def parse_request(body: bytes) -> RunRequest:
    """Read the body of `POST /api/rotate`; an empty one asks for a full run. Raises BadRequestError."""
    try:
        asked = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadRequestError("the body is not JSON") from error
    if not isinstance(asked, dict):
        raise BadRequestError('the body is not a JSON object such as {"tokens": ["contoso"]}')
    unknown = sorted(set(asked) - {"tokens", *_FLAGS})
    if unknown:
        raise BadRequestError(f"unknown fields: {', '.join(unknown)}; known are tokens, {', '.join(_FLAGS)}")
    flags = {}
    for name, option in _FLAGS.items():
        flags[option] = asked.get(name, False)
        if not isinstance(flags[option], bool):
            raise BadRequestError(f"{name} must be true or false")
    return RunRequest(trigger=Trigger.HTTP, tokens=_tokens(asked.get("tokens", _EVERY)), **flags)


def _tokens(asked: object) -> tuple[str, ...]:
    if asked is _EVERY:
        return ()
    if not isinstance(asked, list) or not asked:
        raise BadRequestError("tokens must be a list of names or secret ids; leave it out to ask for every token")
    for position, name in enumerate(asked):
        if not isinstance(name, str) or not name.strip():
            raise BadRequestError(f"tokens[{position}] must be a name or a secret id")
    return tuple(asked)


def _answered(environ: Mapping[str, str], work: Callable[[Application], Mapping[str, object]]) -> Response:
    try:
        with application(environ) as app:
            return Response(HTTPStatus.OK, work(app))
    except SettingsError as error:
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the app settings cannot be used", faults=error.faults)
    except UnknownTokenError as error:
        return _problem(HTTPStatus.NOT_FOUND, str(error), tokens=error.names)
    except AmbiguousTokenError as error:
        return _problem(HTTPStatus.BAD_REQUEST, str(error), candidates=error.candidates)
    except EveryVaultLeasedError as error:
        busy = _problem(HTTPStatus.CONFLICT, str(error), **_told(error.holder))
        return Response(busy.status, busy.body, {"Retry-After": str(_RETRY_AFTER_SECONDS)})
    except Exception as fault:  # noqa: BLE001 - the last line of defence; its text may hold anything
        _logger.error("rotation.fault %s", type(fault).__name__)  # noqa: TRY400 - nor a traceback of it
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"a fault of this program ({type(fault).__name__})")


def _told(holder: LeaseHolder | None) -> dict[str, object]:
    if holder is None:
        return {}
    return {"run_id": holder.run_id, "door": holder.door, "since": timestamp(holder.since)}


def _problem(status: HTTPStatus, detail: str, **more: object) -> Response:
    return Response(status, {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, **more})
