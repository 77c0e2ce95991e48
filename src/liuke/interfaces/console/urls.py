"""Addresses of the console. `ours` is the only way in: signed in, and refusals told as pages."""

from django.contrib.auth.decorators import login_required
from django.urls import path

from liuke.interfaces.console.door import Login, Logout, theme
from liuke.interfaces.console.member import member
from liuke.interfaces.console.members import members
from liuke.interfaces.console.overview import download_report, overview
from liuke.interfaces.ui.refusals import View, refusals_as_pages

app_name = "console"


def ours(view: View) -> View:
    """For people who are signed in."""
    return login_required(refusals_as_pages(view))


urlpatterns = [
    path("", ours(overview), name="overview"),
    path("members/", ours(members), name="members"),
    path("members/<str:reference>/", ours(member), name="member"),
    path("report/", ours(download_report), name="report"),
    path("login/", Login.as_view(), name="login"),
    path("logout/", Logout.as_view(), name="logout"),
    path("theme/", theme, name="theme"),
]
