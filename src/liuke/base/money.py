"""How much is it? Integers of the currency's smallest unit, never floats.

`total_fen` in a name means "minor units of the currency in force", whatever the currency.
Exponents are ISO 4217's.
"""

from __future__ import annotations

_EXPONENTS = {
    **dict.fromkeys(("JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF", "PYG", "UGX", "RWF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_SYMBOLS = {
    "CNY": "¥",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "JP¥",
    "HKD": "HK$",
    "TWD": "NT$",
}


def exponent(currency: str) -> int:
    """How many decimals the currency has (2 unless ISO 4217 says otherwise)."""
    return _EXPONENTS.get(currency, 2)


def symbol(currency: str) -> str:
    """What stands before an amount: a symbol, or the ISO code and a space."""
    return _SYMBOLS.get(currency, f"{currency} ")


def money_text(amount_fen: int, currency: str, *, cents: bool = True) -> str:
    """An amount as people write it: `¥1,234.50`, or `¥1,235` with `cents=False` (rounded half up)."""
    sign = "-" if amount_fen < 0 else ""
    places = exponent(currency)
    unit = 10**places
    if not cents or not places:
        whole = (abs(amount_fen) + unit // 2) // unit
        return f"{sign if whole else ''}{symbol(currency)}{whole:,}"
    whole, rest = divmod(abs(amount_fen), unit)
    return f"{sign}{symbol(currency)}{whole:,}.{rest:0{places}}"
