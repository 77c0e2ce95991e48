"""Addresses of the console. `ours` and `operators` are the only ways in; refusals are told as pages."""

from functools import wraps
from typing import Any

from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.cache import never_cache

from liuke.base.errors import Forbidden
from liuke.interfaces.console import (
    account,
    acts,
    analysis,
    benefit_pages,
    benefits,
    calls,
    card_keys,
    groups,
    halfway,
    merchants,
    order_deeds,
    orders,
    plan_page,
    plans,
    policy,
    products,
    results,
    rights,
    runs,
    segment_page,
    segments,
    shelves,
    showing,
    staff,
    trouble,
    uploads,
    variants,
    work,
)
from liuke.interfaces.console.door import Entrance, Logout, authenticator, second_factor, theme
from liuke.interfaces.console.find import find
from liuke.interfaces.console.leaving import leaving
from liuke.interfaces.console.member import member
from liuke.interfaces.console.members import members
from liuke.interfaces.console.overview import download_report, overview
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui.refusals import View, refusals_as_pages
from liuke.people.models import Login

app_name = "console"


def _works_here(visitor: Login | AnonymousUser) -> bool:
    """Whoever works for a merchant is nobody in the console, whatever session they bring."""
    return isinstance(visitor, Login) and visitor.is_staff


def ours(view: View) -> View:
    """For staff who are signed in, by two factors where the house asks for them. Nothing here is kept by caches."""
    shown = never_cache(refusals_as_pages(view))

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if halfway.lacks_authenticator(login_of(request)):
            return redirect("console:authenticator")
        return shown(request, *args, **kwargs)

    return user_passes_test(_works_here)(answer)


def operators(view: View) -> View:
    """For operators; an agent is refused before anything is looked at."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not login_of(request).is_operator:
            raise Forbidden
        return view(request, *args, **kwargs)

    return ours(answer)


outreach = [
    path("segments/", operators(segments.segments), name="segments"),
    path("segments/save/", operators(segments.save), name="save_segment"),
    path("segments/new/", operators(segment_page.new_segment), name="new_segment"),
    path("segments/<str:reference>/", operators(segment_page.segment), name="segment"),
    path(
        "segments/<str:reference>/edit/", operators(segment_page.edit_segment), name="edit_segment"
    ),
    path("segments/<str:reference>/rename/", operators(segments.rename), name="rename_segment"),
    path("segments/<str:reference>/retire/", operators(segments.retire), name="retire_segment"),
    path("plans/", operators(plans.plans), name="plans"),
    path("plans/new/", operators(plans.new_plan), name="new_plan"),
    path("plans/<str:reference>/", operators(plan_page.plan), name="plan"),
    path("plans/<str:reference>/edit/", operators(plans.edit_plan), name="edit_plan"),
    path("plans/<str:reference>/start/", operators(plan_page.start), name="start_run"),
    path("plans/<str:reference>/attest/", operators(plan_page.attest), name="attest"),
    path("plans/<str:reference>/daily/", operators(plans.daily), name="daily"),
    path("plans/<str:reference>/by-hand/", operators(plans.by_hand), name="by_hand"),
    path("plans/<str:reference>/retire/", operators(plans.retire), name="retire_plan"),
    path("plans/<str:reference>/results/", operators(results.of_plan), name="results"),
    path("results/", operators(results.of_source), name="source_results"),
    path("shown/", operators(showing.showing), name="showing"),
    path("claims/", operators(showing.claims), name="claims"),
    path("runs/<str:reference>/", operators(runs.run), name="run"),
    path("runs/<str:reference>/progress/", operators(runs.progress), name="progress"),
    path("runs/<str:reference>/pause/", operators(runs.pause), name="pause_run"),
    path("runs/<str:reference>/resume/", operators(runs.resume), name="resume_run"),
    path("runs/<str:reference>/stop/", operators(runs.stop), name="stop_run"),
    path("runs/<str:reference>/calls/", operators(runs.export), name="export_calls"),
    path("outreach/stop/", operators(runs.stop_everything), name="stop_everything"),
    path("outreach/resume/", operators(runs.resume_everything), name="resume_everything"),
    path("calls/", ours(calls.calls), name="calls"),
    path("calls/next/", ours(calls.take_next), name="take_next"),
    path("calls/<str:reference>/", ours(calls.call), name="call"),
    path("calls/<str:reference>/take/", ours(calls.take), name="take_call"),
    path("calls/<str:reference>/release/", ours(calls.release), name="release_call"),
    path("calls/<str:reference>/record/", ours(calls.record), name="record_call"),
    path("members/<str:reference>/trouble/", ours(trouble.raise_flag), name="raise_trouble"),
    path("members/<str:reference>/trouble/close/", ours(trouble.close_flag), name="close_trouble"),
    path("members/<str:reference>/consent/", ours(rights.consent), name="consent"),
    path("members/<str:reference>/export/", operators(rights.export), name="export_member"),
    path("members/<str:reference>/erase/", operators(rights.erase), name="erase_member"),
]
sales = [
    path("work/", ours(work.work), name="work"),
    path("work/discrepancy/", operators(work.discrepancy), name="settle_discrepancy"),
    path("work/refund/", operators(work.refund), name="settle_refund"),
    path("work/rejection/", operators(work.rejection), name="settle_rejection"),
    path("orders/", ours(orders.orders), name="orders"),
    path("orders/<str:number>/", ours(orders.order), name="order"),
    path("orders/<str:number>/cancel/", ours(order_deeds.cancel), name="cancel_order"),
    path("orders/<str:number>/refund/", operators(order_deeds.refund), name="refund_order"),
    path("orders/<str:number>/reveal/", ours(order_deeds.reveal), name="reveal_sold_key"),
    path(
        "orders/<str:number>/lines/<int:line>/deliver/",
        ours(order_deeds.deliver),
        name="deliver_line",
    ),
    path(
        "orders/<str:number>/lines/<int:line>/secrets/",
        ours(order_deeds.secrets),
        name="line_secrets",
    ),
]
goods = [
    path("products/", operators(products.products), name="products"),
    path("products/new/", operators(products.new_product), name="new_product"),
    path("products/shelves/", operators(shelves.shelves), name="shelves"),
    path("products/shelves/scene/", operators(shelves.scene), name="save_scene"),
    path("products/shelves/reveals/", operators(shelves.reveals), name="set_reveals"),
    path("products/<str:reference>/", operators(products.product), name="product"),
    path("products/<str:reference>/edit/", operators(products.edit), name="edit_product"),
    path("products/<str:reference>/offer/", operators(products.offer), name="offer_product"),
    path("products/<str:reference>/add/", operators(variants.add), name="add_variant"),
    path("variants/<str:reference>/edit/", operators(variants.edit), name="edit_variant"),
    path("variants/<str:reference>/stock/", operators(variants.stock), name="add_stock"),
    path("variants/<str:reference>/offer/", operators(variants.offer), name="offer_variant"),
    path("variants/<str:reference>/keys/", operators(card_keys.card_keys), name="card_keys"),
    path("variants/<str:reference>/keys/take/", operators(card_keys.take), name="take_keys"),
    path("variants/<str:reference>/keys/reveal/", operators(card_keys.reveal), name="reveal_key"),
    path("variants/<str:reference>/keys/end/", operators(card_keys.end), name="end_key"),
    path("batches/<str:reference>/end/", operators(card_keys.end_batch), name="end_batch"),
    path("merchants/", operators(merchants.merchants), name="merchants"),
    path("merchants/open/", operators(merchants.open_), name="open_merchant"),
    path("merchants/<str:reference>/", operators(merchants.change), name="change_merchant"),
    path("merchants/<str:reference>/staff/", operators(merchants.staff), name="add_staff"),
    path(
        "merchants/<str:reference>/staff/change/",
        operators(merchants.change_staff),
        name="change_staff",
    ),
]
given = [
    path("benefits/", operators(benefits.benefits), name="benefits"),
    path("benefits/levels/<slug:key>/", operators(benefit_pages.levels), name="levels"),
    path("benefits/levels/<slug:key>/climb/", operators(benefits.climb), name="climb"),
    path(
        "benefits/first-order/",
        operators(benefit_pages.new_offer),
        {"kind": "first_order"},
        name="new_first_order",
    ),
    path(
        "benefits/special-price/",
        operators(benefit_pages.new_offer),
        {"kind": "special_price"},
        name="new_special_price",
    ),
    path("benefits/offers/<str:reference>/end/", operators(benefits.end), name="end_offer"),
    path("benefits/coupons/new/", operators(benefit_pages.new_coupon), name="new_coupon"),
    path("benefits/coupons/<str:reference>/stop/", operators(benefits.stop), name="stop_coupons"),
    path("benefits/coupons/<str:reference>/give/", operators(benefits.give), name="give_coupon"),
    path("members/<str:reference>/coupon/", operators(benefits.give_to), name="give_member_coupon"),
]
house = [
    path("import/", operators(uploads.imports), name="imports"),
    path("import/take/", operators(uploads.take), name="take_upload"),
    path("import/<str:reference>/", operators(uploads.upload), name="upload"),
    path("import/<str:reference>/start/", operators(uploads.start), name="start_upload"),
    path("import/<str:reference>/progress/", operators(uploads.progress), name="upload_progress"),
    path("import/<str:reference>/discard/", operators(uploads.discard), name="discard_upload"),
    path("rules/", operators(policy.thresholds), name="policy"),
    path("rules/groups/", operators(groups.groups), name="groups"),
    path("rules/outreach/", operators(policy.outreach), name="outreach_policy"),
    path("staff/", operators(staff.staff), name="staff"),
    path("staff/add/", operators(staff.add), name="add_login"),
    path("staff/password/", operators(staff.new_password), name="new_password"),
    path("staff/role/", operators(staff.role), name="set_role"),
    path("staff/close/", operators(staff.close), name="close_login"),
    path("staff/reopen/", operators(staff.reopen), name="reopen_login"),
    path("staff/authenticator/", operators(staff.drop_authenticator), name="drop_authenticator"),
    path("staff/second-factor/", operators(staff.require_totp), name="require_totp"),
    path("acts/", operators(acts.acts), name="acts"),
    path("account/", ours(account.account), name="account"),
    path("account/password/", ours(account.password), name="change_password"),
    path("account/codes/", ours(account.recovery_codes), name="recovery_codes"),
    path("account/authenticator/", ours(account.change_authenticator), name="change_authenticator"),
    path("find/", ours(find), name="find"),
]
urlpatterns = [
    path("", ours(overview), name="overview"),
    path("members/", ours(members), name="members"),
    path("members/<str:reference>/", ours(member), name="member"),
    path("analysis/", ours(analysis.ahead), name="analysis"),
    path("analysis/cohorts/", ours(analysis.cohorts), name="analysis_cohorts"),
    path("analysis/causes/", ours(analysis.causes), name="analysis_causes"),
    path("leaving/", ours(leaving), name="leaving"),
    path("report/", ours(download_report), name="report"),
    path("login/", Entrance.as_view(), name="login"),
    path("login/code/", refusals_as_pages(second_factor), name="second_factor"),
    path("login/authenticator/", refusals_as_pages(authenticator), name="authenticator"),
    path("logout/", Logout.as_view(), name="logout"),
    path("theme/", theme, name="theme"),
    *outreach,
    *sales,
    *goods,
    *given,
    *house,
]
