"""Import by dropping a file: what is asked, what is refused, what is shown while it is read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files import uploadhandler
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from liuke.analytics.actions.import_upload import import_upload
from liuke.analytics.models import Import, Purchase, Source, Upload
from liuke.people.models import StaffAct
from tests.analytics import make

LINES = """订单号,用户,下单时间,实付金额
A1,ann,2026-03-01 10:00,5.00
A2,ann,2026-03-02 10:00,7.00
A3,13800138000,2026-03-02 11:00,3.00
A4,,2026-03-03 11:00,3.00
A5,bob,昨天,3.00
"""
COLUMNS = {"column-order": "1", "column-member": "2", "column-at": "3", "column-amount": "4"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own; where the files lie."""
    monkeypatch.setattr(settings, "LIUKE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "uploads"


def drop(client: Client, content: str | bytes = LINES, name: str = "订单.csv", **more: str) -> str:
    """Drop a file; where that leads."""
    data = content.encode() if isinstance(content, str) else content
    answer = client.post("/import/take/", {"file": SimpleUploadedFile(name, data)}, **more)
    return str(answer["Location"]) if answer.status_code == 302 else answer.content.decode()


def said(client: Client) -> str:
    """The page where files are dropped, with what is said on top."""
    return client.get("/import/").content.decode()


def begin(client: Client, path: str, **given: str) -> object:
    form = {**COLUMNS, "title": "我的店", "currency": "CNY", "timezone": "Asia/Shanghai", **given}
    return client.post(f"{path}start/", form)


def kept(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()] if folder.is_dir() else []


# Dropping -----------------------------------------------------------------------------------------


def test_a_dropped_file_leads_to_its_page(visitor: Client, folder: Path) -> None:
    path = drop(visitor)
    upload = Upload.objects.get()
    assert path == f"/import/{upload.reference}/"
    assert (upload.state, upload.by.name if upload.by else "") == ("dropped", "站长")
    assert kept(folder) == [upload.reference]
    page = visitor.get(path).content.decode()
    for cell in ("下单时间", "2026-03-01 10:00", "昨天"):
        assert cell in page
    assert '<option value="2" selected>2 · 用户</option>' in page
    assert '<option value="3" selected>3 · 下单时间</option>' in page
    assert '<option value="4" selected>4 · 实付金额</option>' in page
    assert 'value="CNY"' in page
    assert 'value="Asia/Shanghai"' in page
    assert Import.objects.count() == 0


def test_the_script_is_told_the_address_instead_of_being_sent_there(
    visitor: Client, folder: Path
) -> None:
    asked = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}
    path = drop(visitor, **asked)
    assert path == f"/import/{Upload.objects.get().reference}/"
    assert drop(visitor, b"", **asked) == "/import/"
    assert "This file is empty." in said(visitor)


def test_a_form_without_its_token_is_refused(visitor: Client, folder: Path) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = visitor.cookies
    answer = strict.post("/import/take/", {"file": SimpleUploadedFile("a.csv", LINES.encode())})
    assert answer.status_code == 403
    assert kept(folder) == []


def test_nobody_leaves_a_file_without_being_let_in(
    client: Client, answering: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as watched:
        watched.setattr(uploadhandler, "TemporaryUploadedFile", None)  # not even for a moment
        assert drop(client).startswith("/login/?next=")
    file = SimpleUploadedFile("a.csv", LINES.encode())
    assert answering.post("/import/take/", {"file": file}).status_code == 403
    assert (Upload.objects.count(), kept(folder)) == (0, [])


@pytest.mark.parametrize("content", [b"", None])
def test_nothing_or_an_empty_file_is_said_plainly(
    visitor: Client, folder: Path, content: bytes | None
) -> None:
    path = (
        drop(visitor, content) if content is not None else visitor.post("/import/take/")["Location"]
    )
    assert path == "/import/"
    assert ("This file is empty." if content is not None else "Choose a file first.") in said(
        visitor
    )
    assert (Upload.objects.count(), kept(folder)) == (0, [])


def test_too_large_a_file_is_stopped_while_it_arrives(
    visitor: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LIUKE_UPLOAD_MB", 1)
    assert drop(visitor, b"a,b,c\n" * 200_000) == "/import/"
    page = said(visitor)
    assert "This file is larger than 1 MB. On the server: liuke import orders FILE" in page
    assert (Upload.objects.count(), kept(folder)) == (0, [])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00xl/vbaProject.bin" + b"\x00" * 200, "is an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "is an old Excel workbook"),
        (b"%PDF-1.7 ...", "it looks like a PDF document"),
        (b"<html><body><table></table></body></html>", "it looks like HTML or XML"),
        (b"\x00\x01\x02\x03" * 300, "it looks like"),
        (b"hello\nworld\n", "has 1 column"),
        ("用户,时间,金额\n".encode(), "has a header and no lines under it"),
        (gzip.compress(LINES.encode())[:-20], "is damaged or cut short"),
    ],
    ids=["xlsm", "xls", "pdf", "html", "binary", "words", "header only", "cut gzip"],
)
def test_what_is_no_table_ends_in_a_sentence(
    visitor: Client, folder: Path, content: bytes, says: str
) -> None:
    path = drop(visitor, content, "订单.xls")
    page = visitor.get(path).content.decode()
    assert "This file cannot be read" in page
    assert says in page
    assert "start/" not in page
    assert visitor.post(f"{path}discard/")["Location"] == "/import/"
    assert (Upload.objects.count(), kept(folder)) == (0, [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_usual_encoding_is_read(visitor: Client, encoding: str) -> None:
    page = visitor.get(drop(visitor, LINES.encode(encoding))).content.decode()
    assert "实付金额" in page
    assert "This file cannot be read" not in page


def test_cells_are_shown_as_text_whatever_they_hold(visitor: Client) -> None:
    bad = "用户,时间,金额\n<script>alert(1)</script>,2026-03-01,5\n\"=cmd|' /C calc'!A0\",2026-03-02,5\n"
    page = visitor.get(drop(visitor, bad, "<b>.csv")).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>.csv" not in page


# Saying what is what ------------------------------------------------------------------------------


def test_one_click_imports_what_was_guessed(visitor: Client, folder: Path) -> None:
    path = drop(visitor)
    assert begin(visitor, path)["Location"] == path  # type: ignore[index]
    upload = Upload.objects.get()
    assert (upload.state, upload.source_key, upload.title) == ("queued", "main", "我的店")
    assert b"Waits for its turn" in visitor.get(path).content
    assert import_upload(reference=upload.reference)
    page = visitor.get(path).content.decode()
    assert "5 lines: 3 taken, 2 left out." in page
    assert "no member" in page
    assert "is no date" in page or "昨天" in page
    source = Source.objects.get()
    assert (source.key, source.title, source.currency) == ("main", "我的店", "CNY")
    assert Purchase.objects.count() == 3
    assert kept(folder) == []


def test_a_second_click_begins_nothing_twice(visitor: Client) -> None:
    path = drop(visitor)
    for _ in range(2):
        assert begin(visitor, path)["Location"] == path  # type: ignore[index]
    assert StaffAct.objects.filter(verb="upload.start").count() == 1
    assert visitor.post(f"{path}discard/", follow=True).status_code in (200, 404)


@pytest.mark.parametrize(
    ("given", "says", "field"),
    [
        ({"column-amount": ""}, "holds the amount", ""),
        ({"column-amount": "99"}, "has no column", ""),
        ({"column-amount": "2"}, "cannot be both", ""),
        ({"currency": "YUAN"}, "is not a currency code", "currency"),
        ({"timezone": "Beijing"}, "There is no time zone named Beijing", "timezone"),
        ({"decimal": "x"}, "decimal", ""),
        ({"date_order": "xyz"}, "date", ""),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_begun(
    visitor: Client, given: dict[str, str], says: str, field: str
) -> None:
    path = drop(visitor)
    answer = begin(visitor, path, **given)
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert answer.status_code == 400  # type: ignore[attr-defined]
    assert says in page
    if field:
        assert 'aria-invalid="true"' in page
    assert "我的店" in page  # what was typed is still there
    assert Upload.objects.get().state == "dropped"
    assert not StaffAct.objects.filter(verb="upload.start").exists()


def test_a_doubtful_date_is_asked_about(visitor: Client) -> None:
    doubtful = "用户,时间,金额\nann,03/04/2026,5\nbob,05/06/2026,5\n"
    path = drop(visitor, doubtful)
    page = visitor.get(path).content.decode()
    assert "How is 03/04/2026 meant?" in page
    form = {"column-member": "1", "column-at": "2", "column-amount": "3", "column-order": ""}
    answer = begin(visitor, path, **form)
    assert answer.status_code == 400  # type: ignore[attr-defined]
    assert b"03/04/2026 can be read in more than one order" in answer.content  # type: ignore[attr-defined]
    assert begin(visitor, path, **form, date_order="dmy").status_code == 302  # type: ignore[attr-defined]
    assert import_upload(reference=Upload.objects.get().reference)
    assert sorted(str(day) for day in Purchase.objects.values_list("on", flat=True)) == [
        "2026-04-03",
        "2026-06-05",
    ]


def test_a_second_file_goes_to_the_shop_that_is_there_or_to_a_new_one(
    visitor: Client, tmp_path: Path
) -> None:
    make.orders(tmp_path, "x,2026-01-01,5.00,X1,,1", source="main")
    path = drop(visitor)
    page = visitor.get(path).content.decode()
    assert '<input type="radio" name="source" value="main" checked>' in page
    # It keeps its own currency, whatever stands in the fields for a new one.
    assert begin(visitor, path, source="main", currency="USD").status_code == 302  # type: ignore[attr-defined]
    assert import_upload(reference=Upload.objects.get().reference)
    assert Source.objects.get().currency == "CNY"
    begin(visitor, drop(visitor), source="", title="二店", currency="usd")
    upload = Upload.objects.latest("id")
    assert (upload.source_key, upload.options["currency"]) == ("shop-2", "USD")
    assert import_upload(reference=upload.reference)
    found = Source.objects.get(key="shop-2")
    assert (found.title, found.currency) == ("二店", "USD")


def test_a_file_that_was_imported_before_changes_nothing(visitor: Client) -> None:
    for n in range(2):
        begin(visitor, path := drop(visitor), **({"source": "main"} if n else {}))
        assert import_upload(reference=path.split("/")[2])
    page = visitor.get(path).content.decode()
    assert "Every order was known already" in page
    assert Purchase.objects.count() == 3


# While it is read ---------------------------------------------------------------------------------


def test_the_part_that_moves_says_how_far_it_is_and_when_it_has_ended(visitor: Client) -> None:
    path = drop(visitor)
    begin(visitor, path)
    upload = Upload.objects.get()
    assert f'data-poll="{path}progress/"' in visitor.get(path).content.decode()
    Upload.objects.update(state="reading", done=250, whole=1000, lines=1234)
    part = visitor.get(f"{path}progress/").content.decode()
    assert "1,234 lines so far" in part
    assert 'width="250"' in part
    assert "<html" not in part
    assert "data-poll-end" not in part
    Upload.objects.update(state="queued")
    assert import_upload(reference=upload.reference)
    assert "data-poll-end" in visitor.get(f"{path}progress/").content.decode()
    assert "data-poll=" not in visitor.get(path).content.decode()


def test_a_refused_import_says_why(visitor: Client) -> None:
    path = drop(visitor, "用户,时间,金额\n,2026-03-01,5\n,2026-03-02,5\n")
    begin(
        visitor,
        path,
        **{"column-order": "", "column-member": "1", "column-at": "2", "column-amount": "3"},
    )
    assert import_upload(reference=Upload.objects.get().reference)
    page = visitor.get(path).content.decode()
    assert "Nothing was imported" in page
    assert "none of the 2 lines could be read" in page
    assert Upload.objects.get().state == "refused"
    assert "Refused" in said(visitor)


def test_without_a_script_the_page_asks_again_by_itself(visitor: Client) -> None:
    path = drop(visitor)
    begin(visitor, path)
    assert '<noscript><meta http-equiv="refresh"' in visitor.get(path).content.decode()


def test_past_imports_are_listed_also_those_of_the_command_line(
    visitor: Client, tmp_path: Path
) -> None:
    make.orders(tmp_path, "x,2026-01-01,5.00,X1,,1", source="main")
    path = drop(visitor)
    begin(visitor, path, source="main")
    import_upload(reference=Upload.objects.get().reference)
    names = [one.file_name for one, _ in visitor.get("/import/").context["past"]]
    assert names[0] == "订单.csv"
    assert len(names) == 2


def test_the_empty_site_offers_to_drop_a_file(visitor: Client, answering: Client) -> None:
    page = visitor.get("/").content.decode()
    assert 'data-drop="200"' in page
    assert 'enctype="multipart/form-data"' in page
    agents = answering.get("/").content.decode()
    assert "data-drop" not in agents
    assert "An operator imports the order log" in agents


def test_an_upload_that_is_gone_is_said_to_be(visitor: Client) -> None:
    for path in (
        "/import/23456789ABCD/",
        "/import/..%2F..%2Fetc/",
        "/import/23456789ABCD/progress/",
    ):
        assert visitor.get(path).status_code == 404
    assert visitor.post("/import/23456789ABCD/start/").status_code == 404
