"""Who may open what: one table over every address of the whole site, for reading and for doing.

Visitors: somebody unknown, the member whose things the addresses name, an agent, an operator, somebody who works for
the merchant whose things they name, somebody who works for another merchant, and another member. Rows of four leave
the last three out: to the console and the members' pages merchants are somebody unknown, and what is shown to a member
is shown to another. What a request does is undone after it, so that every one meets the same site.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from liuke.analytics.actions.segments import save_segment
from liuke.analytics.actions.uploads import take_upload
from liuke.base import clock, sms
from liuke.catalog.models import Variant
from liuke.engagement import queries
from liuke.engagement.actions.calls import take_call
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.send import send_due
from liuke.engagement.models import Call, Message
from liuke.merchants.models import Merchant
from liuke.orders.actions import join_as_guest, place_order
from liuke.orders.models import Order
from liuke.orders.queries import guest_token, is_guest, quote
from liuke.people.actions import open_login, set_active, set_role, set_totp_required
from liuke.people.models import Login, Member
from tests.catalog import make as catalog
from tests.delivery import make as delivery
from tests.engagement import make
from tests.interfaces.storefront.make import LI, WANG, member, sign_in
from tests.membership import make as membership
from tests.merchants import make as merchants
from tests.orders import make as orders
from tests.people.make import Phone

pytestmark = pytest.mark.django_db

WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)", re.IGNORECASE)
SECRET = "hunter2-CANARY"
QUESTIONS = [{"key": "password", "label": "密码", "kind": "secret"}]
DOOR, ME, MERCHANT = "staff's door", "members' door", "merchants' door"
# What a kind of page answers to: nobody, a member, an agent, an operator.
DOOR_2 = (DOOR, DOOR)
READ = (*DOOR_2, 200, 200), (*DOOR_2, 405, 405)
OPERATORS_READ = (*DOOR_2, 403, 200), (*DOOR_2, 403, 405)
OPERATORS_FORM = (*DOOR_2, 403, 200), (*DOOR_2, 403, 400)


def deed(answer: int = 302) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Something staff do: by POST only."""
    return (*DOOR_2, 405, 405), (*DOOR_2, answer, answer)


def operators_deed(answer: int = 302) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Something only operators do: by POST only."""
    return (*DOOR_2, 403, 405), (*DOOR_2, 403, answer)


def own(
    get: object = 200, post: object = 405, other: object = None
) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """A member's own page: staff are nobody there, and with `other` nothing of it exists for another member."""
    staff = (ME,) * 4
    return (
        (ME, get, *staff, get if other is None or get == 405 else other),
        (ME, post, *staff, post if other is None or post == 405 else other),
    )


def everybody(get: object = 200, post: object = 405) -> tuple[tuple[object, ...], ...]:
    """A page that is the same for all."""
    return (get,) * 4, (post,) * 4


def theirs(
    get: object = 200, post: object = 405, other: object = None
) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """A merchant's own page: everybody else is nobody there, and another merchant's things do not exist."""
    nobody = (MERCHANT,) * 4
    known = other is None
    return (*nobody, get, get if known or get == 405 else 404), (
        *nobody,
        post,
        post if known or post == 405 else 404,
    )


# name: (path, (GET by each), (POST of an empty form by each))
TABLE: dict[str, tuple[str, tuple[tuple[object, ...], ...]]] = {
    "healthz": ("/healthz", ((200,) * 4, (200,) * 4)),
    "set_language": ("/i18n/setlang/", ((302,) * 4, (302,) * 4)),
    # the staff's door
    "console:login": ("/login/", ((200, 200, 302, 302), (200, 200, 302, 302))),
    "console:second_factor": ("/login/code/", ((302,) * 4, (302,) * 4)),
    "console:authenticator": (
        "/login/authenticator/",
        ((302, 302, 200, 200), (302, 302, 409, 409)),
    ),
    "console:logout": ("/logout/", ((405,) * 4, (302,) * 4)),
    "console:theme": ("/theme/", ((405,) * 4, (302,) * 4)),
    # every day
    # The root is the shop for everybody but staff.
    "front": ("/", ((302, 302, 200, 200), (302, 302, 405, 405))),
    "console:overview": ("/", ((302, 302, 200, 200), (302, 302, 405, 405))),
    "console:members": ("/members/", READ),
    "console:member": ("/members/{member}/", READ),
    "console:analysis": ("/analysis/", READ),
    "console:analysis_cohorts": ("/analysis/cohorts/", READ),
    "console:analysis_causes": ("/analysis/causes/", READ),
    "console:leaving": ("/leaving/", READ),
    "console:report": ("/report/", READ),
    "console:find": ("/find/", READ),
    "console:account": ("/account/", READ),
    "console:change_password": ("/account/password/", deed(400)),
    "console:recovery_codes": ("/account/codes/", deed(403)),
    "console:change_authenticator": ("/account/authenticator/", deed(403)),
    "console:calls": ("/calls/", READ),
    "console:take_next": ("/calls/next/", deed()),
    "console:call": ("/calls/{call}/", READ),
    "console:take_call": ("/calls/{call}/take/", deed()),
    "console:release_call": ("/calls/{call}/release/", deed()),
    "console:record_call": ("/calls/{call}/record/", deed()),
    "console:raise_trouble": ("/members/{member}/trouble/", deed()),
    "console:close_trouble": ("/members/{member}/trouble/close/", deed(404)),
    "console:consent": ("/members/{member}/consent/", deed()),
    # operators
    "console:export_member": ("/members/{member}/export/", operators_deed(200)),
    "console:erase_member": ("/members/{member}/erase/", operators_deed()),
    "console:segments": ("/segments/", OPERATORS_READ),
    "console:save_segment": ("/segments/save/", operators_deed()),
    "console:new_segment": ("/segments/new/", OPERATORS_FORM),
    "console:segment": ("/segments/{segment}/", OPERATORS_READ),
    "console:edit_segment": ("/segments/{segment}/edit/", OPERATORS_FORM),
    "console:rename_segment": ("/segments/{segment}/rename/", operators_deed()),
    "console:retire_segment": ("/segments/{segment}/retire/", operators_deed()),
    "console:plans": ("/plans/", OPERATORS_READ),
    "console:new_plan": ("/plans/new/", OPERATORS_FORM),
    "console:plan": ("/plans/{plan}/", OPERATORS_READ),
    "console:edit_plan": ("/plans/{plan}/edit/", OPERATORS_FORM),
    "console:start_run": ("/plans/{plan}/start/", operators_deed()),
    "console:attest": ("/plans/{plan}/attest/", operators_deed()),
    "console:daily": ("/plans/{plan}/daily/", operators_deed()),
    "console:by_hand": ("/plans/{plan}/by-hand/", operators_deed()),
    "console:retire_plan": ("/plans/{plan}/retire/", operators_deed()),
    "console:results": ("/plans/{plan}/results/", OPERATORS_READ),
    "console:showing": ("/shown/", OPERATORS_READ),
    "console:claims": ("/claims/", OPERATORS_READ),
    "console:source_results": ("/results/", OPERATORS_READ),
    "console:run": ("/runs/{run}/", OPERATORS_READ),
    "console:progress": ("/runs/{run}/progress/", OPERATORS_READ),
    "console:pause_run": ("/runs/{run}/pause/", operators_deed()),
    "console:resume_run": ("/runs/{run}/resume/", operators_deed()),
    "console:stop_run": ("/runs/{run}/stop/", operators_deed()),
    "console:export_calls": ("/runs/{run}/calls/", operators_deed(200)),
    "console:stop_everything": ("/outreach/stop/", operators_deed()),
    "console:resume_everything": ("/outreach/resume/", operators_deed()),
    # orders: read by agents too, who move no money
    "console:work": ("/work/", READ),
    "console:settle_discrepancy": ("/work/discrepancy/", operators_deed(404)),
    "console:settle_refund": ("/work/refund/", operators_deed(404)),
    "console:settle_rejection": ("/work/rejection/", operators_deed(404)),
    "console:orders": ("/orders/", READ),
    "console:order": ("/orders/{order}/", READ),
    "console:cancel_order": ("/orders/{order}/cancel/", deed()),
    "console:refund_order": ("/orders/{order}/refund/", operators_deed()),
    "console:reveal_sold_key": ("/orders/{order}/reveal/", deed(404)),
    "console:deliver_line": ("/orders/{order}/lines/2/deliver/", deed()),
    "console:line_secrets": ("/orders/{order}/lines/2/secrets/", deed(200)),
    # what is sold
    "console:products": ("/products/", OPERATORS_READ),
    "console:new_product": ("/products/new/", OPERATORS_FORM),
    "console:shelves": ("/products/shelves/", OPERATORS_READ),
    "console:save_scene": ("/products/shelves/scene/", operators_deed()),
    "console:set_reveals": ("/products/shelves/reveals/", operators_deed()),
    "console:product": ("/products/{product}/", OPERATORS_READ),
    "console:edit_product": ("/products/{product}/edit/", OPERATORS_FORM),
    "console:offer_product": ("/products/{product}/offer/", operators_deed()),
    "console:add_variant": ("/products/{product}/add/", operators_deed(400)),
    "console:edit_variant": ("/variants/{variant}/edit/", operators_deed(400)),
    "console:add_stock": ("/variants/{variant}/stock/", operators_deed()),
    "console:offer_variant": ("/variants/{variant}/offer/", operators_deed()),
    "console:card_keys": ("/variants/{variant}/keys/", OPERATORS_READ),
    "console:take_keys": ("/variants/{variant}/keys/take/", operators_deed()),
    "console:reveal_key": ("/variants/{variant}/keys/reveal/", operators_deed(404)),
    "console:end_key": ("/variants/{variant}/keys/end/", operators_deed(404)),
    "console:end_batch": ("/batches/{batch}/end/", operators_deed()),
    "console:merchants": ("/merchants/", OPERATORS_READ),
    "console:open_merchant": ("/merchants/open/", operators_deed(400)),
    "console:change_merchant": ("/merchants/{merchant}/", operators_deed()),
    "console:add_staff": ("/merchants/{merchant}/staff/", operators_deed(400)),
    "console:change_staff": ("/merchants/{merchant}/staff/change/", operators_deed(404)),
    # what members pay less for
    "console:benefits": ("/benefits/", OPERATORS_READ),
    "console:levels": ("/benefits/levels/members/", OPERATORS_FORM),
    "console:climb": ("/benefits/levels/vip/climb/", operators_deed()),
    "console:new_first_order": ("/benefits/first-order/", OPERATORS_FORM),
    "console:new_special_price": ("/benefits/special-price/", OPERATORS_FORM),
    "console:end_offer": ("/benefits/offers/{offer}/end/", operators_deed()),
    "console:new_coupon": ("/benefits/coupons/new/", OPERATORS_FORM),
    "console:stop_coupons": ("/benefits/coupons/{coupons}/stop/", operators_deed()),
    "console:give_coupon": ("/benefits/coupons/{coupons}/give/", operators_deed()),
    "console:give_member_coupon": ("/members/{member}/coupon/", operators_deed(404)),
    "console:imports": ("/import/", OPERATORS_READ),
    "console:take_upload": ("/import/take/", operators_deed()),
    "console:upload": ("/import/{upload}/", OPERATORS_READ),
    "console:start_upload": ("/import/{upload}/start/", operators_deed(400)),
    "console:upload_progress": ("/import/{upload}/progress/", OPERATORS_READ),
    "console:discard_upload": ("/import/{upload}/discard/", operators_deed()),
    "console:policy": ("/rules/", OPERATORS_FORM),
    "console:groups": ("/rules/groups/", ((*DOOR_2, 403, 200), (*DOOR_2, 403, 302))),
    "console:outreach_policy": ("/rules/outreach/", OPERATORS_FORM),
    "console:staff": ("/staff/", OPERATORS_READ),
    "console:add_login": ("/staff/add/", operators_deed(400)),
    "console:new_password": ("/staff/password/", operators_deed(404)),
    "console:set_role": ("/staff/role/", operators_deed()),
    "console:close_login": ("/staff/close/", operators_deed(404)),
    "console:reopen_login": ("/staff/reopen/", operators_deed(404)),
    "console:drop_authenticator": ("/staff/authenticator/", operators_deed(404)),
    "console:require_totp": ("/staff/second-factor/", operators_deed()),
    "console:acts": ("/acts/", OPERATORS_READ),
    # merchants
    "merchant:login": ("/merchant/login/", ((200,) * 4 + (302,) * 2, (200,) * 4 + (302,) * 2)),
    "merchant:second_factor": (
        "/merchant/login/code/",
        ((MERCHANT,) * 6, (MERCHANT,) * 6),
    ),
    "merchant:authenticator": (
        "/merchant/login/authenticator/",
        ((MERCHANT,) * 4 + (200,) * 2, (MERCHANT,) * 4 + (409,) * 2),
    ),
    "merchant:logout": ("/merchant/logout/", ((405,) * 6, (MERCHANT,) * 6)),
    "merchant:products": ("/merchant/", theirs()),
    "merchant:account": ("/merchant/account/", theirs(post=200)),
    "merchant:password": ("/merchant/account/password/", theirs(405, 400)),
    "merchant:orders": ("/merchant/orders/", theirs()),
    "merchant:order": ("/merchant/orders/{order}/", theirs(other=404)),
    "merchant:grant": ("/merchant/orders/{order}/grant/", theirs(405, 404, 404)),
    "merchant:deliver": ("/merchant/orders/{order}/lines/2/deliver/", theirs(405, 302, 404)),
    "merchant:secrets": ("/merchant/orders/{order}/lines/2/secrets/", theirs(405, 200, 404)),
    "merchant:product": ("/merchant/products/{product}/", theirs(other=404)),
    "merchant:add_stock": ("/merchant/variants/{variant}/stock/", theirs(405, 302, 404)),
    "merchant:card_keys": ("/merchant/variants/{variant}/keys/", theirs(other=404)),
    "merchant:take_keys": ("/merchant/variants/{variant}/keys/take/", theirs(405, 302, 404)),
    "merchant:reveal_key": ("/merchant/variants/{variant}/keys/reveal/", theirs(405, 404, 404)),
    "merchant:end_key": ("/merchant/variants/{variant}/keys/end/", theirs(405, 404, 404)),
    "merchant:end_batch": ("/merchant/batches/{batch}/end/", theirs(405, 302, 404)),
    # the shop
    "shop:home": ("/shop/", everybody()),
    "shop:look": ("/shop/look/", everybody(302)),
    "shop:product": ("/shop/p/{product}/", everybody()),
    "shop:buy": ("/shop/p/{product}/buy/", everybody(200, 404)),
    "shop:follow": ("/shop/p/{product}/follow/", own(405, 302)),
    "shop:tell": ("/shop/v/{variant}/tell/", own(405, 409)),
    "shop:orders": ("/shop/orders/", own()),
    "shop:order": ("/shop/orders/{order}/", own(other=404)),
    "shop:pay": ("/shop/orders/{order}/pay/", own(302, 400, 404)),
    "shop:check": ("/shop/orders/{order}/check/", own(405, 302, 404)),
    "shop:cancel": ("/shop/orders/{order}/cancel/", own(405, 409, 404)),
    "shop:accept": ("/shop/orders/{order}/lines/1/accept/", own(405, 302, 404)),
    "shop:reject": ("/shop/orders/{order}/lines/1/reject/", own(200, 400, 404)),
    "shop:show": ("/shop/orders/{order}/lines/1/keys/1/show/", own(405, 200, 404)),
    "shop:tried": ("/shop/orders/{order}/lines/1/keys/1/tried/", own(405, 409, 404)),
    "shop:history": ("/shop/orders/{order}/lines/1/keys/1/history/", own(other=404)),
    "shop:link": ("/shop/g/{guest}/", everybody()),
    "shop:link_pay": ("/shop/g/{guest}/pay/", everybody(302, 400)),
    "shop:link_check": ("/shop/g/{guest}/check/", everybody(405, 302)),
    "shop:claim": ("/shop/g/{guest}/claim/", own(405, 302)),
    "shop:link_accept": ("/shop/g/{guest}/lines/1/accept/", everybody(405, 302)),
    "shop:link_reject": ("/shop/g/{guest}/lines/1/reject/", everybody(200, 400)),
    "shop:link_show": ("/shop/g/{guest}/lines/1/keys/1/show/", everybody(405, 200)),
    "shop:link_tried": ("/shop/g/{guest}/lines/1/keys/1/tried/", everybody(405, 409)),
    "shop:link_history": ("/shop/g/{guest}/lines/1/keys/1/history/", everybody()),
    "shop:keys": ("/shop/keys/", own()),
    "shop:wallet": ("/shop/wallet/", own()),
    "shop:followed": ("/shop/followed/", own()),
    "shop:nothing": ("/shop/elsewhere/", everybody(404, 404)),
    # members
    "storefront:home": ("/me/", own()),
    "storefront:inbox": ("/me/inbox/", own()),
    "storefront:message": ("/me/inbox/{message}/", own(other=404)),
    "storefront:why": ("/me/why/{message}/", own(200, 302, 404)),
    "storefront:contacts": ("/me/contacts/", own()),
    "storefront:preferences": ("/me/preferences/", own(post=400)),
    "storefront:quiet": ("/me/preferences/quiet/", own(post=400)),
    "storefront:zone": ("/me/preferences/zone/", own(post=302)),
    "storefront:email": ("/me/preferences/email/", own(post=400)),
    "storefront:birthday": ("/me/preferences/birthday/", own(post=400)),
    "storefront:consents": ("/me/preferences/consents/", own()),
    "storefront:own_file": ("/me/preferences/file/", own()),
    "storefront:erase": ("/me/preferences/erase/", own(post=400)),
    "storefront:gone": ("/me/gone/", ((200,) * 4, (200,) * 4)),
    "storefront:privacy": ("/me/privacy/", ((200,) * 4, (302,) * 4)),
    "storefront:login": ("/me/login/", ((200, 302, 200, 200), (400, 302, 400, 400))),
    "storefront:code": ("/me/login/code/", ((ME,) * 4, (ME,) * 4)),
    "storefront:logout": ("/me/logout/", ((405,) * 4, (ME,) * 4)),
    "storefront:nothing": ("/me/elsewhere/", ((404,) * 4, (404,) * 4)),
    "storefront:notify": ("/pay/notify/sandbox/", everybody(405, 404)),
    "storefront:back": ("/pay/back/{payment}/", (own(302, other=404)[0], (405,) * 4)),
    "storefront:opt_out": ("/u/{token}", ((200,) * 4, (200,) * 4)),
    "storefront:undo": ("/u/{token}/undo", ((405,) * 7, (404, 302, *(404,) * 5))),
}


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    phone = Phone()
    monkeypatch.setattr(sms, "gateway", lambda: phone)
    return phone


@pytest.fixture
def known(
    noon: dt.datetime, tmp_path: Path, operator: Login, agent: Login, phone: Phone
) -> dict[str, str]:
    """A site in the middle of its work; the references that the paths name."""
    set_totp_required(is_required=False, by=None)
    set_outreach_policy(by=None, holdout_permyriad=0)
    source = make.shop(tmp_path, [LI, WANG])
    segment = save_segment(source=source, name="静", filter={"stage": "silent"}, by=operator)
    letter = make.run(make.plan(source, body="Come back, {member}"))
    make.decide()
    send_due()
    message = Message.objects.get(decision__run=letter, person=member(LI))
    care = make.run(make.plan(source, purpose="service", channel="list"))
    make.decide()
    send_due()
    call = Call.objects.order_by("id")[0]
    take_call(reference=call.reference, by=agent)
    with (tmp_path / "log.csv").open("wb+") as file:
        file.write("用户,时间,金额\nann,2026-03-01,5\n".encode())
        file.seek(0)
        upload = take_upload(file=file, file_name="log.csv", by=operator)
    return {
        "member": message.member.reference,
        "segment": segment.reference,
        "plan": care.plan.reference,
        "run": care.reference,
        "call": call.reference,
        "upload": upload.reference,
        "message": message.reference,
        "token": queries.unsubscribe_token(message),
        "offer": membership.special().reference,
        "coupons": membership.coupon_kind().reference,
        **sold(),
    }


def sold() -> dict[str, str]:
    """A merchant with a product and its keys, which LI and a guest have bought; the references that the paths name."""
    variant = catalog.variant(catalog.product(is_listed=True), "豪华版", keys=4)
    seller = variant.product.merchant
    by_hand = orders.product(seller, kind="top_up", title="直充", order_form=QUESTIONS)
    order = bought(member(LI), variant, by_hand)
    guest = bought(join_as_guest(device="a device"), orders.product(seller))
    return {
        "merchant": seller.reference,
        "product": variant.product.reference,
        "variant": variant.reference,
        "batch": variant.batches.get().reference,
        "order": order.reference,
        "payment": order.payments.get().reference,
        "guest": guest_token(guest),
    }


def bought(who: Member, *variants: Variant) -> Order:
    """An order of one piece each, paid and handed over as far as that goes by itself."""
    wants = [(variant.reference, 1) for variant in variants]
    person_id = None if is_guest(who) else who.person_id
    price = quote(person_id=person_id, wants=wants, at=clock.now()).payable_fen
    form = {"password": SECRET} if len(variants) > 1 else {}
    order = place_order(member=who, wants=wants, form=form, key=who.reference, expected_fen=price)
    return delivery.delivered(order)


@pytest.fixture
def visitors(known: dict[str, str], phone: Phone, operator: Login, agent: Login) -> list[Client]:
    """Nobody, the member, the agent, the operator, somebody of the merchant, somebody of another, another member."""
    ours = merchants.staff(Merchant.objects.get(reference=known["merchant"]))
    other = merchants.staff(merchants.merchant("别家"), "别家店员")
    found = [Client(), sign_in(phone, LI), *(Client() for _ in range(4))]
    for client, login in zip(found[2:], (agent, operator, ours, other), strict=True):
        client.force_login(login, backend="django.contrib.auth.backends.ModelBackend")
    for client, login in zip(found[4:6], (ours, other), strict=True):
        given = {"username": login.name, "password": merchants.PASSWORD}
        assert client.post("/merchant/login/", given)["Location"] == "/merchant/"
    return [*found, sign_in(phone, WANG)]


def ask(client: Client, method: str, path: str) -> HttpResponseBase:
    """The answer to a request whose effects, in the database and in the browser, are undone."""
    cookies, before = deepcopy(client.cookies), transaction.savepoint()
    try:
        return client.get(path) if method == "GET" else client.post(path)
    finally:
        transaction.savepoint_rollback(before)
        client.cookies = cookies


def told(answer: HttpResponseBase) -> object:
    """The status, or which door it leads to."""
    if answer.status_code == 302 and answer["Location"].startswith("/login/?next="):
        return DOOR
    if answer.status_code == 302 and answer["Location"].startswith("/me/login/"):
        return ME
    if answer.status_code == 302 and answer["Location"].startswith("/merchant/login/"):
        return MERCHANT
    return answer.status_code


def row(name: str, column: int) -> tuple[object, ...]:
    """What each visitor is answered: by default merchants are nobody, and a member is as good as another."""
    answers = TABLE[name][1][column]
    if len(answers) == 4:
        answers = (*answers, answers[0], answers[0])
    return answers if len(answers) == 7 else (*answers, answers[1])


def addresses(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[str]:
    """The names of every address under the given patterns, those of namespaces with their prefix."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from addresses(pattern.url_patterns, space + inner)
        else:
            yield space + str(pattern.name or pattern.pattern)


def test_every_address_of_the_site_is_in_the_table() -> None:
    assert sorted(addresses(get_resolver().url_patterns)) == sorted(TABLE)


@pytest.mark.parametrize(("column", "method"), [(0, "GET"), (1, "POST")])
def test_the_table_holds_for_everybody(
    column: int, method: str, known: dict[str, str], visitors: list[Client]
) -> None:
    found = {
        name: tuple(told(ask(client, method, path.format(**known))) for client in visitors)
        for name, (path, _) in TABLE.items()
    }
    wanted = {name: row(name, column) for name in TABLE}
    assert sorted(f"{n}: {a}" for n, a in found.items() if a != wanted[n]) == []


def test_whoever_is_turned_away_changes_nothing_and_learns_nothing(
    known: dict[str, str], visitors: list[Client]
) -> None:
    """Nobody and a member at the staff's doors; an agent at the operators'; merchants there and at each other's."""
    secrets = ("Come back", "静", LI[-4:], "豪华版", SECRET)
    for name, (path, _) in TABLE.items():
        post = row(name, 1)
        for number, (client, wanted) in enumerate(zip(visitors, post, strict=True)):
            is_foreign = wanted == 404 and number in (5, 6) and post[0] in (MERCHANT, ME)
            is_agents = wanted == 403 and post[3] != 403
            is_at_the_door = wanted in (DOOR, MERCHANT) and name != "merchant:logout"
            if is_at_the_door or is_agents or is_foreign:
                with CaptureQueriesContext(connection) as made:
                    answer = ask(client, "POST", path.format(**known))
                written = [q["sql"] for q in made if WRITES.match(q["sql"])]
                assert written == [], name
                assert not any(word in answer.content.decode() for word in secrets), name


@pytest.mark.parametrize(
    "path", ["/?format=csv&part=rfm", "/members/?format=csv", "/acts/?format=csv"]
)
def test_sheets_need_a_login_too(path: str, client: Client) -> None:
    assert told(client.get(path)) == DOOR


def test_pages_carry_the_strict_policy_and_are_kept_by_no_cache(
    known: dict[str, str], visitors: list[Client]
) -> None:
    for name, (path, _) in TABLE.items():
        space, get = name.split(":")[0], row(name, 0)
        number = {"console": 3, "merchant": 4}.get(space)
        if number is not None and get[number] == 200:
            answer = visitors[number].get(path.format(**known))
            policy = answer["Content-Security-Policy"]
            assert "unsafe" not in policy, name
            assert "script-src 'self'" in policy, name
            assert "no-store" in answer["Cache-Control"], name
            if not answer.streaming and name != "console:report":
                assert " style=" not in answer.content.decode(), name


def test_a_login_that_was_closed_is_out_at_once(visitors: list[Client], agent: Login) -> None:
    answering = visitors[2]
    assert answering.get("/calls/").status_code == 200
    set_active(name=agent.name, is_active=False, by=None)
    assert told(answering.get("/calls/")) == DOOR
    set_active(name=agent.name, is_active=True, by=None)
    assert told(answering.get("/calls/")) == DOOR  # the session has ended for good


def test_a_role_that_was_taken_is_gone_with_the_next_click(
    visitors: list[Client], operator: Login
) -> None:
    assert visitors[3].get("/staff/").status_code == 200
    open_login(name="second", password="correct horse battery", by=None)
    set_role(name=operator.name, role="agent", by=None)
    assert visitors[3].get("/staff/").status_code == 403
    assert visitors[3].get("/members/").status_code == 200


def test_where_the_house_asks_for_a_second_factor_who_has_none_is_led_to_it(
    visitors: list[Client],
) -> None:
    set_totp_required(is_required=True, by=None)
    for client in visitors[2:4]:
        for path in ("/", "/members/", "/calls/", "/account/", "/find/"):
            answer = client.get(path)
            assert (answer.status_code, answer["Location"]) == (302, "/login/authenticator/")
    for client in visitors[4:6]:
        for path in ("/merchant/", "/merchant/account/"):
            answer = client.get(path)
            assert (answer.status_code, answer["Location"]) == (
                302,
                "/merchant/login/authenticator/",
            )
