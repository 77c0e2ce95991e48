"""In and out: password, second factor, signing out, and how the room is lit."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from liuke.base.errors import Refusal
from liuke.interfaces.console import halfway
from liuke.interfaces.ui.context import THEMES
from liuke.interfaces.ui.refusals import status_of
from liuke.people.actions import begin_totp, check_second_factor, confirm_totp
from liuke.people.models import Login
from liuke.people.queries import recovery_codes_left

_YEAR = 365 * 24 * 3600
FEW_CODES = 3


class Entrance(LoginView):
    """Name and password; too many wrong ones lock the name from that address (django-axes)."""

    template_name = "console/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in, or go half way to whoever has or needs a second factor."""
        login = form.get_user()
        if login.totp_since is not None:
            halfway.begin(self.request, login, self.get_success_url())
            return redirect("console:second_factor")
        if halfway.lacks_authenticator(login):
            halfway.begin(self.request, login, self.get_success_url())
            return redirect("console:authenticator")
        return super().form_valid(form)


class Logout(LogoutView):
    """By POST only; then back to the door."""

    next_page = "console:login"
    http_method_names = ["post"]


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """A code of the authenticator, or a recovery code; then they are in."""
    login = halfway.who(request)
    if login is None:
        return redirect("console:login")
    if login.totp_since is None:  # dropped a moment ago
        return redirect("console:authenticator")
    if request.method == "GET":
        return render(request, "console/second_factor.html", {"name": login.name})
    try:
        check_second_factor(login=login, code=request.POST.get("code", ""))
    except Refusal as refusal:
        told = {"name": login.name, "refusal": refusal}
        return render(request, "console/second_factor.html", told, status=status_of(refusal))
    back = halfway.finish(request, login)
    _warn_of_few_codes(request, login)
    return HttpResponseRedirect(back)


@never_cache
@require_http_methods(["GET", "POST"])
def authenticator(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator: on the way in for who must have one, from the account page for who wants one."""
    inside = request.user if isinstance(request.user, Login) else None
    login = inside or halfway.who(request)
    if login is None:
        return redirect("console:login")
    if login.totp_since is not None:
        return redirect("console:account" if inside else "console:second_factor")
    told = {"name": login.name, "has_to": halfway.lacks_authenticator(login), "is_inside": inside}
    if request.method == "GET":
        return render(
            request, "console/authenticator.html", {**told, "setup": begin_totp(login=login)}
        )
    try:
        codes = confirm_totp(login=login, code=request.POST.get("code", ""))
    except Refusal as refusal:
        told |= {"setup": begin_totp(login=login), "refusal": refusal}
        return render(request, "console/authenticator.html", told, status=status_of(refusal))
    back = reverse("console:account") if inside else halfway.finish(request, login)
    told = {"codes": codes, "back": back, "name": login.name, "is_new": True}
    return render(request, "console/recovery_codes.html", told)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark: what the script does without a reload, for browsers without it."""
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    response = HttpResponseRedirect(back if is_ours else reverse("console:overview"))
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie(
            "theme", chosen, max_age=_YEAR, samesite="Lax", secure=request.is_secure()
        )
    return response


def _warn_of_few_codes(request: HttpRequest, login: Login) -> None:
    left = recovery_codes_left(login)
    if left <= FEW_CODES:
        says = ngettext(
            "You have %(n)s recovery code left. Make new ones on your account page.",
            "You have %(n)s recovery codes left. Make new ones on your account page.",
            left,
        )
        messages.warning(request, says % {"n": left})
