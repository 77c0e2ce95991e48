"""The pages of analysis in a real browser: readable, nothing wider than the window, no complaint of axe."""

from __future__ import annotations

from pathlib import Path

import pytest

from liuke.analytics.actions.evaluate import evaluate
from liuke.analytics.models import Forecast, ForecastRun
from liuke.base import clock
from tests.analytics import forecasts, make
from tests.browser.conftest import DESK, PHONE, Visitor
from tests.interfaces.conftest import unkind_lines

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ("/analysis/", "/analysis/cohorts/?by=product", "/analysis/causes/", "/leaving/")


@pytest.mark.parametrize(
    ("size", "theme", "lang"), [(PHONE, "dark", "zh-hans"), (DESK, "light", "en")]
)
def test_the_pages_of_analysis_can_be_read(
    visitor: Visitor, tmp_path: Path, size: tuple[int, int], theme: str, lang: str
) -> None:
    source = make.orders(tmp_path, *unkind_lines(clock.today()), source="shop").source
    evaluate(source=source)
    forecasts.checked(source)
    Forecast.objects.update(is_leaving=True, recoverable_fen=1_200)
    ForecastRun.objects.update(leaving=Forecast.objects.count())
    member = Forecast.objects.select_related("member").order_by("pk")[0].member
    for path in (*PAGES, f"/members/{member.reference}/"):
        visit = visitor.open(path, size=size, theme=theme, lang=lang)
        assert visit.complaints == [], path
        assert visit.sideways() == 0, path
        assert visit.axe() == [], path
        visit.page.context.close()
