"""Does an order log make the same members of the same names, however the database goes about it?"""

from __future__ import annotations

import pytest
from django.db import connection

from liuke.base import chance
from liuke.people.actions import enrol
from liuke.people.models import Member

NAMES = [f"m{n:03}" for n in range(60)]


@pytest.mark.django_db
@pytest.mark.parametrize("join", ["nestloop", "hashjoin", "mergejoin"])
def test_ids_go_out_in_the_order_of_names_by_any_join(join: str) -> None:
    others = {"nestloop", "hashjoin", "mergejoin"} - {join}
    with connection.cursor() as cursor:
        for other in others:
            cursor.execute(f"SET LOCAL enable_{other} = off")
    with chance.seeded(1) as draw:
        mixed = draw.sample(NAMES, len(NAMES))
    assert enrol(source="main", names=mixed) == 60
    assert list(Member.objects.order_by("id").values_list("external_id", flat=True)) == NAMES
