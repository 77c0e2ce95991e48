"""In which words do we speak of products and stock, what does a quantity cost, and what does a buyer have to tell?

Pure: nothing here reads the database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from liuke.catalog.errors import BadOrderForm, BadQuantityPrices
from liuke.people.rules import read_phone

PRODUCT_KINDS = ("card_key", "top_up", "agent_service")  # the last two are delivered by hand
PRODUCT_STATES = ("draft", "listed", "hidden")
SOURCE_KINDS = ("official", "authorised", "merchant")
VARIANT_STATES = ("listed", "hidden")
STOCK_KINDS = ("keys", "count", "open", "bundle")
KEY_STATES = ("free", "held", "delivered", "revoked", "bad")
ACCESS_ROLES = ("buyer", "operator", "agent", "merchant", "system")
FIELD_KINDS = ("text", "phone", "choice", "secret")

PRICE_FEN_MAX = 100_000_000  # a million yuan
ARRIVAL_MINUTES_MAX = 43_200  # thirty days
ACCEPT_DAYS_MAX = 90
LIMIT_MAX = 10_000
QUANTITY_STEPS_MAX = 9
PARTS_MAX, PART_QUANTITY_MAX = 20, 99
REFERENCE_LETTERS = 9

KEY_LETTERS_MIN, KEY_LETTERS_MAX = 4, 500
KEYS_MAX, KEY_FILE_BYTES_MAX = 200_000, 16 * 1024 * 1024  # of one import
LAST_FOUR_FROM = 12  # of a shorter key four letters would tell too much

FIELDS_MAX, CHOICES_MAX = 12, 60
LABEL_LETTERS, HELP_LETTERS, ANSWER_LETTERS = 40, 120, 100
PATTERN_LETTERS, PATTERN_WAYS_MAX = 120, 200_000

_FIELD_KEY = re.compile(r"[a-z][a-z0-9_]{0,23}")


def stock_fits(product_kind: str, stock_kind: str) -> bool:
    """Whether a product of that kind may have a variant stocked so."""
    if stock_kind == "bundle":
        return True
    return (product_kind == "card_key") == (stock_kind == "keys")


# Prices -------------------------------------------------------------------------------------------


def unit_price(price_fen: int, quantity_prices: Sequence[Sequence[int]], quantity: int) -> int:
    """What one costs when so many are bought, in minor units."""
    reached = [fen for start, fen in quantity_prices if quantity >= start]
    return reached[-1] if reached else price_fen


def read_quantity_prices(raw: object, price_fen: int) -> list[list[int]]:
    """[[from, price_fen], …] as it may be stored.

    Raises:
        BadQuantityPrices: not rising in number from 2, or dearer than the step before.
    """
    if not isinstance(raw, list | tuple) or len(raw) > QUANTITY_STEPS_MAX:
        raise BadQuantityPrices
    steps: list[list[int]] = []
    last_from, last_fen = 1, price_fen
    for step in raw:
        if not isinstance(step, list | tuple) or [type(n) for n in step] != [int, int]:
            raise BadQuantityPrices
        start, fen = step
        if not last_from < start <= LIMIT_MAX or not 0 <= fen <= last_fen:
            raise BadQuantityPrices
        steps.append([start, fen])
        last_from, last_fen = start, fen
    return steps


# Card keys ----------------------------------------------------------------------------------------


def normal_key(text: str) -> str:
    """A card key as it is compared: full-width letters, case and spaces make no other key."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def last_four(text: str) -> str:
    """The end of a key that may be shown, "" when the key is too short for that."""
    bare = normal_key(text)
    return bare[-4:] if len(bare) >= LAST_FOUR_FROM else ""


# The order form -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """One field of an order form. `pattern` is a regular expression the whole answer must fit, "" for any."""

    key: str
    label: str
    kind: str
    pattern: str = ""
    choices: tuple[str, ...] = ()
    is_required: bool = True
    help: str = ""

    def stored(self) -> dict[str, Any]:
        """As plain data for the database."""
        return {
            "key": self.key,
            "label": self.label,
            "kind": self.kind,
            "pattern": self.pattern,
            "choices": list(self.choices),
            "is_required": self.is_required,
            "help": self.help,
        }


@dataclass(frozen=True)
class Checked:
    """A buyer's answers as they are kept, and key → what is wrong for each that cannot be.

    Wrong is one of missing, too_long, unprintable, not_a_phone, not_a_choice, bad_form.
    """

    answers: dict[str, str]
    wrong: dict[str, str]


def read_order_form(raw: object) -> tuple[Question, ...]:
    """The questions of an order form, from plain data.

    Raises:
        BadOrderForm: says which question, and why.
    """
    if not isinstance(raw, list | tuple) or len(raw) > FIELDS_MAX:
        raise BadOrderForm(number=FIELDS_MAX + 1, why=gettext("there are too many questions."))
    questions: list[Question] = []
    for number, field in enumerate(raw, start=1):
        if not isinstance(field, Mapping):
            raise BadOrderForm(number=number, why=gettext("this is no question."))
        question = _question(field)
        why = _what_is_wrong(question)
        if not why and any(question.key == other.key for other in questions):
            why = gettext("another question has the same key.")
        if why:
            raise BadOrderForm(number=number, why=why)
        questions.append(question)
    return tuple(questions)


def check_answers(questions: Sequence[Question], answers: Mapping[str, str]) -> Checked:
    """What the buyer told, tidied, with every wrong field named. Answers nobody asked for are dropped."""
    kept: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for question in questions:
        answer, problem = _check(question, answers.get(question.key, ""))
        if problem:
            wrong[question.key] = problem
        elif answer:
            kept[question.key] = answer
    return Checked(kept, wrong)


def _check(question: Question, given: object) -> tuple[str, str]:
    answer = given.strip() if isinstance(given, str) else ""
    if not answer:
        return "", "missing" if question.is_required else ""
    if len(answer) > ANSWER_LETTERS:
        return "", "too_long"
    if not answer.isprintable():
        return "", "unprintable"
    if question.kind == "phone":
        phone = read_phone(answer)
        return (phone, "") if phone else ("", "not_a_phone")
    if question.kind == "choice":
        return (answer, "") if answer in question.choices else ("", "not_a_choice")
    if question.pattern and not re.fullmatch(question.pattern, answer):
        return "", "bad_form"
    return answer, ""


def _question(field: Mapping[str, Any]) -> Question:
    choices = field.get("choices") or ()
    return Question(
        key=str(field.get("key", "")).strip(),
        label=str(field.get("label", "")).strip(),
        kind=str(field.get("kind", "")),
        pattern=str(field.get("pattern") or "").strip(),
        choices=tuple(str(choice).strip() for choice in choices if str(choice).strip())
        if isinstance(choices, list | tuple)
        else (),
        is_required=bool(field.get("is_required", True)),
        help=str(field.get("help") or "").strip(),
    )


def _what_is_wrong(question: Question) -> str:
    """Why a question cannot be asked, as a sentence; "" when it can."""
    if not _FIELD_KEY.fullmatch(question.key):
        return gettext("a key has small letters, digits and _, and starts with a letter.")
    if not 0 < len(question.label) <= LABEL_LETTERS or len(question.help) > HELP_LETTERS:
        return gettext("it needs a short label.")
    if question.kind not in FIELD_KINDS:
        return gettext("this kind of question does not exist.")
    if (question.kind == "choice") != bool(question.choices):
        return gettext("a choice, and nothing else, has answers to choose from.")
    if len(question.choices) > CHOICES_MAX or len(set(question.choices)) < len(question.choices):
        return gettext("too many answers, or the same one twice.")
    if any(len(choice) > ANSWER_LETTERS for choice in question.choices):
        return gettext("an answer is too long.")
    if question.pattern and not is_safe_pattern(question.pattern):
        return gettext("the pattern is too long, or too free to be checked quickly.")
    return ""


# Patterns -----------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"\\[dwsDWS]|\\[^\w\s]"  # a class, or a sign that means itself
    r"|\[\^?\]?(?:\\.|(?!--|&&|~~|\|\|)[^\]\\\[])*\]"  # a set of letters, without what may one day mean more
    r"|\(\?:|[()|]"
    r"|(?:[?*+]|\{\d{1,3}(?:,\d{0,3})?\})"
    r"|[^\\\[\](){}?*+|^$]"  # any letter, and the dot
)
_REPEAT = re.compile(r"\{(\d+)(,?)(\d*)\}")


def is_safe_pattern(pattern: str) -> bool:
    """Whether every answer is judged quickly: a plain pattern in which no repetition holds another or a choice.

    Known are letters, sets, dots, `\\d`-like classes, groups, `|` and repetitions; no look-around, no
    back-references. The ways to try an answer, as a product over repetitions and choices, are bounded.
    """
    if len(pattern) > PATTERN_LETTERS:
        return False
    tokens = list(_tokens(pattern))
    if "".join(tokens) != pattern or _ways(tokens) > PATTERN_WAYS_MAX:
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _tokens(pattern: str) -> Iterator[str]:
    place = 0
    while found := _TOKEN.match(pattern, place):
        yield found[0]
        place = found.end()


def _ways(tokens: Sequence[str]) -> int:
    """A bound on how many ways there are to try; too many when what repeats is nothing, repeats itself, or chooses."""
    ways = 1
    free_at: list[bool] = [False]  # whether an open group repeats or chooses, from the outermost
    may_repeat = False  # the token before is a letter or a group that neither repeats nor chooses
    for token in tokens:
        choices = _choices(token)
        if choices and not may_repeat:
            return PATTERN_WAYS_MAX + 1
        may_repeat = not choices and token not in ("(", "(?:", "|")
        if token in ("(", "(?:"):
            free_at.append(False)
        elif token == ")" and len(free_at) > 1:
            is_free = free_at.pop()
            may_repeat, free_at[-1] = not is_free, free_at[-1] or is_free
        elif token == "|" or choices > 1:
            ways, free_at[-1] = ways * (choices or 2), True
    return ways


def _choices(token: str) -> int:
    """How many lengths a repetition allows; 0 for what repeats nothing."""
    if token == "?":
        return 2
    if token in ("*", "+"):
        return ANSWER_LETTERS
    found = _REPEAT.fullmatch(token)
    if not found:
        return 0
    least, is_open, most = int(found[1]), bool(found[2]), found[3]
    most_of_all = int(most) if most else ANSWER_LETTERS if is_open else least
    return max(most_of_all - least, 0) + 1
