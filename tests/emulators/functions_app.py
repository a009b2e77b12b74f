"""A small application with a function of each kind, for the tests of the Functions host."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

APP = """
import asyncio
import contextvars
import functools
import json
import logging
import threading
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
fired = []
met = threading.Barrier(2, timeout=60)
slow_is_running = threading.Event()

@app.timer_trigger(schedule="%TICK%", arg_name="timer", run_on_startup=False, use_monitor=True)
def tick(timer: func.TimerRequest) -> None:
    fired.append(timer.past_due)

@app.timer_trigger(schedule="0 0 3 * * *", arg_name="timer")
def broken(timer: func.TimerRequest) -> None:
    raise LookupError("contoso: no such vault")

@app.route(route="echo", methods=["POST"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {"body": req.get_body().decode(), "query": dict(req.params), "tenant": req.headers.get("X-Tenant")}
    headers = {"Retry-After": "7"}
    return func.HttpResponse(json.dumps(seen), status_code=202, mimetype="application/json", headers=headers)

@app.route(route="fired", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def history(req: func.HttpRequest) -> str:
    return json.dumps(fired)

@app.route(route="items/{name}", methods=["GET"])
def item(req: func.HttpRequest) -> str:
    return req.route_params["name"]

@app.route(route="raise", methods=["GET"])
def failing(req: func.HttpRequest) -> func.HttpResponse:
    raise LookupError("contoso: no such vault")

@app.route(route="meet")
def meet(req: func.HttpRequest) -> str:
    met.wait()
    return "met"

@app.route(route="slow")
async def slow(req: func.HttpRequest) -> str:
    slow_is_running.set()
    await asyncio.sleep(0.02)
    return "slow"

@app.route(route="thread")
def thread(req: func.HttpRequest) -> str:
    return threading.current_thread().name

@app.route(route="say")
def say(req: func.HttpRequest) -> str:
    say = functools.partial(logging.getLogger("contoso").log, int(req.params["level"]))
    say("said")
    in_context = functools.partial(contextvars.copy_context().run, say, "said in a thread that has the context")
    for target in (functools.partial(say, "said in a thread without it"), in_context):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    logging.getLogger("azure.functions").error("said to the platform")
    return "said"

@app.route(route="root", auth_level=func.AuthLevel.ADMIN)
def root(req: func.HttpRequest) -> str:
    return "root"
"""


def write_app(folder: Path, source: str = APP) -> Path:
    (folder / "function_app.py").write_text(dedent(source), encoding="utf-8")
    return folder
