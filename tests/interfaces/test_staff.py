"""Those who work here, and what they did."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from django.test import Client

import liuke
from liuke.base import clock
from liuke.interfaces.ui.staff_words import ACTS, THINGS
from liuke.people.actions import open_login, record_act
from liuke.people.models import Login, StaffAct
from liuke.people.queries import login_named, policy
from tests.people.make import with_totp

SHOWN = re.compile(r'<code id="given">([^<]+)</code>')


def acts() -> list[tuple[str, str]]:
    """What was done, the oldest first; opening the fixtures' own logins is not told."""
    found = StaffAct.objects.exclude(by=None).order_by("id")
    return [(act.verb, act.about) for act in found]


def test_somebody_is_added_with_a_password_that_is_shown_once(visitor: Client) -> None:
    page = visitor.post("/staff/add/", {"name": " 小周 ", "role": "agent"}).content.decode()
    found = SHOWN.search(page)
    assert found is not None
    assert re.fullmatch(r"([2-9a-z]{5}-){3}[2-9a-z]{5}", found[1])
    login = login_named("小周")
    assert (login.role, login.is_active, login.check_password(found[1])) == ("agent", True, True)
    assert found[1] not in visitor.get("/staff/").content.decode()
    assert acts() == [("login.open", "小周")]
    assert found[1] not in str(StaffAct.objects.values_list("detail", flat=True))


@pytest.mark.parametrize(
    ("given", "says", "status"),
    [
        ({"name": "", "role": "agent"}, "A name has 1 to 64 letters.", 400),
        ({"name": "x" * 65, "role": "agent"}, "A name has 1 to 64 letters.", 400),
        ({"name": "a\x00b", "role": "agent"}, "A name has 1 to 64 letters.", 400),
        ({"name": "站长", "role": "agent"}, "Someone already signs in as 站长.", 409),
        ({"name": "小周", "role": "boss"}, "There is no role called boss.", 400),
        ({"name": "小周"}, "There is no role called", 400),
    ],
)
def test_who_cannot_be_added_is_told_at_the_field(
    visitor: Client, operator: Login, given: dict[str, str], says: str, status: int
) -> None:
    answer = visitor.post("/staff/add/", given)
    assert answer.status_code == status
    assert says in answer.content.decode()
    assert not SHOWN.search(answer.content.decode())
    assert [login.name for login in Login.objects.all()] == [operator.name]
    assert acts() == []


def test_a_second_click_on_add_makes_nobody_twice(visitor: Client) -> None:
    form = {"name": "小周", "role": "agent"}
    first = SHOWN.search(visitor.post("/staff/add/", form).content.decode())
    assert first is not None
    assert visitor.post("/staff/add/", form).status_code == 409
    assert login_named("小周").check_password(first[1])


def test_a_role_is_changed_and_the_last_operator_stays(
    visitor: Client, operator: Login, agent: Login
) -> None:
    visitor.post("/staff/role/", {"name": agent.name, "role": "operator"})
    assert login_named(agent.name).role == "operator"
    visitor.post("/staff/role/", {"name": agent.name, "role": "agent"})
    for path, form in (
        ("/staff/role/", {"name": operator.name, "role": "agent"}),
        ("/staff/close/", {"name": operator.name}),
    ):
        page = visitor.post(path, form, follow=True).content.decode()
        assert "is the last operator" in page
    kept = login_named(operator.name)
    assert (kept.role, kept.is_active) == ("operator", True)
    assert acts() == [("login.role", agent.name)] * 2


def test_closing_ends_the_session_and_reopening_lets_them_in_again(
    visitor: Client, answering: Client, agent: Login
) -> None:
    for _ in range(2):  # a second click changes nothing
        visitor.post("/staff/close/", {"name": agent.name})
    assert answering.get("/calls/").status_code == 302
    assert "closed" in visitor.get("/staff/").content.decode()
    visitor.post("/staff/reopen/", {"name": agent.name})
    assert login_named(agent.name).is_active
    assert acts() == [("login.close", agent.name), ("login.reopen", agent.name)]


def test_a_new_password_is_shown_once_and_ends_their_sessions(
    visitor: Client, answering: Client, agent: Login
) -> None:
    page = visitor.post("/staff/password/", {"name": agent.name}).content.decode()
    found = SHOWN.search(page)
    assert found is not None
    assert login_named(agent.name).check_password(found[1])
    assert answering.get("/calls/").status_code == 302


def test_a_lost_phone_is_forgotten(visitor: Client, answering: Client, agent: Login) -> None:
    with_totp(agent)
    visitor.post("/staff/authenticator/", {"name": agent.name})
    assert login_named(agent.name).totp_since is None
    assert answering.get("/calls/").status_code == 302
    assert acts()[-1] == ("login.drop_totp", agent.name)


def test_the_second_factor_is_asked_of_everyone_or_left_to_each(visitor: Client) -> None:
    version = policy().version
    for _ in range(2):  # a second click makes no second version
        visitor.post("/staff/second-factor/", {"required": "1"})
    assert (policy().is_totp_required, policy().version) == (True, version + 1)
    assert visitor.get("/staff/")["Location"] == "/login/authenticator/"


# What was done ------------------------------------------------------------------------------------


def shown(visitor: Client, query: str = "") -> list[str]:
    return [deed.says for deed in visitor.get(f"/acts/?{query}").context["deeds"]]


@pytest.fixture
def done(visitor: Client, operator: Login, agent: Login) -> None:
    record_act(by=agent, verb="call.take", about="23456789ABCD", call="x")
    record_act(by=operator, verb="policy.set", about="policy 2", silent_after_days=45)
    record_act(by=operator, verb="plan.make", about="=1+1", name="=HYPERLINK(1)")


def test_acts_are_told_newest_first_and_filtered(visitor: Client, done: None) -> None:
    assert shown(visitor)[:3] == [
        "made a plan",
        "changed the thresholds",
        "took a call and saw the number",
    ]
    assert shown(visitor, "thing=rules") == ["changed the thresholds", "changed what the door asks"]
    assert shown(visitor, "by=客服小林") == ["took a call and saw the number"]
    assert shown(visitor, "about=23456789ABCD") == ["took a call and saw the number"]
    assert shown(visitor, "thing=call&by=站长") == []
    assert set(shown(visitor, "by=-")) == {"opened a login", "changed what the door asks"}
    assert shown(visitor, "thing=nonsense&page=x")[0] == "made a plan"
    assert shown(visitor, "about=%00") == shown(visitor)
    page = visitor.get("/acts/").content.decode()
    assert "Silent after 45" in page
    assert 'href="/members/2345' not in page  # not a reference with its check letter


def test_acts_come_in_pages(visitor: Client, operator: Login) -> None:
    for n in range(120):
        record_act(by=operator, verb="plan.edit", about=f"p{n}")
    first, last = visitor.get("/acts/?thing=plan"), visitor.get("/acts/?thing=plan&page=99")
    assert [d.about for d in first.context["deeds"]] == [f"p{n}" for n in range(119, 69, -1)]
    assert [d.about for d in last.context["deeds"]] == [f"p{n}" for n in range(19, -1, -1)]
    assert "thing=plan&amp;page=2" in first.content.decode()


def test_acts_as_a_sheet_hold_everything_and_run_nothing(visitor: Client, done: None) -> None:
    answer = visitor.get("/acts/?format=csv")
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type]
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["When", "Who did it", "What was done", "To what", "Details"]
    assert rows[1][1:] == ["站长", "made a plan", "'=1+1", "Display name =HYPERLINK(1)"]
    assert len(rows) - 1 == StaffAct.objects.count()
    assert f"liuke-acts-{clock.today().isoformat()}" in answer["Content-Disposition"]


def test_every_act_of_the_house_has_its_words_and_its_kind() -> None:
    paths = [p for p in Path(liuke.__file__).parent.rglob("*.py") if p.name != "staff_words.py"]
    source = "".join(path.read_text(encoding="utf-8") for path in paths)
    written: set[str] = set()
    for said in re.findall(r"\bverb=([^,\n]+)", source):
        written |= set(re.findall(r'"([a-z_]+\.[a-z_]+)"', said))
    assert "login.close" in written
    assert written - ACTS.keys() == set()
    unwritten = {verb for verb in ACTS if f'"{verb}"' not in source}
    begun = set(re.findall(r'verb=f"([a-z_]+)\.\{', source))  # such as `f"key.{state}"`
    assert {verb for verb in unwritten if verb.split(".")[0] not in begun} == set()
    kinds = [kind for thing in THINGS.values() for kind in thing.prefixes]
    assert sorted(kinds) == sorted({verb.split(".")[0] for verb in ACTS})


def test_a_name_cannot_be_markup(visitor: Client) -> None:
    open_login(name="<img src=x onerror=alert(1)>", password="correct horse battery", by=None)
    for path in ("/staff/", "/acts/"):
        assert "<img src=x" not in visitor.get(path).content.decode()
