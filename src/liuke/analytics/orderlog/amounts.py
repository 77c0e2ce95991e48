"""How many minor units is this amount of money?

Exact decimal arithmetic, never floats. More decimals than the currency has are rounded half-even
and counted, except for the noise of a float within a millionth of a minor unit.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_EVEN, Context, Decimal

from .cells import NOTHING, plain
from .errors import UnknownCurrency, UnknownDecimal
from .lines import AMOUNT_BOUND, Refused, excerpt

_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS = {code: many for many, codes in _DECIMALS.items() for code in codes.split()}

# "$" and "¥" belong to several currencies, so they name none.
_SIGNS = {
    "¥": None, "$": None, "US$": "USD", "HK$": "HKD", "NT$": "TWD", "A$": "AUD", "C$": "CAD",
    "S$": "SGD", "€": "EUR", "£": "GBP", "₩": "KRW", "₹": "INR", "₽": "RUB", "฿": "THB",
    "元": "CNY", "圆": "CNY", "块": "CNY", "人民币": "CNY", "RMB": "CNY", "CNH": "CNY",
    "RMB¥": "CNY", "CN¥": "CNY", "CNY¥": "CNY", "美元": "USD", "港币": "HKD", "港元": "HKD",
    "日元": "JPY", "円": "JPY", "欧元": "EUR", "英镑": "GBP", "韩元": "KRW",
}  # fmt: skip

_CODES = "AED AUD BHD BRL CAD CHF CLP CNY CNH CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JOD JPY KRW"
_CODES += " KWD MOP MXN MYR NOK NZD OMR PHP PKR PLN QAR RMB RUB SAR SEK SGD THB TND TRY TWD UAH USD"
_CODES += " VND ZAR"
_SIGN = rf"(?:{_CODES.replace(' ', '|')})¥?|[A-Z]{{0,2}}\$|[¥€£₩₹₽฿]"
_SIGN += "|人民币|[美港日欧韩]元|港币|英镑|元|圆|块|円"
_SHAPE = re.compile(
    rf"(?P<open>\()?\s*(?P<m1>[+-])?\s*(?P<sign1>{_SIGN})?\s*(?P<m2>[+-])?\s*"
    rf"(?P<number>[0-9.][0-9., 'E+-]*?)\s*(?P<sign2>{_SIGN})?\s*(?P<m3>-)?\s*(?P<close>\))?",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_SCIENTIFIC = re.compile(r"(\d(?:\.\d+)?)E([+-]?)(\d{1,3})", re.IGNORECASE)
_SPREADSHEET_DIGITS = 6  # as many as a spreadsheet shows of a number it shortens
_NOISE = Decimal("0.000001")
_EXACT = Context(prec=60)


def exponent_of(currency: str) -> int:
    if not re.fullmatch("[A-Z]{3}", currency):
        raise UnknownCurrency(currency=currency)
    return _EXPONENTS.get(currency, 2)


def currency_named(text: str) -> str:
    """The ISO code of what a currency column says; text that is none comes back as it is."""
    name = unicodedata.normalize("NFKC", plain(text)).upper()
    return _SIGNS.get(name) or name


class Amounts:
    """Reads the amounts of one log; `rounded` counts the lines that lost a fraction."""

    def __init__(self, currency: str, decimal: str = ".") -> None:
        if decimal not in (".", ","):
            raise UnknownDecimal(decimal=decimal)
        self.currency = currency
        self.exponent = exponent_of(currency)
        self.decimal = decimal
        self.rounded = 0

    def minor(self, raw: str) -> int:
        return self.to_minor(self.value(raw), raw)

    def to_minor(self, value: Decimal, raw: str) -> int:
        scaled = value.scaleb(self.exponent, _EXACT)
        if abs(scaled) > AMOUNT_BOUND - 1:
            raise Refused("amount_too_large", value=excerpt(raw))
        whole = int(scaled.to_integral_value(ROUND_HALF_EVEN, _EXACT))
        if scaled != whole and abs(scaled - whole) > _NOISE:
            self.rounded += 1
        return whole

    def times(self, price: Decimal, quantity: int, raw: str) -> int:
        return self.to_minor(_EXACT.multiply(price, Decimal(quantity)), raw)

    def value(self, raw: str) -> Decimal:
        """The amount in major units, exactly as written."""
        text = plain(raw)
        if text.casefold() in NOTHING:
            raise Refused("no_amount")
        text = unicodedata.normalize("NFKC", text).replace("\u2212", "-")
        shape = _SHAPE.fullmatch(text)
        if shape is None or bool(shape["open"]) != bool(shape["close"]):
            raise Refused("not_an_amount", value=excerpt(raw))
        self._same_currency(shape["sign1"])
        self._same_currency(shape["sign2"])
        number = self._number(shape["number"], raw)
        return -number if self._is_negative(shape, raw) else number

    def _is_negative(self, shape: re.Match[str], raw: str) -> bool:
        marks = [shape[name] for name in ("open", "m1", "m2", "m3") if shape[name]]
        if len(marks) > 1:
            raise Refused("not_an_amount", value=excerpt(raw))
        return bool(marks) and marks[0] != "+"

    def _same_currency(self, sign: str | None) -> None:
        if sign is None:
            return
        name = sign.upper()
        found = _SIGNS.get(name, name)
        if found is not None and found != self.currency:
            raise Refused("other_currency", found=found, expected=self.currency)

    def _number(self, text: str, raw: str) -> Decimal:
        if self.decimal == ",":
            text = text.translate({ord("."): ",", ord(","): ".", ord(" "): ",", ord("'"): ","})
        if _PLAIN.fullmatch(text):
            return Decimal(text)
        if _GROUPED.fullmatch(text):
            return Decimal(text.replace(",", ""))
        scientific = _SCIENTIFIC.fullmatch(text)
        if scientific is None:
            raise Refused("not_an_amount", value=excerpt(raw))
        return self._scientific(scientific, raw)

    def _scientific(self, shape: re.Match[str], raw: str) -> Decimal:
        value = Decimal(shape[0])
        digits = len(shape[1].replace(".", ""))
        shortened = shape[2] != "-" and digits == _SPREADSHEET_DIGITS
        scaled = value.scaleb(self.exponent, _EXACT)
        if scaled.adjusted() > 20:
            raise Refused("amount_too_large", value=excerpt(raw))
        if shortened or abs(scaled - scaled.to_integral_value()) > _NOISE:
            raise Refused("not_exact", value=excerpt(raw))
        return value
