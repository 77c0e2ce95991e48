"""Import by dropping a file: keep it, say what is in it, watch it being read, see what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.analytics import queries
from liuke.analytics.actions.uploads import (
    UploadLook,
    drop_upload,
    look_at_upload,
    start_upload,
    take_upload,
)
from liuke.analytics.errors import (
    CurrencyChanged,
    DateOrderUnclear,
    UnknownCurrency,
    UnknownTimeZone,
    UploadTooLarge,
    UploadUnderWay,
)
from liuke.analytics.models import Import, Source, Upload
from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.interfaces.console.errors import NothingChosen
from liuke.interfaces.console.filters import address
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.console.upload_form import UploadForm
from liuke.interfaces.ui.refusals import status_of

IMPORTS_SHOWN = 30
UPLOADS_SHOWN = 10
WAITS_LONG_SECONDS = 45
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Reading:
    """How far an upload is: `step` is waiting, reading, evaluating, done or refused; `share` goes from 0 to 1."""

    upload: Upload
    step: str
    share: float
    is_slow: bool
    bad_lines: list[queries.BadLineRow]

    @property
    def width(self) -> int:
        """The bar, out of 1000."""
        return round(self.share * 1000)


@require_GET
def imports(request: HttpRequest) -> HttpResponse:
    """Where files are dropped, and what was imported so far."""
    context = {
        "frame": frame_of(request, "imports"),
        "open": [one for one in queries.uploads(UPLOADS_SHOWN) if one.state != "done"],
        "past": _past(queries.sources()),
    }
    return render(request, "console/imports.html", context)


@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """Keep a dropped file and go on to its page. The script, which sends it to see how far it is, gets the address."""
    try:
        to = reverse("console:upload", args=[_kept(request).reference])
    except Refusal as refusal:
        messages.error(request, str(refusal))
        to = reverse("console:imports")
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return HttpResponse(to, content_type="text/plain")
    return redirect(to)


@require_GET
def upload(request: HttpRequest, reference: str) -> HttpResponse:
    """A file that was dropped: what is in it, or how far its import is.

    Raises:
        UnknownUpload: none has this reference.
    """
    found = queries.upload_named(reference)
    if found.state != "dropped":
        context = {"frame": frame_of(request, "imports"), "reading": reading_of(found)}
        return render(request, "console/upload_reading.html", context)
    look = look_at_upload(reference=reference)
    return _ask(request, look, UploadForm.guessed(look, queries.sources()))


@require_POST
def start(request: HttpRequest, reference: str) -> HttpResponse:
    """Have it imported. What is refused is said beside its field; a second click finds what the first one began.

    Raises:
        UnknownUpload: none has this reference.
    """
    found = queries.upload_named(reference)
    if found.state != "dropped":
        return redirect("console:upload", reference)
    form = UploadForm.sent(request.POST, queries.sources())
    try:
        start_upload(
            reference=reference,
            mapping=form.columns,
            options=form.options(),
            source_key=form.source_key(taken=_keys()),
            title=form.title,
            by=login_of(request),
        )
    except UploadUnderWay:
        return redirect("console:upload", reference)
    except Refusal as refusal:
        form.wrong[_field_of(refusal)] = str(refusal)
        look = look_at_upload(reference=reference)
        return _ask(request, look, form, status=status_of(refusal))
    return redirect("console:upload", reference)


@require_GET
def progress(request: HttpRequest, reference: str) -> HttpResponse:
    """How far it is, as the part of a page that changes: asked for each second.

    Raises:
        UnknownUpload: none has this reference.
    """
    reading = reading_of(queries.upload_named(reference))
    return render(request, "console/upload_progress.html", {"reading": reading})


@require_POST
def discard(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Throw a dropped file away.

    Raises:
        UnknownUpload: none has this reference.
    """
    attempt(
        request,
        lambda: drop_upload(reference=reference, by=login_of(request)),
        gettext("The file is deleted."),
    )
    return redirect("console:imports")


def reading_of(found: Upload) -> Reading:
    """An upload as its page draws it."""
    step = {"queued": "waiting", "reading": "reading"}.get(found.state, found.state)
    if step == "reading" and found.result_id is not None:
        step = "evaluating"
    waited = clock.now() - (found.started_at or found.made_at)
    return Reading(
        upload=found,
        step=step,
        share=min(found.done / found.whole, 1.0) if found.whole else 0.0,
        is_slow=step == "waiting" and waited.total_seconds() > WAITS_LONG_SECONDS,
        bad_lines=queries.bad_lines(found),
    )


def _kept(request: HttpRequest) -> Upload:
    """The file of the form, stored; its size is bounded while it arrives, so too large a one is not here at all."""
    file = request.FILES.get("file")
    if file is not None:
        return take_upload(file=file, file_name=file.name or "", by=login_of(request))
    sent = request.META.get("CONTENT_LENGTH") or "0"
    if int(sent) > settings.LIUKE_UPLOAD_MB * _MEGABYTE:
        raise UploadTooLarge(mb=settings.LIUKE_UPLOAD_MB)
    raise NothingChosen


def _ask(
    request: HttpRequest, look: UploadLook, form: UploadForm, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "frame": frame_of(request, "imports"),
        "look": look,
        "form": form,
        "roles": form.roles(look),
        "heads": form.heads(look),
        "date_orders": form.date_orders(look),
    }
    return render(request, "console/upload.html", context, status=status)


def _field_of(refusal: Refusal) -> str:
    if isinstance(refusal, CurrencyChanged | UnknownCurrency):
        return "currency"
    if isinstance(refusal, UnknownTimeZone):
        return "timezone"
    return "date_order" if isinstance(refusal, DateOrderUnclear) else ""


def _keys() -> set[str]:
    """The keys of sources that are there or on their way."""
    on_their_way = (one.source_key for one in queries.uploads(UPLOADS_SHOWN))
    return {*(source.key for source in queries.sources()), *on_their_way}


def _past(sources: Iterable[Source]) -> list[tuple[Import, str]]:
    """The latest imports of every source, from the page and from the command line, each with its overview."""
    several = list(sources)
    found = [
        (one, address("console:overview", source=source.key if len(several) > 1 else ""))
        for source in several
        for one in queries.imports_of(source)[:IMPORTS_SHOWN]
    ]
    return sorted(found, key=lambda one: -one[0].pk)[:IMPORTS_SHOWN]
