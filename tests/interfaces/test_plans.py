"""A plan in the browser: the form and its errors, the preview, one start per click, holding and ending."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.test import Client

from liuke.analytics.models import Source
from liuke.engagement import queries
from liuke.engagement.actions.send import send_due
from liuke.engagement.models import Decision, Message, Plan, PlanVersion, Run, Switch
from liuke.people.models import Attestation, Consent, StaffAct
from tests.engagement import make

FORM = {
    "name": "Wake them", "segment": "", "channel": "inbox", "purpose": "marketing",
    "subject": "We miss you", "body": "Hello {member}", "offer": "", "offer_worth": "5.50",
    "cost_each": "0.05", "control_percent": "20", "window_days": "30", "again_after_days": "14",
}  # fmt: skip


@pytest.fixture
def silent(nobody_held_out: None, tmp_path: Path) -> Source:
    """Twelve silent members who agreed to everything."""
    return make.shop(tmp_path, 12)


@pytest.fixture
def draft(silent: Source) -> Plan:
    return make.plan(silent)


def form(visitor: Client, **changes: object) -> dict[str, object]:
    token = visitor.get("/plans/new/").context["once"]
    return {**FORM, "once": token, "stage": "silent", **changes}


def errors(visitor: Client, **changes: object) -> dict[str, list[str]]:
    answer = visitor.post("/plans/new/", form(visitor, **changes))
    assert answer.status_code == 400
    assert not Plan.objects.exists()
    found: dict[str, list[str]] = answer.context["form"].errors.get_json_data()
    return {field: [one["message"] for one in told] for field, told in found.items()}


def start(visitor: Client, plan: Plan, **changes: object) -> str:
    page = visitor.get(f"/plans/{plan.reference}/")
    version = page.context["version"].number
    data = {"once": page.context["once"], "version": version, "confirmed": "12", **changes}
    answer = visitor.post(f"/plans/{plan.reference}/start/", data, follow=True)
    assert answer.redirect_chain == [(f"/plans/{plan.reference}/", 302)]
    return answer.content.decode()


def test_the_templates_say_how_many_fit_now(visitor: Client, silent: Source) -> None:
    page = visitor.get("/plans/")
    cards = {card.template.key: card.members for card in page.context["cards"]}
    assert cards == {"seven_days": 0, "return_pack": 12, "leaving_calls": 0, "at_risk_calls": 0}
    assert "/plans/new/?template=return_pack" in page.content.decode()


def test_an_audience_that_no_filter_can_say_comes_with_its_template(
    visitor: Client, silent: Source
) -> None:
    (seven,) = [each for each in queries.templates() if each.key == "seven_days"]
    page = visitor.get("/plans/new/?template=seven_days")
    assert "last seen 7 to 29 days ago; 2 orders or more" in page.content.decode()
    assert "Look at these members" not in page.content.decode()  # no list can show just them
    narrowed = visitor.get("/plans/new/?template=seven_days&stage=silent")
    assert "last seen" not in narrowed.content.decode()
    assert 'href="/members/?stage=silent">Look at these members' in narrowed.content.decode()
    fields = {key: page.context["form"].initial[key] for key in (
        "name", "channel", "purpose", "subject", "body", "window_days", "again_after_days")}  # fmt: skip
    sent = {**fields, "template": "seven_days", "once": page.context["once"]}
    visitor.post("/plans/new/", sent)
    version = PlanVersion.objects.get()
    assert (version.audience, version.template) == (seven.audience, "seven_days")


def test_a_template_fills_the_form(visitor: Client, silent: Source) -> None:
    answer = visitor.get("/plans/new/?template=return_pack")
    assert answer.context["members"] == 12
    assert answer.context["kept"] == {"stage": "silent", "days_min": "30"}
    assert answer.context["form"].initial["offer_worth"] == "50"
    page = answer.content.decode()
    assert '<input type="hidden" name="template" value="return_pack">' in page
    assert "{offer" in page


def test_saving_makes_a_version_with_exactly_what_was_typed(
    visitor: Client, silent: Source
) -> None:
    answer = visitor.post("/plans/new/", form(visitor))
    version = PlanVersion.objects.get()
    assert answer["Location"] == f"/plans/{version.plan.reference}/"
    assert (version.plan.name, version.audience) == ("Wake them", {"stage": "silent"})
    assert (version.channel, version.purpose, version.body) == (
        "inbox", "marketing", "Hello {member}",
    )  # fmt: skip
    assert (version.offer_worth_fen, version.cost_each_fen) == (550, 5)
    assert (version.control_permyriad, version.window_days, version.again_after_days) == (
        2000, 30, 14,
    )  # fmt: skip


def test_without_a_share_a_fifth_of_a_small_audience_is_control(
    visitor: Client, silent: Source
) -> None:
    visitor.post("/plans/new/", form(visitor, control_percent=""))
    assert PlanVersion.objects.get().control_permyriad == 2000


def test_the_same_form_sent_twice_makes_one_plan(visitor: Client, silent: Source) -> None:
    data = form(visitor)
    for _ in range(2):
        assert visitor.post("/plans/new/", data).status_code == 302
    assert Plan.objects.count() == 1
    assert visitor.post("/plans/new/", {**data, "once": "made up"})["Location"] == "/plans/"
    assert Plan.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": ""}, "name", "required"),
        ({"body": ""}, "body", "required"),
        ({"body": "Hello {nobody}"}, "body", "{nobody} is not known"),
        ({"body": "You bought {last_item}"}, "body", "Not every member has {last_item}"),
        ({"body": "Hello {"}, "body", "brace"),
        ({"subject": "Hi {nobody}"}, "subject", "{nobody} is not known"),
        ({"channel": "email", "subject": ""}, "subject", "nothing to say"),
        ({"channel": "sms", "body": "x" * 336}, "body", "336 letters; the channel takes 328"),
        ({"channel": "pigeon"}, "channel", "pigeon"),
        ({"purpose": "spam"}, "purpose", "spam"),
        ({"window_days": "0"}, "window_days", "1"),
        ({"window_days": "181"}, "window_days", "180"),
        ({"control_percent": "91"}, "control_percent", "90"),
        ({"offer_worth": "-1"}, "offer_worth", "0"),
        ({"offer_worth": "1.005"}, "offer_worth", "2"),
        ({"cost_each": "much"}, "cost_each", "number"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_saved(
    changes: dict[str, object], field: str, says: str, visitor: Client, silent: Source
) -> None:
    found = errors(visitor, **changes)
    assert list(found) == [field]
    assert says in found[field][0]


def test_the_preview_counts_everyone_once_and_writes_nothing(
    visitor: Client, silent: Source, draft: Plan
) -> None:
    make.say([make.member("m001"), make.member("m002")], False)
    page = visitor.get(f"/plans/{draft.reference}/")
    seen = page.context["seen"]
    assert (seen.preview.audience, seen.preview.excluded) == (12, {"no_consent": 2})
    assert sum(part.members for part in seen.parts) == 12
    text = page.content.decode()
    assert "Has not agreed" in text
    assert "Hello m0" in text  # the text as a member would read it
    assert not Decision.objects.exists()
    assert not Message.objects.exists()


def test_the_big_button_names_the_number_and_sends_to_so_many(
    visitor: Client, draft: Plan, noon: object
) -> None:
    page = visitor.get(f"/plans/{draft.reference}/").content.decode()
    assert "Send to 12 members" in page
    assert "Type 12 to confirm" in page  # everyone at once is above the brake
    start(visitor, draft)
    make.decide()
    send_due()
    run = Run.objects.get()
    assert queries.progress(run).by_reason == {"accepted": 12}
    assert Message.objects.filter(state="accepted").count() == 12


@pytest.mark.parametrize("confirmed", ["", "11", "twelve"])
def test_above_the_brake_a_wrong_number_starts_nothing(
    confirmed: str, visitor: Client, draft: Plan
) -> None:
    assert "Confirm the number to go on" in start(visitor, draft, confirmed=confirmed)
    assert not Run.objects.exists()


def test_a_double_click_and_the_back_button_start_one_run(visitor: Client, draft: Plan) -> None:
    page = visitor.get(f"/plans/{draft.reference}/")
    data = {"once": page.context["once"], "version": 1, "confirmed": "12"}
    for _ in range(3):
        assert visitor.post(f"/plans/{draft.reference}/start/", data).status_code == 302
    assert Run.objects.count() == 1
    visitor.post(f"/runs/{Run.objects.get().reference}/stop/")
    visitor.post(f"/plans/{draft.reference}/start/", data)
    assert "has already run today" in start(visitor, draft)
    assert Run.objects.count() == 1
    assert StaffAct.objects.filter(verb="run.start").count() == 1


def test_a_plan_changed_meanwhile_is_looked_at_again(visitor: Client, draft: Plan) -> None:
    assert "was changed meanwhile" in start(visitor, draft, version="7")
    assert not Run.objects.exists()


def test_editing_makes_the_next_version_and_the_run_keeps_its_own(
    visitor: Client, silent: Source, draft: Plan
) -> None:
    start(visitor, draft)
    data = {**FORM, "name": "New name", "stage": "silent", "body": "Other words {member}"}
    answer = visitor.post(f"/plans/{draft.reference}/edit/", data)
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert (draft.name, Run.objects.get().version.number) == ("New name", 1)
    assert queries.version_in_force(draft).body == "Other words {member}"
    visitor.post(f"/plans/{draft.reference}/edit/", data)  # the same again is no version
    assert PlanVersion.objects.count() == 2
    wrong = visitor.post(f"/plans/{draft.reference}/edit/", {**data, "body": "{nobody}"})
    assert wrong.status_code == 400
    assert PlanVersion.objects.count() == 2


def test_pause_go_on_and_stop(visitor: Client, draft: Plan) -> None:
    start(visitor, draft)
    run = Run.objects.get()

    def press(button: str) -> tuple[str, str]:
        answer = visitor.post(f"/runs/{run.reference}/{button}/", follow=True)
        run.refresh_from_db()
        return run.state, answer.content.decode()

    assert press("pause")[0] == "paused"
    state, page = press("pause")
    assert (state, "in another state by now" in page) == ("paused", True)
    assert press("resume")[0] == "running"
    assert press("stop")[0] == "stopped"
    assert press("resume")[0] == "stopped"
    assert set(Decision.objects.values_list("reason", flat=True)) == {"stopped"}


def test_progress_is_a_part_of_the_page_that_is_never_kept(visitor: Client, draft: Plan) -> None:
    start(visitor, draft)
    run = Run.objects.get()
    answer = visitor.get(f"/runs/{run.reference}/progress/")
    assert "no-store" in answer["Cache-Control"]
    assert "<html" not in answer.content.decode()
    assert "12 candidates" in answer.content.decode()
    page = visitor.get(f"/plans/{draft.reference}/").content.decode()
    assert f'data-poll="/runs/{run.reference}/progress/"' in page


def test_the_kill_switch_is_on_every_page_and_stops_starting(
    visitor: Client, answering: Client, draft: Plan
) -> None:
    visitor.post("/outreach/stop/", {"next": "/plans/"})
    for path in ("/", "/plans/", "/members/"):
        assert "All outreach is stopped: nothing" in visitor.get(path).content.decode()
    seen = answering.get("/members/").content.decode()
    assert "All outreach is stopped: nothing" in seen
    assert "/outreach/resume/" not in seen  # an agent is told, and cannot change it
    assert "All outreach is stopped" in start(visitor, draft)
    assert not Run.objects.exists()
    answer = visitor.post("/outreach/resume/", {"next": "https://bad.example/"})
    assert answer["Location"] == "/plans/"
    assert not Switch.objects.get().is_stopped


def test_missing_consent_is_explained_and_attested_on_the_spot(
    visitor: Client, tmp_path: Path, nobody_held_out: None
) -> None:
    source = make.shop(tmp_path, 8, agreed=False)
    plan = make.plan(source)
    make.say([make.member("m001")], False)
    page = visitor.get(f"/plans/{plan.reference}/").content.decode()
    assert "Only 0 of 8 have agreed" in page
    assert "Send to" not in page
    answer = visitor.post(
        f"/plans/{plan.reference}/attest/", {"statement": " ", "channel": ["inbox"]}, follow=True
    )
    assert "Say how these members agreed." in answer.content.decode()
    assert not Attestation.objects.exists()
    visitor.post(
        f"/plans/{plan.reference}/attest/",
        {"statement": "a box on the order form", "channel": ["inbox", "pigeon"]},
    )
    assert Attestation.objects.get().statement == "a box on the order form"
    assert Consent.objects.filter(channel="inbox", is_given=True).count() == 8  # 7 and `fresh`
    page = visitor.get(f"/plans/{plan.reference}/").content.decode()
    assert "Send to 7 members" in page


def test_an_empty_audience_starts_nothing(visitor: Client, silent: Source) -> None:
    plan = make.plan(silent, audience={"stage": "churned"})
    page = visitor.get(f"/plans/{plan.reference}/").content.decode()
    assert "Nobody fits today." in page
    assert "/start/" not in page
    assert "Nobody is in this audience today" in start(visitor, plan, confirmed="")
    assert not Run.objects.exists()


def test_daily_and_by_hand_and_retired(visitor: Client, draft: Plan) -> None:
    visitor.post(f"/plans/{draft.reference}/daily/")
    draft.refresh_from_db()
    assert (draft.rhythm, draft.next_run_at is not None) == ("daily", True)
    visitor.post(f"/plans/{draft.reference}/by-hand/")
    visitor.post(f"/plans/{draft.reference}/retire/")
    draft.refresh_from_db()
    assert (draft.rhythm, draft.state) == ("once", "retired")
    assert visitor.get("/plans/").context["lines"] == []
    assert len(visitor.get("/plans/?retired=1").context["lines"]) == 1
    page = visitor.get(f"/plans/{draft.reference}/").content.decode()
    assert "/start/" not in page
    answer = visitor.post(f"/plans/{draft.reference}/daily/", follow=True)
    assert "This plan is retired." in answer.content.decode()


def test_the_run_shows_everyone_with_the_reason_and_as_a_sheet(
    visitor: Client, silent: Source, draft: Plan, noon: object
) -> None:
    make.say([make.member("m001")], False)
    run = make.run(draft)
    make.decide()
    send_due()
    page = visitor.get(f"/runs/{run.reference}/?reason=no_consent")
    assert [row.member_name for row, _ in page.context["rows"]] == ["m001"]
    assert page.context["page"].total == 1
    assert visitor.get(f"/runs/{run.reference}/?reason=nonsense").context["page"].total == 12
    text = b"".join(visitor.get(f"/runs/{run.reference}/?format=csv")).decode("utf-8-sig")  # type: ignore[arg-type]
    rows = {row["Member"]: row["Reason"] for row in csv.DictReader(io.StringIO(text))}
    assert len(rows) == 12
    assert rows["m001"] == "Has not agreed"
    assert sorted(rows.values()) == ["Has not agreed", *["Sent"] * 11]


def test_agents_and_strangers_start_nothing(
    visitor: Client, answering: Client, draft: Plan
) -> None:
    start(visitor, draft)
    run = Run.objects.get()
    for path in (
        f"/plans/{draft.reference}/start/", f"/plans/{draft.reference}/edit/", f"/plans/{draft.reference}/daily/",
        f"/plans/{draft.reference}/retire/", f"/plans/{draft.reference}/attest/", "/plans/new/",
        f"/runs/{run.reference}/stop/", f"/runs/{run.reference}/pause/", f"/runs/{run.reference}/calls/",
        "/outreach/stop/",
    ):  # fmt: skip
        assert answering.post(path, FORM).status_code == 403, path
        assert Client().post(path, FORM)["Location"].startswith("/login/"), path
    for path in ("/plans/", f"/plans/{draft.reference}/", f"/runs/{run.reference}/",
                 f"/runs/{run.reference}/progress/", f"/plans/{draft.reference}/results/", "/results/"):  # fmt: skip
        assert answering.get(path).status_code == 403, path
    run.refresh_from_db()
    assert (run.state, Plan.objects.count(), PlanVersion.objects.count()) == ("running", 1, 1)
    assert not Switch.objects.get().is_stopped
    assert not Attestation.objects.exists()


@pytest.mark.parametrize(
    "path",
    ["/plans/23456789ABCD/", "/plans/nonsense/edit/", "/runs/23456789ABCD/", "/runs/x/progress/",
     "/plans/x/results/"],
)  # fmt: skip
def test_unknown_references_are_pages(path: str, visitor: Client, silent: Source) -> None:
    assert visitor.get(path).status_code == 404


def test_changes_come_by_post_alone(visitor: Client, draft: Plan) -> None:
    for path in ("start", "daily", "by-hand", "retire", "attest"):
        assert visitor.get(f"/plans/{draft.reference}/{path}/").status_code == 405
