"""Addresses of the console. `ours` and `operators` are the only ways in; refusals are told as pages."""

from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.cache import never_cache

from liuke.base.errors import Forbidden
from liuke.interfaces.console import (
    account,
    acts,
    calls,
    groups,
    halfway,
    plan_page,
    plans,
    policy,
    results,
    rights,
    runs,
    segments,
    staff,
    trouble,
    uploads,
)
from liuke.interfaces.console.door import Entrance, Logout, authenticator, second_factor, theme
from liuke.interfaces.console.find import find
from liuke.interfaces.console.member import member
from liuke.interfaces.console.members import members
from liuke.interfaces.console.overview import download_report, overview
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui.refusals import View, refusals_as_pages

app_name = "console"


def ours(view: View) -> View:
    """For people who are signed in, by two factors where the house asks for them. Nothing here is kept by caches."""
    shown = never_cache(refusals_as_pages(view))

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if halfway.lacks_authenticator(login_of(request)):
            return redirect("console:authenticator")
        return shown(request, *args, **kwargs)

    return login_required(answer)


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
    path("report/", ours(download_report), name="report"),
    path("login/", Entrance.as_view(), name="login"),
    path("login/code/", refusals_as_pages(second_factor), name="second_factor"),
    path("login/authenticator/", refusals_as_pages(authenticator), name="authenticator"),
    path("logout/", Logout.as_view(), name="logout"),
    path("theme/", theme, name="theme"),
    *outreach,
    *house,
]
