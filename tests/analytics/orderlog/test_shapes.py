"""Any shape of file is recognised, or refused in one sentence."""

import codecs
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from liuke.analytics.orderlog import Mapping, Options, guess, look, read
from liuke.analytics.orderlog.errors import (
    AmbiguousColumns,
    BrokenFile,
    CannotTellColumns,
    ColumnUsedTwice,
    EmptyLog,
    NoLines,
    NoSuchFile,
    NotAFile,
    NotAnOrderLog,
    TooFewColumns,
    UnknownColumn,
    UnknownCurrency,
    UnknownDateOrder,
    UnknownDecimal,
    UnknownEncoding,
    UnknownTimeZone,
    UnreadableLog,
    Workbook,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHERE = Mapping("member", "at", "amount")
TABLE = "member,at,amount\nann,2024-03-05,12.50\nbob,2024-03-06,3\n"
SAMPLE = Path(__file__).parents[2] / "samples/cdnow_sample.txt"


def everything(path, where=WHERE, **options):
    reader = read(path, where, Options(now=NOW, **options))
    blocks = list(reader)
    lines = [line for block in blocks for line in block.lines]
    bad = [line for block in blocks for line in block.bad]
    assert reader.good == len(lines)
    assert reader.bad == len(bad)
    return reader, lines, bad


def write(tmp_path, content, name="log.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(kind, call, *args, **kwargs):
    with pytest.raises(kind) as caught:
        call(*args, **kwargs)
    assert isinstance(caught.value, UnreadableLog)
    assert str(caught.value) == caught.value.says % caught.value.params
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "  "])
def test_the_delimiter_is_found(tmp_path, delimiter):
    path = write(tmp_path, TABLE.replace(",", delimiter))
    assert look(path).delimiter == delimiter[0]
    _, lines, bad = everything(path)
    assert [(one.member, one.amount) for one in lines] == [("ann", 1250), ("bob", 300)]
    assert bad == []


def test_semicolons_win_over_the_commas_of_decimals(tmp_path):
    path = write(tmp_path, "member;at;amount\nann;2024-03-05;1.234,50\nbob;2024-03-06;3,00\n")
    _, lines, _ = everything(path, decimal=",")
    assert [one.amount for one in lines] == [123450, 300]


@pytest.mark.parametrize(
    ("encoding", "mark", "named"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16-le"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16-be"),
        ("gbk", b"", "gb18030"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_encoding_is_found(tmp_path, encoding, mark, named, packed, end):
    text = (
        "会员,下单时间,实付金额,商品名称\n小明,2024-03-05,12.50,游戏点卡\n小红,2024-03-06,3,月卡\n"
    )
    content = mark + text.replace("\n", end).encode(encoding)
    path = write(tmp_path, gzip.compress(content) if packed else content)
    seen = look(path)
    assert (seen.encoding, seen.gzipped, seen.has_header) == (named, packed, True)
    assert [column.name for column in seen.columns] == ["会员", "下单时间", "实付金额", "商品名称"]
    reader, lines, bad = everything(path, guess(seen).mapping())
    assert [(one.line, one.member, one.item) for one in lines] == [
        (2, "小明", "游戏点卡"),
        (3, "小红", "月卡"),
    ]
    assert bad == []
    assert reader.bytes_read == reader.bytes_total == path.stat().st_size


def test_chinese_that_starts_late_is_still_read_as_chinese(tmp_path):
    plain = "member,at,amount,item\n" + "ann,2024-03-05,1.00,card\n" * 20_000
    path = write(tmp_path, plain.encode() + "bob,2024-03-06,2.00,游戏点卡月卡\n".encode("gbk"))
    where = Mapping("member", "at", "amount", item="item")
    _, lines, bad = everything(path, where)
    assert (lines[-1].item, len(lines), bad) == ("游戏点卡月卡", 20_001, [])


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le"])
def test_a_wrong_byte_late_in_the_file_is_a_bad_line_with_its_number(tmp_path, encoding):
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" else b""
    head = "会员,日期,金额\n" + "小明,2024-03-05,1.00\n" * 30_000
    wrong = b"\x00\xd8\x2c\x00" if mark else b"x\xff,2024-03-05,1.00"
    end = "\n小红,2024-03-05,1.00\n".encode(encoding)
    path = write(tmp_path, mark + head.encode(encoding) + wrong + end)
    _, lines, bad = everything(path, Mapping(1, 2, 3))
    assert len(lines) == 30_001
    assert [(one.line, one.reason) for one in bad] == [
        (30_002, f"bytes that are not {encoding.upper()}")
    ]


def test_looking_reads_no_more_than_a_quarter_of_a_megabyte(tmp_path, monkeypatch):
    path = write(tmp_path, TABLE + "ann,2024-03-05,12.50\n" * 200_000)
    taken = []
    opened = Path.open

    def counting(self, *args, **kwargs):
        stream = opened(self, *args, **kwargs)
        taken.append(stream)
        return stream

    monkeypatch.setattr(Path, "open", counting)
    before = look(path)
    assert before.total_bytes == path.stat().st_size
    assert len(taken) == 1
    assert len(before.rows) <= 1000


def test_a_file_without_a_header_gets_numbered_columns():
    seen = look(SAMPLE)
    assert not seen.has_header
    assert [column.name for column in seen.columns] == [f"column {n}" for n in range(1, 6)]
    assert seen.columns[0].values[:2] == ("00004", "00004")


def test_the_cdnow_sample_is_read_whole_by_guess():
    seen = look(SAMPLE)
    found = guess(seen)
    assert {role: one.column.number for role, one in found.found.items()} == {
        "member": 1,
        "at": 3,
        "amount": 5,
        "quantity": 4,
    }
    reader, lines, bad = everything(SAMPLE, found.mapping(), currency="USD")
    assert (len(lines), bad, reader.rounded) == (6919, [], 0)
    assert len({one.member for one in lines}) == 2357
    assert lines[0].member == "00004"
    assert sum(one.amount for one in lines) == 24_409_194


def test_text_above_the_header_is_reported_and_not_lost(tmp_path):
    path = write(tmp_path, "shop report\n\n" + TABLE)
    reader, lines, bad = everything(path)
    assert [(one.line, one.reason) for one in bad] == [(1, "text above the header")]
    assert (len(lines), reader.blank_lines, lines[0].line) == (2, 1, 4)


def test_columns_may_be_asked_for_by_number_or_in_another_case(tmp_path):
    path = write(tmp_path, TABLE)
    for where in (Mapping(1, 2, 3), Mapping("1", "2", "3"), Mapping("MEMBER", " At ", "amount")):
        assert len(everything(path, where)[1]) == 2


def test_a_duplicate_name_is_refused_only_when_asked_for(tmp_path):
    path = write(tmp_path, "member,at,amount,note,note\nann,2024-03-05,1,x,y\n")
    assert len(everything(path)[1]) == 1
    where = Mapping("member", "at", "amount", item="note")
    assert refusal(AmbiguousColumns, everything, path, where) == (
        "“log.csv” has more than one column named “note”: give its number instead (4, 5)."
    )
    assert everything(path, Mapping("member", "at", "amount", item=5))[1][0].item == "y"


def test_wrong_questions_are_refused_in_a_sentence(tmp_path):
    path = write(tmp_path, TABLE)
    assert refusal(UnknownColumn, everything, path, Mapping("who", "at", "amount")) == (
        "“log.csv” has no column “who”; it has: member, at, amount."
    )
    assert "no column “4”" in refusal(UnknownColumn, everything, path, Mapping(1, 2, 4))
    assert refusal(ColumnUsedTwice, everything, path, Mapping(1, 2, 2)) == (
        "Column “at” cannot be both the at and the amount."
    )
    assert refusal(UnknownTimeZone, everything, path, timezone="Mars/Base") == (
        "There is no time zone “Mars/Base”: give an IANA name such as Asia/Shanghai."
    )
    refusal(UnknownTimeZone, everything, path, timezone="../etc/passwd")
    assert refusal(UnknownDateOrder, everything, path, date_order="dym") == (
        "There is no date order “dym”: give dmy, mdy or ymd."
    )
    assert refusal(UnknownCurrency, everything, path, currency="yuan") == (
        "“yuan” is not a currency code: give three letters such as CNY."
    )
    assert refusal(UnknownDecimal, everything, path, decimal="'") == (
        "The decimal sign is “.” or “,”, not “'”."
    )
    assert refusal(UnknownEncoding, look, path, encoding="klingon") == (
        "There is no text encoding named “klingon”."
    )


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        (b"", EmptyLog, "“x” is empty."),
        (b"\n\n  \n", EmptyLog, "“x” is empty."),
        (codecs.BOM_UTF8, EmptyLog, "“x” is empty."),
        (gzip.compress(b"", mtime=0), EmptyLog, "“x” is empty."),
        (b"member,at,amount\n", NoLines, "“x” has a header and no lines under it."),
        (
            b"member\nann\nbob\n",
            TooFewColumns,
            "“x” has 1 column(s): an order log needs at least a member, a date and an amount.",
        ),
        (
            b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
            NotAnOrderLog,
            "“x” is not a text table or a Parquet file (it looks like a PNG picture).",
        ),
        (
            b"PK\x03\x04" + bytes(300),
            Workbook,
            "“x” is an Excel workbook or a ZIP archive: "
            "save the sheet as CSV (UTF-8) and import that.",
        ),
        (
            bytes(range(256)) * 40,
            NotAnOrderLog,
            "“x” is not a text table or a Parquet file (it looks like a binary file).",
        ),
        (
            b'{"member": 1, "at": 2, "amount": 3}\n',
            NotAnOrderLog,
            "“x” is not a text table or a Parquet file (it looks like JSON).",
        ),
        (
            TABLE.encode("utf-16-le") * 30,
            NotAnOrderLog,
            "“x” is not a text table or a Parquet file "
            "(it looks like UTF-16 without its mark, or a binary file).",
        ),
        (
            gzip.compress(TABLE.encode() * 50, mtime=0)[:60],
            BrokenFile,
            "“x” is damaged or cut short (gzip): export or download it again.",
        ),
        (
            b"\x1f\x8bnothing of the kind",
            BrokenFile,
            "“x” is damaged or cut short (gzip): export or download it again.",
        ),
        (
            b"PAR1" + b"abcdefgh" * 50,
            BrokenFile,
            "“x” is damaged or cut short (Parquet): export or download it again.",
        ),
    ],
)
def test_what_is_no_order_log_is_refused_in_one_sentence(tmp_path, content, kind, sentence):
    assert refusal(kind, look, write(tmp_path, content, "x")) == sentence


def test_a_missing_file_and_a_directory_are_refused_in_one_sentence(tmp_path):
    assert refusal(NoSuchFile, look, tmp_path / "gone.csv") == "There is no file “gone.csv”."
    (tmp_path / "folder").mkdir()
    assert refusal(NotAFile, look, tmp_path / "folder") == (
        "“folder” is not a file: give the order log itself."
    )
    refusal(NoSuchFile, look, tmp_path / ("x" * 5000))
    refusal(NoSuchFile, look, "a\0b")


def test_gzip_cut_short_late_stops_the_reading_in_one_sentence(tmp_path):
    rows = "".join(f"m{n},2024-03-05,{n}.00\n" for n in range(100_000))
    path = write(tmp_path, gzip.compress(("member,at,amount\n" + rows).encode())[:-2000])
    assert refusal(BrokenFile, everything, path) == (
        "“log.csv” is damaged or cut short (gzip): export or download it again."
    )


def test_any_bytes_end_in_lines_or_one_sentence(tmp_path):
    for seed in range(40):
        some = bytes((seed * 7 + n * n * (seed + 3)) % 256 for n in range(400))
        path = write(tmp_path, TABLE.encode() + some)
        try:
            reader, lines, bad = everything(path)
        except UnreadableLog:
            continue
        assert len(lines) + len(bad) + reader.blank_lines == reader.lines


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (
            "订单编号,买家会员名,买家应付货款,买家实际支付金额,订单付款时间,宝贝标题,宝贝总数量,订单状态",
            "'1234567890123456789',小明,30.00,25.00,2024-03-05 12:30:00,点卡,2,交易成功",
            {"member": 2, "at": 5, "amount": 4, "order": 1, "item": 6, "quantity": 7},
        ),
        (
            "订单号,用户,手机号,下单时间,支付时间,商品名称,数量,优惠金额,实付金额,币种",
            "A10001,小明,13800138000,2024/3/5 12:30,2024/3/5 12:31,点卡,1,5.00,25.00,CNY",
            {
                "member": 2, "at": 5, "amount": 9, "order": 1, "item": 6, "quantity": 7,
                "currency": 10,
            },
        ),
        (
            "会员编号,会员等级,日期,金额,运费",
            "V001,金卡,2024年3月5日,25.00,6.00",
            {"member": 1, "at": 3, "amount": 4},
        ),
        (
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
            "536365,85123A,WHITE HANGING HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom",
            {"member": 7, "at": 5, "amount": 6, "order": 1, "item": 3, "quantity": 4},
        ),
        ("id,order_date,total", "7,2024-03-05,9.99", {"member": 1, "at": 2, "amount": 3}),
        (
            "order_id,customer_id,created_at,discount,tax,total_amount,currency",
            "1,77,2024-03-05T10:00:00Z,1.00,0.50,9.99,USD",
            {"member": 2, "at": 3, "amount": 6, "order": 1, "currency": 7},
        ),
    ],
)  # fmt: skip
def test_usual_exports_are_guessed(tmp_path, header, row, expected):
    found = guess(look(write(tmp_path, f"{header}\n{row}\n")))
    assert {role: one.column.number for role, one in found.found.items()} == expected
    assert found.missing == ()
    assert all(one.why and one.score > 0 for one in found.found.values())
    assert found.amount_per_unit == ("UnitPrice" in header)


def test_a_guess_says_what_cannot_be_told(tmp_path):
    path = write(tmp_path, "member,note,amount\nann,x,1.00\nbob,y,2.00\n")
    found = guess(look(path))
    assert found.missing == ("at",)
    assert refusal(CannotTellColumns, found.mapping) == (
        "Which column of “log.csv” holds the at cannot be told: name it."
    )


def test_two_nameless_columns_of_money_are_not_told_apart(tmp_path):
    rows = "".join(f"m{n % 7}xyz,2024-03-0{n % 9 + 1},{n}.25,{n + 1}.75\n" for n in range(40))
    found = guess(look(write(tmp_path, rows)))
    assert found.missing == ("amount",)
    assert found.found["member"].column.number == 1
    assert found.found["at"].why == "its values are dates"
