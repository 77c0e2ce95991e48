"""The pages of rules: thresholds, RFM groups, what outreach may do, and the switch."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import translation

from liuke.analytics.actions.policy import set_policy
from liuke.analytics.models import RetentionPolicy, RfmGroup, Source
from liuke.engagement.models import OutreachPolicy, Switch
from liuke.interfaces.console.policy_forms import OutreachForm, ThresholdsForm
from liuke.interfaces.ui.rule_words import OUTREACH, THRESHOLDS, rule_name
from liuke.people.models import Login, StaffAct

THRESHOLDS_SENT = {
    "silent_after_days": "30", "churned_after_days": "90", "return_grace_days": "7",
    "middle_orders_min": "2", "middle_orders_max": "5", "warn_orders_min": "2",
    "warn_normal_permille": "5", "warn_lost_after_days": "180", "stake_horizon_days": "90",
}  # fmt: skip
OUTREACH_SENT = {
    "cap_hours": "168", "allowed_from": "09:00", "allowed_until": "20:30", "zones_when_unknown": "",
    "holdout_permyriad": "5", "brake_permille": "30", "wait_hours_max": "192", "send_within_hours": "24",
}  # fmt: skip


def page(client: Client, path: str) -> str:
    return client.get(path).content.decode()


# Thresholds ---------------------------------------------------------------------------------------


def test_every_threshold_has_a_field_and_words() -> None:
    rules = {f.name for f in RetentionPolicy._meta.concrete_fields} - {"version", "set_at"}
    assert rules == set(ThresholdsForm.base_fields) == set(THRESHOLDS)
    rules = {f.name for f in OutreachPolicy._meta.concrete_fields} - {"version", "set_at"}
    assert rules == set(OutreachForm.base_fields) == set(OUTREACH)
    with translation.override("zh-hans"):
        assert rule_name("cap_hours") == "两次营销至少间隔"
        assert rule_name("nothing") == ""


def test_a_changed_threshold_is_a_new_version_with_its_history(
    visitor: Client, operator: Login, shop: Source
) -> None:
    answer = visitor.post(
        "/rules/", {**THRESHOLDS_SENT, "silent_after_days": "45", "churned_after_days": "120"}
    )
    assert answer["Location"] == "/rules/"
    now = RetentionPolicy.objects.latest("version")
    assert (now.silent_after_days, now.churned_after_days, now.return_grace_days) == (45, 120, 7)
    assert RetentionPolicy.objects.count() == 2
    versions = visitor.get("/rules/").context["versions"]
    assert [(v.who, [(c.name, c.before, c.after) for c in v.changes]) for v in versions] == [
        ("站长", [("Silent after", "30", "45"), ("Churned after", "90", "120")]),
        ("", []),
    ]
    act = StaffAct.objects.get(verb="policy.set")
    assert (act.by, act.detail) == (operator, {"silent_after_days": 45, "churned_after_days": 120})


def test_saving_what_is_there_changes_nothing(visitor: Client) -> None:
    for path, form in (("/rules/", THRESHOLDS_SENT), ("/rules/outreach/", OUTREACH_SENT)):
        answer = visitor.post(path, form, follow=True)
        assert "Nothing was different" in answer.content.decode()
    assert (RetentionPolicy.objects.count(), OutreachPolicy.objects.count()) == (1, 1)
    assert not StaffAct.objects.filter(verb__startswith="policy.").exclude(by=None).exists()


def test_a_second_click_makes_one_version(visitor: Client) -> None:
    for _ in range(2):
        visitor.post("/rules/", {**THRESHOLDS_SENT, "stake_horizon_days": "60"})
        visitor.post("/rules/outreach/", {**OUTREACH_SENT, "cap_hours": "336"})
    assert (RetentionPolicy.objects.count(), OutreachPolicy.objects.count()) == (2, 2)


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"churned_after_days": "37"}, "churned_after_days", "more than silent and grace together: 37 days"),
        ({"silent_after_days": "0"}, "silent_after_days", ""),
        ({"silent_after_days": "-5"}, "silent_after_days", ""),
        ({"silent_after_days": "9" * 30}, "silent_after_days", ""),
        ({"silent_after_days": "dreißig"}, "silent_after_days", ""),
        ({"silent_after_days": ""}, "silent_after_days", ""),
        ({"middle_orders_min": "1"}, "middle_orders_min", ""),
        ({"middle_orders_min": "6"}, "middle_orders_max", "Cannot be less than"),
        ({"warn_normal_permille": "51"}, "warn_normal_permille", ""),
        ({"warn_normal_permille": "0"}, "warn_normal_permille", ""),
        ({"warn_normal_permille": "NaN"}, "warn_normal_permille", ""),
        ({"warn_normal_permille": "0.05"}, "warn_normal_permille", ""),
        ({"warn_orders_min": "1"}, "warn_orders_min", ""),
        ({"stake_horizon_days": "0"}, "stake_horizon_days", ""),
    ],
)  # fmt: skip
def test_thresholds_that_cannot_be_are_told_beside_their_field(
    visitor: Client, given: dict[str, str], field: str, says: str
) -> None:
    answer = visitor.post("/rules/", {**THRESHOLDS_SENT, **given})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert says in answer.content.decode()
    assert RetentionPolicy.objects.count() == 1


def test_a_share_is_typed_in_percent(visitor: Client) -> None:
    visitor.post("/rules/", {**THRESHOLDS_SENT, "warn_normal_permille": "2.5"})
    assert RetentionPolicy.objects.latest("version").warn_normal_permille == 25
    assert 'value="2.5"' in page(visitor, "/rules/")


def test_versions_of_the_command_line_are_told_too(visitor: Client) -> None:
    set_policy(silent_after_days=40)
    assert visitor.get("/rules/").context["versions"][0].who == "command line"


# Outreach -----------------------------------------------------------------------------------------


def test_what_outreach_may_do_is_changed_as_a_new_version(visitor: Client, operator: Login) -> None:
    sent = {
        **OUTREACH_SENT,
        "cap_hours": "336",
        "allowed_until": "21:00",
        "zones_when_unknown": "Asia/Shanghai\nAsia/Urumqi, Asia/Shanghai",
        "holdout_permyriad": "2.5",
        "brake_permille": "12.5",
    }
    assert visitor.post("/rules/outreach/", sent)["Location"] == "/rules/outreach/"
    now = OutreachPolicy.objects.latest("version")
    assert (now.cap_hours, now.allowed_until) == (336, dt.time(21))
    assert now.zones_when_unknown == ["Asia/Shanghai", "Asia/Urumqi"]
    assert (now.holdout_permyriad, now.brake_permille) == (250, 125)
    newest = visitor.get("/rules/outreach/").context["versions"][0]
    assert newest.who == operator.name
    assert ("Hold-out", "5%", "2.5%") in [(c.name, c.before, c.after) for c in newest.changes]


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"cap_hours": "167"}, "cap_hours", "168 hours are the least"),
        ({"cap_hours": "0"}, "cap_hours", "168 hours are the least"),
        ({"cap_hours": "9001"}, "cap_hours", ""),
        ({"allowed_from": "21:00"}, "allowed_until", "Has to be later"),
        ({"allowed_from": "25:00"}, "allowed_from", ""),
        ({"zones_when_unknown": "Beijing"}, "zones_when_unknown", "Beijing is not a time zone"),
        ({"zones_when_unknown": "Asia/Shanghai " + " ".join(
            f"Etc/GMT{n:+}" for n in range(1, 8))}, "zones_when_unknown", "At most 6 zones"),
        ({"zones_when_unknown": "<script>"}, "zones_when_unknown", "&lt;script&gt; is not a time zone"),
        ({"holdout_permyriad": "50.01"}, "holdout_permyriad", ""),
        ({"holdout_permyriad": "-1"}, "holdout_permyriad", ""),
        ({"brake_permille": "0"}, "brake_permille", ""),
        ({"wait_hours_max": "2161"}, "wait_hours_max", ""),
        ({"send_within_hours": "161"}, "send_within_hours", ""),
    ],
)  # fmt: skip
def test_an_outreach_policy_that_cannot_be_is_told_beside_its_field(
    visitor: Client, given: dict[str, str], field: str, says: str
) -> None:
    answer = visitor.post("/rules/outreach/", {**OUTREACH_SENT, **given})
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert says in answer.content.decode()
    assert OutreachPolicy.objects.count() == 1


def test_zones_that_leave_no_hour_are_refused_in_words(visitor: Client) -> None:
    zones = "Asia/Shanghai\nAmerica/Los_Angeles\nEurope/London"
    answer = visitor.post("/rules/outreach/", {**OUTREACH_SENT, "zones_when_unknown": zones})
    assert answer.status_code == 400
    assert "This policy is not possible" in answer.content.decode()
    assert OutreachPolicy.objects.count() == 1


def test_the_switch_says_who_and_when_and_every_page_says_it_is_off(
    visitor: Client, answering: Client, operator: Login, noon: dt.datetime
) -> None:
    assert "Outreach is on" in page(visitor, "/rules/outreach/")
    back = visitor.post("/outreach/stop/", {"next": "/rules/outreach/"})
    assert back["Location"] == "/rules/outreach/"
    shown = page(visitor, "/rules/outreach/")
    assert "Outreach is stopped" in shown
    assert "stopped 2026-03-15 12:00" in shown
    for client in (visitor, answering):
        for path in ("/", "/members/", "/calls/", "/account/"):
            assert "All outreach is stopped" in page(client, path)
    assert "/outreach/resume/" not in page(answering, "/")
    visitor.post("/outreach/resume/", {"next": "/rules/outreach/"})
    assert Switch.objects.get().is_stopped is False
    assert "on again since 2026-03-15 12:00" in page(visitor, "/rules/outreach/")
    assert "All outreach is stopped:" not in page(visitor, "/members/")


# Groups -------------------------------------------------------------------------------------------


def sent_groups(client: Client, **given: str) -> dict[str, str]:
    """The form of the groups as the page shows it, with some of it changed."""
    form: dict[str, str] = {}
    for place, group in enumerate(client.get("/rules/groups/").context["forms"], start=1):
        typed = {**group.typed, "name": group.title, "place": str(place)}
        form |= {f"{group.group.key}-{name}": value for name, value in typed.items()}
    return {**form, **given}


def order() -> list[str]:
    return list(RfmGroup.objects.order_by("priority").values_list("key", flat=True))


def test_the_groups_are_shown_in_their_order_with_amounts_in_yuan(visitor: Client) -> None:
    forms = visitor.get("/rules/groups/").context["forms"]
    assert [form.group.key for form in forms] == order()
    typed = {form.group.key: form.typed for form in forms}
    assert (typed["loyal"]["days_max"], typed["loyal"]["total_min"]) == ("7", "200")
    assert typed["low_value_new"]["total_max"] == "49.99"


def test_saving_the_groups_as_they_are_changes_nothing(visitor: Client) -> None:
    before = list(RfmGroup.objects.order_by("pk").values())
    answer = visitor.post("/rules/groups/", sent_groups(visitor), follow=True)
    assert "Nothing was different" in answer.content.decode()
    assert list(RfmGroup.objects.order_by("pk").values()) == before
    assert not StaffAct.objects.filter(verb="group.set").exists()


def test_bounds_that_meet_are_moved_together(visitor: Client, operator: Login) -> None:
    changed = {
        f"{key}-days_min": "45" for key in ("slipping", "low_value_new", "at_risk", "silent")
    } | {f"{key}-days_max": "44" for key in ("value", "growing", "fresh")}
    form = sent_groups(visitor, **changed)
    for _ in range(2):  # a second click finds nothing left to do
        assert visitor.post("/rules/groups/", form).status_code == 302
    assert set(RfmGroup.objects.exclude(days_min=None).values_list("days_min", flat=True)) == {45}
    assert StaffAct.objects.filter(verb="group.set", by=operator).count() == 7


def test_name_amount_and_action_are_changed(visitor: Client) -> None:
    form = sent_groups(
        visitor,
        **{
            "loyal-name": "金主",
            "loyal-total_min": "1,234.50",
            "loyal-action": "call",
            "loyal-r_min": "4",
        },
    )
    assert visitor.post("/rules/groups/", form).status_code == 302
    loyal = RfmGroup.objects.get(key="loyal")
    assert (loyal.name, loyal.total_min_fen, loyal.action, loyal.r_min) == (
        "金主",
        123_450,
        "call",
        4,
    )
    assert RfmGroup.objects.get(key="value").name == ""  # the shipped name stays translated


@pytest.mark.parametrize(
    ("places", "first"),
    [
        ({"fresh": "1"}, ["fresh", "loyal", "value"]),
        ({"loyal": "2"}, ["value", "loyal", "slipping"]),
        ({"loyal": "99"}, ["value", "slipping", "low_value_new"]),
        ({"loyal": "3", "slipping": "1"}, ["slipping", "value", "loyal"]),
    ],
)
def test_a_typed_place_moves_a_group(
    visitor: Client, places: dict[str, str], first: list[str]
) -> None:
    form = sent_groups(visitor, **{f"{key}-place": place for key, place in places.items()})
    assert visitor.post("/rules/groups/", form).status_code == 302
    assert order()[:3] == first
    assert len(order()) == 8


def test_members_left_without_a_group_are_described_and_the_bound_is_marked(
    visitor: Client,
) -> None:
    before = list(RfmGroup.objects.order_by("pk").values())
    answer = visitor.post("/rules/groups/", sent_groups(visitor, **{"fresh-days_max": "20"}))
    assert answer.status_code == 400
    shown = answer.content.decode()
    assert "somebody with 1 orders, the last 21 days ago" in shown
    wrong = {f.group.key: f.wrong for f in answer.context["forms"] if f.wrong}
    assert wrong == {"fresh": {"days": "This leaves members without a group."}}
    assert list(RfmGroup.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("given", "key", "bound"),
    [
        ({"loyal-days_min": "9", "loyal-days_max": "7"}, "loyal", "days"),
        ({"loyal-days_max": "viele"}, "loyal", "days"),
        ({"loyal-days_max": "-1"}, "loyal", "days"),
        ({"loyal-orders_min": "2.5"}, "loyal", "orders"),
        ({"loyal-orders_min": "1e99"}, "loyal", "orders"),
        ({"loyal-total_min": "0.001"}, "loyal", "total"),
        ({"loyal-total_min": "9" * 40}, "loyal", "total"),
        ({"loyal-r_min": "6"}, "loyal", "r"),
        ({"loyal-total_min": "NaN"}, "loyal", "total"),
        ({"loyal-total_min": "<b>"}, "loyal", "total"),
    ],
)
def test_bounds_that_cannot_be_are_told_beside_them(
    visitor: Client, given: dict[str, str], key: str, bound: str
) -> None:
    before = list(RfmGroup.objects.order_by("pk").values())
    answer = visitor.post("/rules/groups/", sent_groups(visitor, **given))
    assert answer.status_code == 400
    wrong = {f.group.key: list(f.wrong) for f in answer.context["forms"] if f.wrong}
    assert wrong == {key: [bound]}
    assert (
        "<b>" not in answer.content.decode().replace("</b>", "").split("<main")[1].split("box-h")[1]
    )
    assert list(RfmGroup.objects.order_by("pk").values()) == before
