"""In and out: signing in, signing out, and how the room is lit."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from liuke.interfaces.ui.context import THEMES

_YEAR = 365 * 24 * 3600


class Login(LoginView):
    """Name and password; too many wrong ones lock the name from that address (django-axes)."""

    template_name = "console/login.html"
    redirect_authenticated_user = True


class Logout(LogoutView):
    """By POST only; then back to the door."""

    next_page = "console:login"
    http_method_names = ["post"]


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
