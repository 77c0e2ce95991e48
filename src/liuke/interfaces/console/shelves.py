"""What holds for the whole catalog: the scenes, and how many card keys one login may see."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.catalog import queries
from liuke.catalog.actions import save_scene, set_reveals
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.telling import attempt, login_of


@require_GET
def shelves(request: HttpRequest) -> HttpResponse:
    """The scenes in their order, and the limit."""
    context = {
        "frame": frame_of(request, "products"),
        "scenes": queries.scenes(),
        "policy": queries.policy(),
        "twice": queries.sold_by_two(),
    }
    return render(request, "console/shelves.html", context)


@require_POST
def scene(request: HttpRequest) -> HttpResponseRedirect:
    """Add a scene or change one."""
    given = request.POST
    position = _whole(given.get("position", ""))
    attempt(
        request,
        lambda: save_scene(
            key=given.get("key", "").strip(),
            name_zh=given.get("name_zh", ""),
            name_en=given.get("name_en", ""),
            position=position,
            by=login_of(request),
        ),
        gettext("Saved."),
    )
    return redirect("console:shelves")


@require_POST
def reveals(request: HttpRequest) -> HttpResponseRedirect:
    """How many card keys one login may see in an hour."""
    most = _whole(request.POST.get("reveals", ""))
    attempt(
        request,
        lambda: set_reveals(reveals_an_hour=most, by=login_of(request)),
        gettext("Saved."),
    )
    return redirect("console:shelves")


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
