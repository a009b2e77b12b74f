"""The triggers, and nothing else: one timer and two HTTP routes, each one call into `rotation`."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import azure.functions as func

from rotation import timer, web, worker_log

worker_log.set_levels()

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.timer_trigger(schedule="%ROTATION_SCHEDULE%", arg_name="mytimer", run_on_startup=False, use_monitor=True)
def rotate_on_schedule(mytimer: func.TimerRequest, context: func.Context) -> None:
    """Carry out a full run; a past-due one too, because the run that it makes up for is missing."""
    parent = context.trace_context.trace_parent
    timer.rotate(os.environ, now=datetime.now(UTC), past_due=mytimer.past_due, trace_parent=parent)


@app.route("rotate", methods=["POST"])
def rotate(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """`POST /api/rotate`."""
    parent = context.trace_context.trace_parent
    return _sent(web.rotate(req.get_body(), os.environ, now=datetime.now(UTC), trace_parent=parent))


@app.route("status", methods=["GET"])
def status(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs the parameter
    """`GET /api/status`."""
    return _sent(web.status(os.environ, now=datetime.now(UTC)))


def _sent(response: web.Response) -> func.HttpResponse:
    return func.HttpResponse(
        response.text(),
        status_code=response.status,
        headers=dict(response.headers),
        mimetype=response.content_type,
    )
