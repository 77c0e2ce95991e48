"""What we hold of a member: e-mail and birthday to change, everything to take along, and the way out."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.interfaces.storefront import pending, wording
from liuke.interfaces.storefront.devices import device_of, network_of, remember_device
from liuke.interfaces.storefront.errors import NotTheWord
from liuke.interfaces.storefront.sessions import MemberRequest, sign_out
from liuke.interfaces.ui.member_file import file_of
from liuke.interfaces.ui.refusals import status_of
from liuke.people import queries as people
from liuke.people.actions import (
    check_login_code,
    confirm_email,
    erase_member,
    remove_email,
    send_email_code,
    send_login_code,
    set_birthday,
)
from liuke.people.models import Member

_EMAIL = "email"
_MONTHS, _DAYS = range(1, 13), range(1, 32)


def email(request: MemberRequest) -> HttpResponse:
    """Add an address by the six digits sent there, or remove it."""
    if request.method != "POST":
        is_new = "new" in request.GET
        return _email_page(request, "" if is_new else pending.kept(request, _EMAIL))
    if "drop" in request.POST:
        remove_email(member=request.member)
        return _saved(request, gettext("The address is removed."))
    return _confirm(request) if "code" in request.POST else _send_to(request)


def birthday(request: MemberRequest) -> HttpResponse:
    """A day of the year, solar or lunar, or none."""
    member, refusal = request.member, None
    if request.method == "POST":
        try:
            _set_birthday(request)
        except Refusal as refused:
            refusal = refused
        else:
            return _saved(request, gettext("Saved."))
    context = {
        "calendar": request.POST.get("calendar") or member.birth_calendar,
        "month": _number(request, "month") or member.birth_month,
        "day": _number(request, "day") or member.birth_day,
        "months": _MONTHS,
        "days": _DAYS,
        "next_on": _next_birthday(member),
        "refusal": refusal,
    }
    return render(request, "shop/birthday.html", context, status=_status(refusal))


@require_safe
def own_file(request: MemberRequest) -> HttpResponse:
    """Everything every room knows, as one file to take along."""
    told = {"made_at": clock.now(), **file_of(request.member)}
    response = JsonResponse(told, json_dumps_params={"ensure_ascii": False, "indent": 1})
    name = f"my-data-{clock.today().isoformat()}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def erase(request: MemberRequest) -> HttpResponse:
    """Erase everything that names the member: a fresh code and a typed word, and no way back."""
    if request.method != "POST":
        return _erase_page(request, is_sent=False)
    phone, device = request.member.phone(), device_of(request)
    try:
        if "send" in request.POST:
            send_login_code(phone=phone, network=network_of(request), device=device)
        else:
            return _erase(request, phone, device)
    except Refusal as refusal:
        return _erase_page(request, is_sent="send" not in request.POST, refusal=refusal)
    response = _erase_page(request, is_sent=True)
    remember_device(response, device)
    return response


def _erase(request: MemberRequest, phone: str, device: str) -> HttpResponse:
    word = wording.erase_word()
    if request.POST.get("typed", "").strip().casefold() != word.casefold():
        raise NotTheWord(word=word)
    check_login_code(phone=phone, code=request.POST.get("code", ""), device=device)
    erase_member(member=request.member, by=None, basis="member")
    response = HttpResponseRedirect(reverse("storefront:gone"))
    sign_out(request, response)
    return response


def _erase_page(
    request: MemberRequest, *, is_sent: bool, refusal: Refusal | None = None
) -> HttpResponse:
    context = {
        "is_sent": is_sent,
        "masked": wording.masked(request.member.phone()),
        "word": wording.erase_word(),
        "code": request.POST.get("code", ""),
        "refusal": refusal,
    }
    return render(request, "shop/erase.html", context, status=_status(refusal))


def _send_to(request: MemberRequest) -> HttpResponse:
    address, device = request.POST.get("address", "").strip(), device_of(request)
    try:
        send_email_code(
            member=request.member, email=address, network=network_of(request), device=device
        )
    except Refusal as refusal:
        return _email_page(request, "", address=address, refusal=refusal)
    response = HttpResponseRedirect(reverse("storefront:email"))
    pending.keep(response, _EMAIL, address)
    remember_device(response, device)
    return response


def _confirm(request: MemberRequest) -> HttpResponse:
    sent_to = pending.kept(request, _EMAIL)
    try:
        confirm_email(member=request.member, email=sent_to, code=request.POST.get("code", ""))
    except Refusal as refusal:
        return _email_page(request, sent_to, refusal=refusal)
    response = _saved(request, gettext("The address is confirmed."))
    pending.drop(response, _EMAIL)
    return response


def _email_page(
    request: MemberRequest, sent_to: str, *, address: str = "", refusal: Refusal | None = None
) -> HttpResponse:
    member = request.member
    context = {
        "email": member.email() if member.email_confirmed_at else "",
        "is_sent": bool(sent_to),
        "address": sent_to or address,
        "refusal": refusal,
    }
    return render(request, "shop/email.html", context, status=_status(refusal))


def _set_birthday(request: MemberRequest) -> None:
    if "drop" in request.POST:
        return set_birthday(member=request.member, month=None, day=None, calendar="")
    return set_birthday(
        member=request.member,
        month=_number(request, "month"),
        day=_number(request, "day"),
        calendar=request.POST.get("calendar", ""),
    )


def _next_birthday(member: Member) -> dt.date | None:
    today = clock.today()
    kept = (people.birthday_on(member, year) for year in range(today.year - 1, today.year + 2))
    return next((day for day in kept if day is not None and day >= today), None)


def _number(request: MemberRequest, name: str) -> int:
    """What was chosen; 0 for nonsense, which no month or day is."""
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else 0


def _saved(request: MemberRequest, says: str) -> HttpResponse:
    messages.success(request, says)
    return HttpResponseRedirect(reverse("storefront:preferences"))


def _status(refusal: Refusal | None) -> int:
    return status_of(refusal) if refusal else 200
