"""Every line comes out typed, or bad with a reason; none is lost."""

import csv
import io
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liuke.analytics.orderlog import (
    REASONS,
    Block,
    Mapping,
    Options,
    OrderLine,
    copy_block,
    date_orders,
    guess,
    look,
    read,
)
from liuke.analytics.orderlog.errors import AmbiguousDates, BrokenFile, MixedDates, NoLines

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHERE = Mapping("member", "at", "amount")
WIDE = Mapping("member", "at", "amount", "order", "item", "quantity")
HEAD = "member,at,amount,order,item,quantity\n"


def everything(path, where=WHERE, **options):
    reader = read(path, where, Options(now=NOW, **options))
    blocks = list(reader)
    lines = [line for block in blocks for line in block.lines]
    bad = [line for block in blocks for line in block.bad]
    assert reader.good == len(lines)
    assert reader.bad == len(bad)
    return reader, lines, bad


def one(tmp_path, *, member="ann01", at="2024-03-05", amount="1.00", rest=",", **options):
    """One row; its line, or the reason why it is bad."""
    path = tmp_path / "one.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["member", "at", "amount", "order", "item", "quantity"])
        writer.writerow([member, at, amount, *rest.split("|")] + [""] * (2 - rest.count("|")))
    _, lines, bad = everything(path, WIDE, **options)
    return lines[0] if lines else bad[0].reason


def write(tmp_path, text, name="log.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("20240305", "2024-03-04T16:00:00"),
        ("20240305123045", "2024-03-05T04:30:45"),
        ("20240305 12:30", "2024-03-05T04:30:00"),
        ("2024-03-05", "2024-03-04T16:00:00"),
        ("2024-03-05 12:30", "2024-03-05T04:30:00"),
        ("2024-03-05T12:30:45.123456", "2024-03-05T04:30:45.123456"),
        ("2024-03-05T12:30:45.1234567", "2024-03-05T04:30:45.123456"),
        ("2024-03-05T12:30:45Z", "2024-03-05T12:30:45"),
        ("2024-03-05 12:30:45.5-03:30", "2024-03-05T16:00:45.500000"),
        ("2024-03-05T12:30+0800", "2024-03-05T04:30:00"),
        ("2024-3-5 1:02:03", "2024-03-04T17:02:03"),
        ("2024/3/5 12:30", "2024-03-05T04:30:00"),
        ("2024/03/05 12:30:01", "2024-03-05T04:30:01"),
        ("2024.03.05", "2024-03-04T16:00:00"),
        ("2024年3月5日 12:30", "2024-03-05T04:30:00"),
        ("2024年3月5日12时30分", "2024-03-05T04:30:00"),
        ("2024年03月05日 下午1点05分09秒", "2024-03-05T05:05:09"),
        ("２０２４-03-05", "2024-03-04T16:00:00"),
        ("1709610645", "2024-03-05T03:50:45"),
        ("1709610645.5", "2024-03-05T03:50:45.500000"),
        ("1709610645123", "2024-03-05T03:50:45.123000"),
        ("`2024-03-05 12:30:45", "2024-03-05T04:30:45"),
        ("  2024-03-05 12:30:45\t", "2024-03-05T04:30:45"),
        ("2024-03-05 12:30:45 PM", "2024-03-05T04:30:45"),
        ("2024-03-05 12:30:45 AM", "2024-03-04T16:30:45"),
    ],
)
def test_dates_are_read_as_written(tmp_path, text, instant):
    line = one(tmp_path, at=text)
    assert line.at == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert line.on == (line.at + timedelta(hours=8)).date()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no date"),
        ("NULL", "no date"),
        ("yesterday", "“yesterday” is not a date"),
        ("2024-02-30", "“2024-02-30” is not a date"),
        ("2024-03-05 25:00", "“2024-03-05 25:00” is not a date"),
        ("2024-03-05 12:30:45 XX", "“2024-03-05 12:30:45 XX” is not a date"),
        ("20241305", "“20241305” is not a date"),
        ("0000-00-00 00:00:00", "“0000-00-00 00:00:00” is not a date"),
        ("9999-12-31 23:59:59", "dated in the future (9999-12-31 23:59:59)"),
        ("2026-01-03", "dated in the future (2026-01-03)"),
        ("1969-12-31", "dated before 1970 (1969-12-31)"),
        ("0001-01-01", "“0001-01-01” is not a date"),
        ("12345", "“12345” is not a date"),
    ],
)
def test_what_is_no_date_makes_a_bad_line(tmp_path, text, reason):
    assert one(tmp_path, at=text) == reason


def test_a_day_ahead_is_not_yet_the_future(tmp_path):
    assert one(tmp_path, at="2026-01-02 07:59:59").on == date(2026, 1, 2)
    assert one(tmp_path, at="1970-01-01").on == date(1970, 1, 1)


@pytest.mark.parametrize(
    ("text", "zone", "instant", "on"),
    [
        ("2024-03-10 02:30:00", "America/New_York", "2024-03-10T07:30:00", "2024-03-10"),
        ("2024-11-03 01:30:00", "America/New_York", "2024-11-03T05:30:00", "2024-11-03"),
        ("2024-11-03 12:00:00", "America/New_York", "2024-11-03T17:00:00", "2024-11-03"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00", "2018-11-04"),
        ("2011-12-30 10:00:00", "Pacific/Apia", "2011-12-30T20:00:00", "2011-12-31"),
        ("2024-04-07 01:45:00", "Australia/Lord_Howe", "2024-04-06T14:45:00", "2024-04-07"),
        ("2024-06-01 12:00:00", "Asia/Kolkata", "2024-06-01T06:30:00", "2024-06-01"),
    ],
)
def test_gaps_and_folds_of_the_clock_follow_pep_495(tmp_path, text, zone, instant, on):
    rows = f"member,at,amount\nann,{text},1\nann,{text},1\n"
    _, lines, bad = everything(write(tmp_path, rows), timezone=zone)
    assert bad == []
    for line in lines:
        assert line.at == datetime.fromisoformat(instant).replace(tzinfo=UTC)
        assert line.on == date.fromisoformat(on)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.datetimes(datetime(1970, 1, 2), datetime(2025, 12, 30)), min_size=1, max_size=30),
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/London", "Pacific/Apia"]),
    st.sampled_from([" ", "T"]),
)
def test_the_caches_change_nothing(tmp_path, instants, zone, sign):
    from zoneinfo import ZoneInfo

    texts = [at.replace(microsecond=0).isoformat(sign) for at in instants] * 2
    rows = "member,at,amount\n" + "".join(f"ann,{text},1\n" for text in texts)
    _, lines, bad = everything(write(tmp_path, rows), timezone=zone)
    expected = [
        datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for text in texts
    ]
    assert bad == []
    assert [line.at for line in lines] == expected
    assert [line.on for line in lines] == [at.astimezone(ZoneInfo(zone)).date() for at in expected]


def days(tmp_path, *texts):
    return write(tmp_path, "member,at,amount\n" + "".join(f"ann,{text},1\n" for text in texts))


def test_a_day_above_twelve_settles_the_order(tmp_path):
    path = days(tmp_path, "03/04/2024", "25/04/2024 10:00")
    assert date_orders(path, "at").fits == ("dmy",)
    reader, lines, _ = everything(path)
    assert (lines[0].on, reader.date_order) == (date(2024, 4, 3), "dmy")
    path = days(tmp_path, "3/4/2024", "4/25/2024")
    assert date_orders(look(path), 2).fits == ("mdy",)
    assert everything(path)[1][0].on == date(2024, 3, 4)


def test_an_undecided_order_is_asked_and_never_assumed(tmp_path):
    path = days(tmp_path, "2024-01-01", "05/05/2024", "03/04/2024")
    assert date_orders(path, "at").fits == ("dmy", "mdy")
    with pytest.raises(AmbiguousDates) as caught:
        read(path, WHERE, Options(now=NOW))
    assert str(caught.value) == (
        "“03/04/2024” on line 4 of “log.csv” may be read in more than one order "
        "(day/month/year or month/day/year), and no other line decides it: say which."
    )
    assert everything(path, date_order="dmy")[1][2].on == date(2024, 4, 3)
    assert everything(path, date_order="mdy")[1][2].on == date(2024, 3, 4)


def test_years_of_two_digits_are_asked_for_too(tmp_path):
    path = days(tmp_path, "24/03/05", "23/04/06")
    assert date_orders(path, "at").fits == ("dmy", "ymd")
    with pytest.raises(AmbiguousDates):
        read(path, WHERE, Options(now=NOW))
    assert everything(path, date_order="ymd")[1][0].on == date(2024, 3, 5)
    assert everything(days(tmp_path, "12/25/99"))[1][0].on == date(1999, 12, 25)


def test_an_order_first_needed_late_is_settled_then(tmp_path):
    path = days(tmp_path, *["2024-01-01"] * 20_000, "03/04/2024")
    reader = read(path, WHERE, Options(now=NOW))
    with pytest.raises(AmbiguousDates):
        list(reader)


def test_days_that_read_the_same_in_both_orders_need_no_question(tmp_path):
    assert everything(days(tmp_path, "05/05/2024"))[1][0].on == date(2024, 5, 5)


def test_mixed_orders_are_refused_with_both_lines(tmp_path):
    path = days(tmp_path, "03/04/2024", "25/04/2024", "04/25/2024")
    found = date_orders(path, "at")
    assert (found.fits, found.mixed) == ((), (3, 4))
    with pytest.raises(MixedDates) as caught:
        read(path, WHERE, Options(now=NOW))
    assert str(caught.value) == (
        "“log.csv” mixes orders of day, month and year: "
        "line 4 cannot be read in the order of line 3."
    )
    _, lines, bad = everything(path, date_order="dmy")
    assert len(lines) == 2
    assert bad[0].reason == "“04/25/2024” is not a date in dmy order"


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12.34", "CNY", 1234), ("1,234.50", "CNY", 123450), ("¥12", "CNY", 1200),
        ("￥12.5", "CNY", 1250), ("12元", "CNY", 1200), ("US$ 3", "USD", 300),
        ("$ 3.1", "USD", 310), ("(12.00)", "CNY", -1200), ("-12", "CNY", -1200),
        ("-¥12", "CNY", -1200), ("¥-12", "CNY", -1200), ("12.00-", "CNY", -1200),
        ("（１２．５０）", "CNY", -1250), ("１２．５０", "CNY", 1250), ("+5", "CNY", 500),
        ("12.3", "KWD", 12300), ("12", "JPY", 12), ("1.2E+3", "CNY", 120000),
        ("1.4210854715202004e-14", "CNY", 0), ("-0.0", "CNY", 0), ("0", "CNY", 0),
        ("12.340000000000001", "CNY", 1234), (".5", "CNY", 50), ("5.", "CNY", 500),
        ("99999999999.99", "CNY", 9999999999999), ("12.00 CNY", "CNY", 1200),
        ("RMB 12", "CNY", 1200), ("`¥12.00", "CNY", 1200), ('="12.00"', "CNY", 1200),
        ("12人民币", "CNY", 1200), ("\u221212", "CNY", -1200),
    ],
)  # fmt: skip
def test_amounts_are_read_exactly(tmp_path, text, currency, amount):
    assert one(tmp_path, amount=text, currency=currency).amount == amount


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no amount"), ("NaN", "no amount"), ("  ", "no amount"),
        ("inf", "“inf” is not an amount"), ("abc", "“abc” is not an amount"),
        ("12,5", "“12,5” is not an amount"), ("1.234,50", "“1.234,50” is not an amount"),
        ("1_000", "“1_000” is not an amount"), ("(-5)", "“(-5)” is not an amount"),
        ("(5", "“(5” is not an amount"), ("--5", "“--5” is not an amount"),
        ("1.23457E+11", "“1.23457E+11” is not an exact amount"),
        ("1E-5", "“1E-5” is not an exact amount"),
        ("1E+300", "the amount 1E+300 is too large"),
        ("100000000000", "the amount 100000000000 is too large"),
        ("US$ 3", "in USD, this log is in CNY"), ("€5", "in EUR, this log is in CNY"),
        ("5" * 300, f"the amount {'5' * 80} is too large"),
    ],
)  # fmt: skip
def test_what_is_no_amount_makes_a_bad_line(tmp_path, text, reason):
    assert one(tmp_path, amount=text) == reason


def test_amounts_with_too_many_decimals_are_rounded_and_counted(tmp_path):
    rows = "ann,2024-03-05,{}\n"
    texts = ["12.345", "12.355", "12.339999", "12.3400000001", "-12.345", "7.10", "12.345"]
    path = write(tmp_path, "member,at,amount\n" + "".join(map(rows.format, texts)))
    reader, lines, _ = everything(path)
    assert [line.amount for line in lines] == [1234, 1236, 1234, 1234, -1234, 710, 1234]
    assert reader.rounded == 5


def test_decimal_commas_are_read_when_asked_for(tmp_path):
    for text, amount in (("1.234,50", 123450), ("12,5", 1250), ("1 234,50", 123450)):
        assert one(tmp_path, amount=text, decimal=",").amount == amount
    assert one(tmp_path, amount="12.5", decimal=",") == "“12.5” is not an amount"


def test_a_price_per_unit_is_multiplied_before_it_is_rounded(tmp_path):
    line = one(tmp_path, amount="0.333", rest="||3", amount_per_unit=True)
    assert (line.amount, line.quantity) == (100, 3)
    assert one(tmp_path, amount="2.55", rest="||-2", amount_per_unit=True).amount == -510


@pytest.mark.parametrize(
    ("text", "quantity"),
    [("", 1), ("3", 3), ("2.0", 2), ("-1", -1), ("0", 0), ("1000000", 1000000), ("nan", 1)],
)
def test_quantities_are_whole(tmp_path, text, quantity):
    assert one(tmp_path, rest=f"||{text}").quantity == quantity


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.5", "“1.5” is not a whole quantity"),
        ("two", "“two” is not a whole quantity"),
        ("1000001", "the quantity 1000001 is too large"),
    ],
)
def test_what_is_no_quantity_makes_a_bad_line(tmp_path, text, reason):
    assert one(tmp_path, rest=f"||{text}") == reason


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("00012", "00012"), (" ann ", "ann"), ("12345.0", "12345"), ("小明", "小明"),
        ("a\0b", "a b"), ("\u202eann", "ann"), ("x" * 128, "x" * 128), ("😀", "😀"),
        ('="00012"', "00012"), ("'123", "123"), ("13800138000\t", "13800138000"),
        ("", "no member"), (" \t", "no member"), ("NULL", "no member"), ("NaN", "no member"),
        ("\\N", "no member"), ("x" * 129, "the member is longer than 128 characters"),
        ("1.38001E+10", "“1.38001E+10” was shortened by a spreadsheet"),
    ],
)  # fmt: skip
def test_members_are_text(tmp_path, text, member):
    found = one(tmp_path, member=text)
    assert (found if isinstance(found, str) else found.member) == member


def test_orders_and_items_are_trimmed_bounded_and_never_run(tmp_path):
    line = one(tmp_path, rest=" A-1 |  <script>alert(1)</script>\n 👨\u200d👩\x07 |1")
    assert (line.order, line.item) == ("A-1", "<script>alert(1)</script> 👨\u200d👩")
    assert one(tmp_path, rest=f"|{'长' * 300}|").item == "长" * 200
    assert one(tmp_path, rest="null||").order is None
    assert one(tmp_path, rest=f"{'x' * 129}||") == (
        "the order number is longer than 128 characters"
    )


def test_another_currency_makes_a_bad_line(tmp_path):
    rows = "member,at,amount,ccy\n" + "".join(
        f"ann,2024-03-05,1,{text}\n" for text in ("CNY", "cny", "人民币", "USD", "")
    )
    where = Mapping("member", "at", "amount", currency="ccy")
    _, lines, bad = everything(write(tmp_path, rows), where)
    assert len(lines) == 3
    assert [(line.line, line.reason) for line in bad] == [
        (5, "in USD, this log is in CNY"),
        (6, "no currency"),
    ]


def test_quoted_fields_may_hold_commas_quotes_and_line_ends(tmp_path):
    path = write(
        tmp_path,
        HEAD
        + 'ann01,2024-03-05,"1,234.50",A1,"one, ""two""\r\nthree",2\r\n'
        + "\r\n"
        + "bob01,2024-03-06,1,A2,plain,1\r\n",
    )
    reader, lines, bad = everything(path, WIDE)
    assert [(line.line, line.amount, line.item) for line in lines] == [
        (2, 123450, 'one, "two" three'),
        (5, 100, "plain"),
    ]
    assert (bad, reader.blank_lines, reader.lines) == ([], 1, 3)


def test_a_quote_that_never_closes_costs_one_line_only(tmp_path):
    good = "ann01,2024-03-05,1,A1,card,1\n"
    odd = 'bob01,2024-03-05,1,"A2,card\n'
    _, lines, bad = everything(write(tmp_path, HEAD + good + odd + good * 9000), WIDE)
    assert len(lines) == 9001
    assert [(line.line, line.reason) for line in bad] == [
        (3, "a quotation mark that is never closed")
    ]
    closed_late = HEAD + good + odd + good + good.replace("card", '"card"')
    _, lines, bad = everything(write(tmp_path, closed_late), WIDE)
    assert [line.line for line in lines] == [2, 4, 5]
    assert [line.line for line in bad] == [3]


def test_a_stray_quotation_mark_is_text_where_the_columns_are_right(tmp_path):
    good = "ann01,2024-03-05,1,A1,card,1\n"
    odd = 'bob01,2024-03-05,1,A2,"card,1\n'
    _, lines, bad = everything(write(tmp_path, HEAD + good + odd + good * 9000), WIDE)
    assert (len(lines), bad, lines[1].item) == (9002, [], '"card')


def test_a_line_too_long_to_be_an_order_is_bad_and_the_next_is_read(tmp_path):
    path = write(
        tmp_path, "member,at,amount\nann,2024-03-05,1\nx" + "y" * 3_000_000 + "\nbob,2024-03-05,1\n"
    )
    _, lines, bad = everything(path)
    assert [line.line for line in lines] == [2, 4]
    assert [(line.line, line.reason) for line in bad] == [
        (3, "the line is too long to be an order")
    ]
    assert len(bad[0].excerpt) == 80


def test_a_row_of_another_width_is_bad_unless_only_blanks_differ(tmp_path):
    rows = (
        "ann01,2024-03-05,1,A1,a,b,1\n"
        "ann01,2024-03-05,1\n"
        "ann01,2024-03-05,1,A1,card,1,,\n"
        ",,,,,\n"
        "ann01,2024-03-05,1,A1,card,1\n"
    )
    reader, lines, bad = everything(write(tmp_path, HEAD + rows), WIDE)
    assert [line.line for line in lines] == [4, 6]
    assert [line.reason for line in bad] == [
        "7 columns where 6 were expected",
        "3 columns where 6 were expected",
    ]
    assert (bad[0].code, bad[0].excerpt) == ("wrong_width", "ann01,2024-03-05,1,A1,a,b,1")
    assert reader.blank_lines == 1
    assert REASONS["wrong_width"] == bad[0].says


def make_parquet(path, query):
    with duckdb.connect() as link:
        link.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def test_parquet_is_read_with_its_own_types(tmp_path):
    path = make_parquet(
        tmp_path / "log[1].parquet",
        """SELECT * FROM (VALUES
        (12345::DOUBLE, TIMESTAMPTZ '2024-03-05 12:30:45.5+08', 73.77::FLOAT, 2::SMALLINT, 'a'),
        (7::DOUBLE, TIMESTAMPTZ '2024-03-06 00:00:00+00', 12.339999::FLOAT, 1::SMALLINT, NULL),
        (NULL, TIMESTAMPTZ '2024-03-06 00:00:00+00', 1::FLOAT, 1::SMALLINT, 'b'),
        (8::DOUBLE, NULL, 1::FLOAT, 1::SMALLINT, 'b'),
        (9::DOUBLE, TIMESTAMPTZ '2024-03-06 00:00:00+00', 'nan'::FLOAT, 1::SMALLINT, 'b'),
        (NULL, NULL, NULL, NULL, NULL)
        ) AS t(customer_id, "timestamp", sales_value, quantity, product)""",
    )
    seen = look(path)
    assert (seen.format, seen.total) == ("parquet", 6)
    reader, lines, bad = everything(path, guess(seen).mapping())
    assert lines == [
        OrderLine(
            1, "12345", datetime(2024, 3, 5, 4, 30, 45, 500000, UTC), date(2024, 3, 5),
            7377, 2, None, "a",
        ),
        OrderLine(
            2, "7", datetime(2024, 3, 6, tzinfo=UTC), date(2024, 3, 6), 1234, 1, None, None
        ),
    ]  # fmt: skip
    assert [(line.line, line.reason) for line in bad] == [
        (3, "no member"), (4, "no date"), (5, "no amount"),
    ]  # fmt: skip
    assert (reader.rounded, reader.blank_lines) == (1, 1)
    assert (reader.bytes_read, reader.bytes_total) == (6, 6)


def test_parquet_dates_and_naive_times_are_local(tmp_path):
    path = make_parquet(
        tmp_path / "log.parquet",
        "SELECT 1 AS member, DATE '2024-03-05' AS d, TIMESTAMP '2024-03-05 10:00:00' AS at, "
        "20240305 AS n, 12.50::DECIMAL(10,2) AS amount",
    )
    for column, hour in (("d", 16), ("at", 2), ("n", 16)):
        _, lines, _ = everything(path, Mapping("member", column, "amount"))
        assert (lines[0].at.hour, lines[0].on, lines[0].amount) == (hour, date(2024, 3, 5), 1250)


def test_parquet_without_rows_or_cut_short_is_refused(tmp_path):
    path = make_parquet(tmp_path / "none.parquet", "SELECT 1 AS a, 2 AS b, 3 AS c WHERE false")
    with pytest.raises(NoLines):
        look(path)
    whole = make_parquet(tmp_path / "x.parquet", "SELECT i a, i b, i c FROM range(9000) t(i)")
    path = write(tmp_path, whole.read_bytes()[:3000], "cut.parquet")
    with pytest.raises(BrokenFile, match=r"“cut\.parquet” is damaged or cut short"):
        look(path)


def test_a_file_like_the_cdnow_master_is_guessed_and_read(tmp_path):
    rows = " customer_id  date number_of_cds  dollar_value\r\n" + "".join(
        f" {n // 3:05d} 1997{n % 12 + 1:02d}01  {n % 4 + 1}   {n % 60}.77\r\n" for n in range(900)
    )
    seen = look(write(tmp_path, rows, "master.txt"))
    found = guess(seen)
    assert found.mapping() == Mapping(member=1, at=2, amount=4, quantity=3)
    _, lines, bad = everything(seen, found.mapping(), currency="USD")
    assert (len(lines), bad, lines[0].member) == (900, [], "00000")


def test_a_block_is_copied_as_postgresql_reads_it():
    at = datetime(2024, 3, 5, 4, 30, 45, tzinfo=UTC)
    line = OrderLine(2, "a\\b", at, date(2024, 3, 5), -5, 1, None, "tab\tline\n\r\\N")
    assert copy_block(Block([line], [])) == (
        b"2\ta\\\\b\t2024-03-05 04:30:45+00\t2024-03-05\t-5\t1\t\\N\ttab\\tline\\n\\r\\\\N\n"
    )
    exact = line._replace(at=at.replace(microsecond=5), member="小明", item=None, order="A")
    assert copy_block(Block([exact], [])).decode() == (
        "2\t小明\t2024-03-05 04:30:45.000005+00:00\t2024-03-05\t-5\t1\tA\t\\N\n"
    )
    assert copy_block(Block([], [])) == b""


def test_memory_does_not_grow_with_the_file(tmp_path):
    rows = "".join(f"m{n % 9999:05d},2024-03-05 10:00:00,{n % 5000}.25\n" for n in range(20_000))
    path = write(tmp_path, "member,at,amount\n" + rows * 10)
    tracemalloc.start()
    reader = read(path, WHERE, Options(now=NOW))
    for block in reader:
        assert len(block.lines) <= 5000
        copy_block(block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reader.good == 200_000
    assert peak < 40_000_000


WORD = st.text(
    st.characters(codec="gb18030", exclude_categories=("C", "Z")), min_size=1, max_size=12
).filter(lambda text: text == text.strip() and text[0] not in "`'=-\ufeff")
MEMBERS = WORD.filter(
    lambda text: text.casefold() not in {"null", "none", "nan", "n/a", "<na>", "\\n"}
)
LINES = st.lists(
    st.tuples(
        MEMBERS,
        st.datetimes(datetime(1971, 1, 1), datetime(2025, 12, 31)),
        st.integers(-(10**9), 10**9),
        st.integers(-999, 999),
        st.none() | st.from_regex(r"[A-Z]{2}[0-9]{4,9}", fullmatch=True),
        st.none() | WORD | st.just('a, "b";\tc|d'),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    LINES, st.sampled_from([",", "\t", ";", "|"]), st.sampled_from(["utf-8", "gb18030", "utf-16"])
)
def test_any_lines_written_are_read_back(tmp_path, rows, delimiter, encoding):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["member", "at", "amount", "order", "item", "quantity"])
    for member, at, amount, quantity, order, item in rows:
        at_text = at.replace(microsecond=0).isoformat(" ")
        writer.writerow([member, at_text, f"{amount / 100:.2f}", order, item, quantity])
    path = write(tmp_path, text.getvalue().encode(encoding))
    asked = None if encoding == "utf-16" else encoding
    _, lines, bad = everything(path, WIDE, timezone="UTC", encoding=asked, delimiter=delimiter)
    assert bad == []
    assert [
        (one.member, one.at.replace(tzinfo=None), one.amount, one.quantity, one.order, one.item)
        for one in lines
    ] == [
        (m, at.replace(microsecond=0), a, q, o, i and i.replace("\t", " ").strip())
        for m, at, a, q, o, i in rows
    ]


CELLS = st.text(st.sampled_from('a1,"\n\r\t\0 é中2024-03-05'), max_size=25)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CELLS, max_size=12))
def test_no_line_is_ever_lost(tmp_path, junk):
    sound = "ann01,2024-03-05,1.00\n"
    text = "member,at,amount\n" + sound * 60 + "".join(f"{cell}\n" for cell in junk) + sound
    reader, lines, bad = everything(write(tmp_path, text), has_header=True, delimiter=",")
    physical = text.replace("\r\n", "\n").count("\n") - 1
    assert reader.lines == len(lines) + len(bad) + reader.blank_lines
    assert reader.lines <= physical
    if '"' not in text:
        assert reader.lines == physical
    assert {2, 3, 4} <= {one.line for one in lines}
    last = {one.line for one in lines} | {one.line for one in bad}
    assert max(last) <= physical + 1


def test_this_package_needs_no_django():
    folder = Path(__file__).parents[3] / "src/liuke/analytics/orderlog"
    for file in folder.glob("*.py"):
        text = file.read_text("utf-8")
        assert "django" not in text.casefold(), file.name
        assert "import duckdb" not in text, file.name
