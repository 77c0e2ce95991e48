"""What runs under the supervisor: the web server, and the worker with its dispatcher thread."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from liuke.project.supervisor import die_with_parent

WEB_THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)  # at most what the connection pool holds
JOBS_AT_ONCE = 2
POLL_SECONDS = 5.0
GRACE_SECONDS = 2.5
LAST_SECONDS = 4.0

log = logging.getLogger(__name__)
RunForever = Callable[[threading.Event], None]


def web(host: str, port: int) -> None:
    """Pages and streams on one port: one process, pages in threads; a second one would cost its memory again."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liuke.project.settings")
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.log import LogLevels

    Granian(
        "liuke.project.asgi:application",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        workers=1,
        backlog=512,
        workers_kill_timeout=3,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=_Loader(os.getpid()))


class _Loader:
    """Runs in granian's own child: tie its life to its parent's, then load the application."""

    def __init__(self, parent: int) -> None:
        self.parent = parent

    def __call__(self, _target: str) -> Any:
        die_with_parent(self.parent)
        from liuke.project.asgi import application

        return application


class Stop:
    """When to end, and whether somebody asked for it or a part died."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.by_signal = False

    def listen(self) -> None:
        """Until the jobs run there is nothing to finish: leave at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._leave())

    def ask(self) -> None:
        """A signal came: finish within the grace, or be ended. Jobs and reactions are safe to run again."""
        self.by_signal = True
        self.event.set()
        last = threading.Timer(LAST_SECONDS, os._exit, [0])
        last.daemon = True
        last.start()

    def _leave(self) -> None:
        self.by_signal = True
        raise SystemExit(0)


def worker(stop: Stop) -> int:
    """Jobs and reactions until told to stop. Not 0 when a part died: then somebody has to start it again.

    Django is set up and the database there (`startup.ready`).
    """
    from liuke.base.garbage import search_rarely
    from liuke.events.dispatcher import run_forever

    search_rarely()
    return run_beside(run_forever, run_jobs, stop)


def run_beside(run_forever: RunForever, jobs: Callable[[Stop], None], stop: Stop) -> int:
    """The dispatcher in a thread, the jobs in front; when one ends the other is stopped."""
    died = threading.Event()

    def dispatch() -> None:
        try:
            run_forever(stop.event)
        except BaseException:
            log.exception("The dispatcher of reactions died")
        finally:
            if not stop.event.is_set():
                died.set()
            stop.event.set()

    thread = threading.Thread(target=dispatch, name="dispatcher", daemon=True)
    thread.start()
    try:
        jobs(stop)
    except SystemExit:
        pass
    except Exception:
        log.exception("The worker of jobs died")
        died.set()
    stop.event.set()
    thread.join(GRACE_SECONDS)
    return 0 if stop.by_signal and not died.is_set() else 1


def run_jobs(stop: Stop) -> None:
    """Procrastinate's worker, until `stop` is set, a signal comes, or the database goes away."""
    from procrastinate import PsycopgConnector
    from procrastinate.contrib.django import app
    from procrastinate.contrib.django.utils import connector_params

    # Its own pool would open four connections at once and keep them.
    connector = PsycopgConnector(
        kwargs=connector_params(), min_size=1, max_size=JOBS_AT_ONCE + 2, max_idle=60
    )

    async def main() -> None:
        with app.replace_connector(connector) as working:
            async with working.open_async():
                await _until(stop, working)

    asyncio.run(main())


async def _until(stop: Stop, working: Any) -> None:
    job = asyncio.create_task(
        working.run_worker_async(
            concurrency=JOBS_AT_ONCE,
            listen_notify=True,
            fetch_job_polling_interval=POLL_SECONDS,
            shutdown_graceful_timeout=GRACE_SECONDS,
            install_signal_handlers=False,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.ask)
    told = asyncio.Event()
    job.add_done_callback(lambda _: told.set())
    watcher = threading.Thread(
        target=_pass_on, args=(stop.event, loop, told.set), name="stop-watch", daemon=True
    )
    watcher.start()
    await told.wait()
    job.cancel()  # procrastinate takes this as: finish what runs, take nothing new
    with contextlib.suppress(asyncio.CancelledError):
        await job


def _pass_on(
    event: threading.Event, loop: asyncio.AbstractEventLoop, function: Callable[[], None]
) -> None:
    """From a thread's event to the loop's, unless the loop has gone."""
    event.wait()
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(function)


if __name__ == "__main__" and sys.argv[1:2] == ["web"]:
    web(sys.argv[2], int(sys.argv[3]))
