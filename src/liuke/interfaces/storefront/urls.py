"""Addresses of the member side. `ours` is the only way to what is somebody's own."""

from django.shortcuts import render
from django.urls import path, re_path

from liuke.interfaces.storefront import (
    door,
    home,
    inbox,
    notify,
    optout,
    own_data,
    preferences,
    privacy,
    why,
)
from liuke.interfaces.storefront.pages import nothing_here, ours
from liuke.interfaces.storefront.shop import paying

app_name = "storefront"

urlpatterns = [
    path("me/", ours(home.home), name="home"),
    path("me/inbox/", ours(inbox.inbox), name="inbox"),
    path("me/inbox/<str:reference>/", ours(inbox.message), name="message"),
    path("me/why/<str:reference>/", ours(why.why), name="why"),
    path("me/contacts/", ours(home.contacts), name="contacts"),
    path("me/preferences/", ours(preferences.preferences), name="preferences"),
    path("me/preferences/quiet/", ours(preferences.quiet), name="quiet"),
    path("me/preferences/zone/", ours(preferences.zone), name="zone"),
    path("me/preferences/email/", ours(own_data.email), name="email"),
    path("me/preferences/birthday/", ours(own_data.birthday), name="birthday"),
    path("me/preferences/consents/", ours(preferences.consents), name="consents"),
    path("me/preferences/file/", ours(own_data.own_file), name="own_file"),
    path("me/preferences/erase/", ours(own_data.erase), name="erase"),
    path("me/gone/", render, {"template_name": "shop/gone.html"}, name="gone"),
    path("me/privacy/", privacy.privacy, name="privacy"),
    path("me/login/", door.login, name="login"),
    path("me/login/code/", door.code, name="code"),
    path("me/logout/", door.logout, name="logout"),
    re_path(r"^me/(?P<rest>.+)/$", nothing_here, name="nothing"),
    path("pay/notify/<slug:gateway>/", notify.notify, name="notify"),
    path("pay/back/<str:reference>/", paying.back, name="back"),
    path("u/<str:token>", optout.opt_out, name="opt_out"),
    path("u/<str:token>/undo", optout.undo, name="undo"),
]
