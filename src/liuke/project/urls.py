"""Every address of the site."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import include, path

from liuke.catalog.queries import has_something_on_offer
from liuke.interfaces.console.overview import overview
from liuke.interfaces.console.urls import ours


def healthz(_request: HttpRequest) -> HttpResponse:
    """For the supervisor: this process answers."""
    return HttpResponse("ok", content_type="text/plain")


def front(request: HttpRequest) -> HttpResponseBase:
    """The shop, once it has something to sell; the console, for staff who are signed in and before there is a shop."""
    is_staff = getattr(request.user, "is_staff", False)
    if not is_staff and has_something_on_offer():
        return redirect("shop:home")
    return ours(overview)(request)


urlpatterns = [
    path("", front, name="front"),
    path("healthz", healthz),
    path("i18n/", include("django.conf.urls.i18n")),
    path("shop/", include("liuke.interfaces.storefront.shop.urls")),
    path("", include("liuke.interfaces.storefront.urls")),
    path("merchant/", include("liuke.interfaces.merchant.urls")),
    path("", include("liuke.interfaces.console.urls")),
]
