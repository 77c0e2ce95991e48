"""The tick sees what is due and hands it over once; carrying out goes on until nothing is."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.base.audit import check
from liuke.engagement import jobs, queries
from liuke.engagement.actions.plans import activate_daily
from liuke.engagement.actions.policy import (
    resume_everything,
    set_outreach_policy,
    stop_everything,
)
from liuke.engagement.invariants import invariants
from liuke.engagement.models import Message, Run
from tests.engagement import make

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def shop(noon: dt.datetime, tmp_path: Path) -> Source:
    set_outreach_policy(by=None, holdout_permyriad=0, brake_permille=1000)
    return make.shop(tmp_path, 4)


def waiting_jobs() -> list[str]:
    found = ProcrastinateJob.objects.filter(status="todo", task_name__startswith="engagement.")
    return list(found.values_list("task_name", flat=True))


def test_with_nothing_to_do_nothing_is_handed_over(shop: Source) -> None:
    make.plan(shop)
    jobs.tick(timestamp=0)
    jobs.carry_out()
    assert (waiting_jobs(), queries.has_work()) == ([], False)


def test_a_daily_plan_is_carried_out_to_its_end(shop: Source) -> None:
    activate_daily(make.plan(shop, control_permyriad=5000).reference, by=None)
    jobs.tick(timestamp=0)
    jobs.tick(timestamp=60)
    assert waiting_jobs() == ["engagement.carry_out"]
    jobs.carry_out()
    run = Run.objects.get()
    assert run.state == "finished"
    reasons = queries.progress(run).by_reason
    assert set(reasons) <= {"accepted", "control"}
    assert sum(reasons.values()) == 4
    assert [check(promise).violations for promise in invariants()] == [0] * len(invariants())
    assert not queries.has_work()


def test_starting_and_switching_on_hand_the_work_over(shop: Source) -> None:
    make.run(make.plan(shop))
    assert waiting_jobs() == ["engagement.carry_out"]
    stop_everything(by=None)
    jobs.carry_out()
    assert not Message.objects.exists()
    ProcrastinateJob.objects.filter(status="todo").delete()
    resume_everything(by=None)
    assert waiting_jobs() == ["engagement.carry_out"]


def test_waiting_is_no_work_until_it_is_due(shop: Source, noon: dt.datetime) -> None:
    make.run(make.plan(shop))
    make.run(make.plan(shop, name="Another"))
    jobs.carry_out()
    assert not queries.has_work()
    with clock.stopped_at(noon + 168 * HOUR):
        assert queries.has_work()


def test_a_long_run_lets_another_job_go_on(shop: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "CARRY_OUT_SECONDS", -1)
    make.run(make.plan(shop))
    ProcrastinateJob.objects.filter(status="todo").delete()
    jobs.carry_out()
    assert waiting_jobs() == ["engagement.carry_out"]


def test_the_worker_carries_out_without_loading_numpy() -> None:
    code = "import django; django.setup(); import liuke.engagement.jobs, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
