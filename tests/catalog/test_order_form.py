"""What a buyer has to tell: questions are checked when saved, answers when given, both quickly."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from liuke.catalog.errors import BadOrderForm
from liuke.catalog.rules import (
    ANSWER_LETTERS,
    Question,
    check_answers,
    is_safe_pattern,
    read_order_form,
)


def question(**more: Any) -> dict[str, Any]:
    return {"key": "account", "label": "游戏账号", "kind": "text", **more}


FORM = read_order_form(
    [
        question(pattern=r"[A-Za-z0-9_]{4,20}"),
        question(key="region", label="区服", kind="choice", choices=["天空岛", "世界树"]),
        question(key="phone", label="手机", kind="phone", is_required=False),
        question(key="password", label="密码", kind="secret", is_required=False),
    ]
)


def test_good_answers_are_tidied_and_kept_and_what_nobody_asked_is_dropped() -> None:
    checked = check_answers(
        FORM,
        {"account": " player_1 ", "region": "世界树", "phone": "+86 138 0013 8000", "more": "x"},
    )
    assert checked.wrong == {}
    assert checked.answers == {"account": "player_1", "region": "世界树", "phone": "13800138000"}


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({}, {"account": "missing", "region": "missing"}),
        ({"account": "   ", "region": "天空岛"}, {"account": "missing"}),
        ({"account": "abc", "region": "天空岛"}, {"account": "bad_form"}),
        ({"account": "good_1 ok", "region": "天空岛"}, {"account": "bad_form"}),
        ({"account": "good_1\n", "region": "别处"}, {"region": "not_a_choice"}),
        ({"account": "a" * 101, "region": "天空岛"}, {"account": "too_long"}),
        ({"account": "a\x00bcd", "region": "天空岛"}, {"account": "unprintable"}),
        ({"account": "good", "region": "天空岛", "phone": "12345"}, {"phone": "not_a_phone"}),
    ],
)
def test_every_wrong_field_is_named(answers: dict[str, str], wrong: dict[str, str]) -> None:
    assert check_answers(FORM, answers).wrong == wrong


def test_answers_that_are_no_text_are_missing() -> None:
    assert check_answers(FORM, {"account": ["a"], "region": None}).wrong == {  # type: ignore[dict-item]
        "account": "missing",
        "region": "missing",
    }


@pytest.mark.parametrize(
    "field",
    [
        question(key=""),
        question(key="Account"),
        question(key="a b"),
        question(key="a" * 25),
        question(label=""),
        question(label="长" * 41),
        question(help="长" * 121),
        question(kind="file"),
        question(kind="choice"),
        question(choices=["a"]),
        question(kind="choice", choices=["a", "a"]),
        question(kind="choice", choices=[str(n) for n in range(61)]),
        question(kind="choice", choices="ab"),
        question(kind="choice", choices=["a" * 101]),
        question(pattern="(a+)+"),
        question(pattern="["),
        "a question",
        None,
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_with_its_number(field: object) -> None:
    good = question(key="first")
    with pytest.raises(BadOrderForm) as refused:
        read_order_form([good, field])
    assert refused.value.params["number"] == 2
    assert str(refused.value)


def test_two_questions_of_one_key_and_too_many_are_refused() -> None:
    with pytest.raises(BadOrderForm):
        read_order_form([question(), question()])
    with pytest.raises(BadOrderForm):
        read_order_form([question(key=f"k{n}") for n in range(13)])
    with pytest.raises(BadOrderForm):
        read_order_form({"key": "account"})


def test_a_form_comes_back_from_the_database_as_it_was() -> None:
    assert read_order_form([asked.stored() for asked in FORM]) == FORM
    assert read_order_form([]) == ()


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d{9}",
        r"[1-9]\d{4,10}",
        r"[A-Za-z0-9_-]{4,20}",
        r"[a-z0-9.]+@[a-z0-9-]+\.[a-z]{2,6}",
        r"(cn|asia|eu)-\d{1,3}",
        r"UID:?\d{6,12}",
        r".{2,40}",
        r"[\u4e00-\u9fff]{2,8}",
        r"\w+\s\w+",
        r"(?:\+86)?1[3-9]\d{9}",
        r"[^ ]+",
        r"[]a]+",
    ],
)
def test_patterns_that_people_need_are_allowed(pattern: str) -> None:
    assert is_safe_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*b",
        "(a|a)*",
        "(a?){30}",
        "((a{1,9}){1,9}){1,9}",
        "(?:(?:a|b)|c)+",
        "(.*)(.*)(.*)x",
        "a?" * 20 + "a" * 20,
        "(a|b|c)" * 12,
        "(?=a)a",
        r"(a)\1",
        "(?P<x>a)",
        "^a$",
        "a++",
        "a{2}{3}",
        "a**",
        "(",
        "[a",
        "a)",
        "(a",
        "*a",
        "a" * 121,
        "\\",
        "{",
        "(?i)a",
        "(?#x)",
    ],
)
def test_patterns_that_could_run_for_long_or_are_none_are_refused(pattern: str) -> None:
    assert not is_safe_pattern(pattern)


LETTERS = st.text(alphabet="ab01.*+?|(){}[]\\dw,2-9^", max_size=24)


@given(pattern=LETTERS, answer=st.text(alphabet="ab01", max_size=ANSWER_LETTERS))
@example(pattern=r"\d*\d*\d{1,4}b", answer="0" * ANSWER_LETTERS)
@example(pattern="a*a*b", answer="a" * ANSWER_LETTERS)
@example(pattern="[a-z]+[a-z]+[a-z]?b", answer="a" * ANSWER_LETTERS)
@settings(max_examples=300, deadline=None)
def test_whatever_pattern_is_allowed_judges_an_answer_at_once(pattern: str, answer: str) -> None:
    if is_safe_pattern(pattern):
        re.compile(pattern)  # it is one
        began = time.perf_counter()
        check_answers([Question("k", "k", "text", pattern)], {"k": answer})
        assert time.perf_counter() - began < 1
