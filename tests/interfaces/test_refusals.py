"""Refusals become pages with the fitting status, errors become pages that help."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from liuke.base.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable
from liuke.interfaces.ui.refusals import refusals_as_pages


class TooLate(Conflict):
    says = "Too late for %(what)s."


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(Invalid(), 400), (Forbidden(), 403), (NotFound(), 404), (TooLate(what="<b>"), 409), (Unavailable(), 503),
     (Refusal(), 400)],
)  # fmt: skip
def test_each_refusal_has_its_status_and_says_its_sentence(
    refusal: Refusal, status: int, rf: RequestFactory
) -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        raise refusal

    answer = refusals_as_pages(view)(rf.get("/"))
    assert answer.status_code == status
    assert b"<b>" not in answer.content  # type: ignore[attr-defined]


def test_an_unknown_address_gets_our_page(client: Client, db: None) -> None:
    client.cookies["lang"] = "en"
    answer = client.get("/nothing/here/")
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content


def test_a_form_without_its_token_gets_our_page(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/login/", {})
    assert answer.status_code == 403
    assert "没有改动任何内容" in answer.content.decode()


def test_the_page_for_a_fault_needs_nothing(db: None) -> None:
    page = render_to_string("500.html")
    assert "出错了" in page
    assert "Something broke" in page
    assert render_to_string("403.html", request=RequestFactory().get("/"))
