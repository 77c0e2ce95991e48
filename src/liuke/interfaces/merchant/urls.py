"""Addresses of merchants. `ours` is the only way to what is somebody's own; foreign references are unknown."""

from django.urls import path

from liuke.interfaces.merchant import door, goods, orders
from liuke.interfaces.merchant.sessions import ours

app_name = "merchant"

urlpatterns = [
    path("", ours(goods.products), name="products"),
    path("login/", door.login, name="login"),
    path("login/code/", door.second_factor, name="second_factor"),
    path("login/authenticator/", door.authenticator, name="authenticator"),
    path("logout/", door.logout, name="logout"),
    path("account/", ours(door.account), name="account"),
    path("account/password/", ours(door.password), name="password"),
    path("orders/", ours(orders.orders), name="orders"),
    path("orders/<str:number>/", ours(orders.order), name="order"),
    path("orders/<str:number>/grant/", ours(orders.grant), name="grant"),
    path("orders/<str:number>/lines/<int:line>/deliver/", ours(orders.deliver), name="deliver"),
    path("orders/<str:number>/lines/<int:line>/secrets/", ours(orders.secrets), name="secrets"),
    path("products/<str:reference>/", ours(goods.product), name="product"),
    path("variants/<str:reference>/stock/", ours(goods.stock), name="add_stock"),
    path("variants/<str:reference>/keys/", ours(goods.card_keys), name="card_keys"),
    path("variants/<str:reference>/keys/take/", ours(goods.take), name="take_keys"),
    path("variants/<str:reference>/keys/reveal/", ours(goods.reveal), name="reveal_key"),
    path("variants/<str:reference>/keys/end/", ours(goods.end), name="end_key"),
    path("batches/<str:reference>/end/", ours(goods.end_batch), name="end_batch"),
]
