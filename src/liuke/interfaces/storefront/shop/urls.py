"""Addresses of the shop."""

from django.urls import path, re_path

from liuke.interfaces.storefront.pages import nothing_here
from liuke.interfaces.storefront.shop import home, keys, orders, paying, product, sheet, wallet

app_name = "shop"

_ORDER = "orders/<str:reference>/"
_LINK = "g/<str:token>/"
_LINE = "lines/<int:line>/"
_KEY = f"{_LINE}keys/<int:seq>/"


urlpatterns = [
    path("", home.home, name="home"),
    path("look/", home.look, name="look"),
    path("p/<str:reference>/", product.product, name="product"),
    path("p/<str:reference>/buy/", sheet.buy, name="buy"),
    path("p/<str:reference>/follow/", product.follow_product, name="follow"),
    path("v/<str:reference>/tell/", product.tell_when_back, name="tell"),
    path("orders/", orders.orders, name="orders"),
    path(_ORDER, orders.order, name="order"),
    path(f"{_ORDER}pay/", paying.pay, name="pay"),
    path(f"{_ORDER}check/", paying.check, name="check"),
    path(f"{_ORDER}cancel/", paying.cancel, name="cancel"),
    path(f"{_ORDER}{_LINE}accept/", keys.accept, name="accept"),
    path(f"{_ORDER}{_LINE}reject/", keys.reject, name="reject"),
    path(f"{_ORDER}{_KEY}show/", keys.show, name="show"),
    path(f"{_ORDER}{_KEY}tried/", keys.tried, name="tried"),
    path(f"{_ORDER}{_KEY}history/", keys.history, name="history"),
    path(_LINK, orders.order, name="link"),
    path(f"{_LINK}pay/", paying.pay, name="link_pay"),
    path(f"{_LINK}check/", paying.check, name="link_check"),
    path(f"{_LINK}claim/", orders.claim, name="claim"),
    path(f"{_LINK}{_LINE}accept/", keys.accept, name="link_accept"),
    path(f"{_LINK}{_LINE}reject/", keys.reject, name="link_reject"),
    path(f"{_LINK}{_KEY}show/", keys.show, name="link_show"),
    path(f"{_LINK}{_KEY}tried/", keys.tried, name="link_tried"),
    path(f"{_LINK}{_KEY}history/", keys.history, name="link_history"),
    path("keys/", keys.keys, name="keys"),
    path("wallet/", wallet.wallet, name="wallet"),
    path("followed/", product.followed, name="followed"),
    re_path(r"^(?P<rest>.+)/$", nothing_here, name="nothing"),
]
