"""Addresses of the shop."""

from django.urls import path, re_path

from liuke.interfaces.storefront.pages import nothing_here
from liuke.interfaces.storefront.shop import home, keys, orders, paying, product, sheet, wallet

app_name = "shop"

_ORDER = "orders/<str:reference>/"
_LINE = f"{_ORDER}lines/<int:line>/"
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
    path(f"{_LINE}accept/", keys.accept, name="accept"),
    path(f"{_LINE}reject/", keys.reject, name="reject"),
    path(f"{_KEY}show/", keys.show, name="show"),
    path(f"{_KEY}tried/", keys.tried, name="tried"),
    path(f"{_KEY}history/", keys.history, name="history"),
    path("keys/", keys.keys, name="keys"),
    path("wallet/", wallet.wallet, name="wallet"),
    path("followed/", product.followed, name="followed"),
    re_path(r"^(?P<rest>.+)/$", nothing_here, name="nothing"),
]
