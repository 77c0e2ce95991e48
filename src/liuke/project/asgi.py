"""One port: streams and beacons are answered in asyncio, every page by Django in a thread."""

from __future__ import annotations

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from liuke.base.garbage import search_rarely
from liuke.project.bridge import Pages
from liuke.project.processes import WEB_THREADS
from liuke.project.wsgi import application as pages

_pages = Pages(pages, WEB_THREADS)


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """What the server calls for each request."""
    if scope["type"] == "lifespan":
        return await _live(receive, send)
    if scope["type"] != "http":
        raise ValueError("pages and streams are plain HTTP")
    if scope["path"].startswith("/live/"):
        from liuke.project.streams import streams  # needs Django's models, which wsgi has loaded

        await streams(scope, receive, send)
    elif scope["path"] == "/behaviour/":
        from liuke.project.beacons import beacons

        await beacons(scope, receive, send)
    else:
        await _pages(scope, receive, send)
    return None


async def _live(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """From the start of the process to its end: what browsers told is written before it goes."""
    from liuke.project.beacons import beacons

    await receive()
    search_rarely()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await beacons.close()
    await send({"type": "lifespan.shutdown.complete"})
