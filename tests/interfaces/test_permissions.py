"""Who may open what: one table over every address of the whole site, for reading and for doing.

Visitors: somebody unknown, a member signed in on the member side, an agent, an operator. What a request does is undone
after it, so that every one meets the same site.
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
from liuke.base import sms
from liuke.engagement import queries
from liuke.engagement.actions.calls import take_call
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.send import send_due
from liuke.engagement.models import Call, Message
from liuke.people.actions import open_login, set_active, set_role, set_totp_required
from liuke.people.models import Login
from tests.engagement import make
from tests.interfaces.storefront.make import LI, WANG, member, sign_in
from tests.people.make import Phone

pytestmark = pytest.mark.django_db

WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)", re.IGNORECASE)
DOOR, ME = "staff's door", "members' door"
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


def own(get: object = 200, post: object = 405) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """A member's own page: staff are nobody there."""
    return (ME, get, ME, ME), (ME, post, ME, ME)


# name: (path, (GET by each), (POST of an empty form by each))
TABLE: dict[str, tuple[str, tuple[tuple[object, ...], tuple[object, ...]]]] = {
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
    "console:overview": ("/", READ),
    "console:members": ("/members/", READ),
    "console:member": ("/members/{member}/", READ),
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
    "console:source_results": ("/results/", OPERATORS_READ),
    "console:run": ("/runs/{run}/", OPERATORS_READ),
    "console:progress": ("/runs/{run}/progress/", OPERATORS_READ),
    "console:pause_run": ("/runs/{run}/pause/", operators_deed()),
    "console:resume_run": ("/runs/{run}/resume/", operators_deed()),
    "console:stop_run": ("/runs/{run}/stop/", operators_deed()),
    "console:export_calls": ("/runs/{run}/calls/", operators_deed(200)),
    "console:stop_everything": ("/outreach/stop/", operators_deed()),
    "console:resume_everything": ("/outreach/resume/", operators_deed()),
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
    # members
    "storefront:home": ("/me/", own()),
    "storefront:inbox": ("/me/inbox/", own()),
    "storefront:message": ("/me/inbox/{message}/", own(post=405)),
    "storefront:why": ("/me/why/{message}/", own(post=302)),
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
    "storefront:login": ("/me/login/", ((200, 302, 200, 200), (400, 302, 400, 400))),
    "storefront:code": ("/me/login/code/", ((ME,) * 4, (ME,) * 4)),
    "storefront:logout": ("/me/logout/", ((405,) * 4, (ME,) * 4)),
    "storefront:nothing": ("/me/elsewhere/", ((404,) * 4, (404,) * 4)),
    "storefront:opt_out": ("/u/{token}", ((200,) * 4, (200,) * 4)),
    "storefront:undo": ("/u/{token}/undo", ((405,) * 4, (404, 302, 404, 404))),
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
    }


@pytest.fixture
def visitors(known: dict[str, str], phone: Phone, operator: Login, agent: Login) -> list[Client]:
    """Nobody, the member, the agent, the operator."""
    found = [Client(), sign_in(phone, LI), Client(), Client()]
    for client, login in zip(found[2:], (agent, operator), strict=True):
        client.force_login(login, backend="django.contrib.auth.backends.ModelBackend")
    return found


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
    return answer.status_code


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
    wanted = {name: row[column] for name, (_, row) in TABLE.items()}
    assert sorted(f"{n}: {a}" for n, a in found.items() if a != wanted[n]) == []


def test_whoever_is_turned_away_changes_nothing_and_learns_nothing(
    known: dict[str, str], visitors: list[Client]
) -> None:
    """Nobody and a member at the staff's doors; an agent at the operators'."""
    secrets = ("Come back", "静", LI[-4:])
    for name, (path, (_, post)) in TABLE.items():
        for client, wanted in zip(visitors[:3], post[:3], strict=True):
            if wanted == DOOR or (wanted == 403 and post[3] != 403):
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
    operator = visitors[3]
    for name, (path, (get, _)) in TABLE.items():
        if name.startswith("console:") and get[3] == 200:
            answer = operator.get(path.format(**known))
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
    for client in visitors[2:]:
        for path in ("/", "/members/", "/calls/", "/account/", "/find/"):
            answer = client.get(path)
            assert (answer.status_code, answer["Location"]) == (302, "/login/authenticator/")
