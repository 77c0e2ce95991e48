"""What is a fact? A frozen dataclass of plain data, with a name and version that outlive the code.

    @fact(name="analytics.OrdersImported", version=1)
    @dataclass(frozen=True)
    class OrdersImported:
        source: str
        rows: int

Facts are written as JSON and read back with their types checked in both directions: the log is for
ever, so nothing enters it that could not be read again. A change of shape raises the version and
adds an `upcaster` for the old one.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)
Payload = dict[str, Any]
Upcaster = Callable[[Payload], Payload]

_NAME = re.compile(r"[a-z][a-z_]*\.[A-Z][A-Za-z]*")
_PLAIN = "int, str, bool, None, date, datetime, and list, tuple[x, ...] or dict[str, x] of them"
_from_json = json.JSONDecoder().raw_decode  # the database writes no spaces around
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class BadFact(TypeError):
    """A fact is declared or filled with what is not plain data, or a payload does not fit it."""


class UnknownFact(LookupError):
    """The log holds a name, or a version of it, that this release cannot read."""


@dataclass(frozen=True, slots=True)
class Happened(Generic[F_co]):
    """A fact to publish, with the member it concerns and when it happened (now, unless told)."""

    fact: F_co
    member: int | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded(Generic[F_co]):
    """A fact as it stands in the log."""

    id: int
    fact: F_co
    member: int | None
    happened_at: dt.datetime
    happened_on: dt.date


@dataclass(frozen=True, slots=True)
class _Codec:
    """How values of a declared type go to JSON and come back, chosen by their exact type."""

    writers: dict[type, Callable[[Any], Any]]
    readers: dict[type, Callable[[Any], Any]]

    def write(self, value: Any) -> Any:
        writer = self.writers.get(type(value))
        if writer is None:
            raise BadFact(f"{type(value).__name__} is not the declared plain type")
        return writer(value)

    def read(self, value: Any) -> Any:
        reader = self.readers.get(type(value))
        if reader is None:
            raise BadFact(f"JSON {type(value).__name__} is not what was declared")
        return reader(value)


@dataclass(frozen=True, slots=True)
class Kind:
    """A declared fact: its name, its version now, its class, and how each field is written."""

    name: str
    version: int
    cls: type
    fields: tuple[tuple[str, _Codec], ...]


_by_name: dict[str, Kind] = {}
_by_class: dict[type, Kind] = {}
upcasters: dict[tuple[str, int], Upcaster] = {}


def _same(value: Any) -> Any:
    return value


def _write_text(value: str) -> str:
    if "\x00" in value:
        raise BadFact("text with a NUL cannot be kept in the database")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadFact("text with half a surrogate pair cannot be kept in the database") from None
    return value


def _write_moment(value: dt.datetime) -> str:
    if value.utcoffset() is None:
        raise BadFact("a moment needs a time zone")
    return value.astimezone(dt.UTC).isoformat()


def _read_moment(value: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(value)
    if moment.utcoffset() is None:
        raise BadFact("a moment needs a time zone")
    return moment


_SCALARS: dict[Any, _Codec] = {
    int: _Codec({int: _same}, {int: _same}),
    bool: _Codec({bool: _same}, {bool: _same}),
    str: _Codec({str: _write_text}, {str: _same}),
    types.NoneType: _Codec({types.NoneType: _same}, {types.NoneType: _same}),
    dt.date: _Codec({dt.date: dt.date.isoformat}, {str: dt.date.fromisoformat}),
    dt.datetime: _Codec({dt.datetime: _write_moment}, {str: _read_moment}),
}


def _codec(hint: Any) -> _Codec:
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin is list and len(args) == 1:
        return _sequence(list, _codec(args[0]))
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return _sequence(tuple, _codec(args[0]))
    if origin is dict and len(args) == 2 and args[0] is str:
        return _mapping(_codec(args[1]))
    if origin in (Union, types.UnionType):
        return _union([_codec(arg) for arg in args])
    raise BadFact(f"{hint!r} is not plain data: {_PLAIN}")


def _sequence(cls: type, item: _Codec) -> _Codec:
    return _Codec(
        {cls: lambda values: [item.write(value) for value in values]},
        {list: lambda values: cls(item.read(value) for value in values)},
    )


def _mapping(item: _Codec) -> _Codec:
    key = _SCALARS[str]
    return _Codec(
        {dict: lambda value: {key.write(k): item.write(v) for k, v in value.items()}},
        {dict: lambda value: {k: item.read(v) for k, v in value.items()}},
    )


def _union(members: list[_Codec]) -> _Codec:
    writers: dict[type, Callable[[Any], Any]] = {}
    readers: dict[type, Callable[[Any], Any]] = {}
    for member in members:
        if member.readers.keys() & readers.keys():
            raise BadFact("a union whose members look alike in JSON cannot be read back")
        writers |= member.writers
        readers |= member.readers
    return _Codec(writers, readers)


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def fact(*, name: str, version: int = 1) -> Callable[[type[F]], type[F]]:
    """Declare a frozen dataclass as a fact. `name` is "room.PastTense" and is never changed."""

    def declare(cls: type[F]) -> type[F]:
        params = getattr(cls, "__dataclass_params__", None)
        if params is None or not params.frozen:
            raise BadFact(f"{cls.__qualname__} must be a frozen dataclass")
        if not _NAME.fullmatch(name) or version < 1:
            raise BadFact(f"{name!r} version {version} is not room.PastTense and 1 or more")
        before = _by_name.get(name)
        if before and _place(before.cls) != _place(cls):
            raise BadFact(f"{name} is already {_place(before.cls)}")
        hints = get_type_hints(cls)
        fields = tuple((f.name, _codec(hints[f.name])) for f in dataclasses.fields(cls))  # type: ignore[arg-type]
        _by_name[name] = _by_class[cls] = Kind(name, version, cls, fields)
        return cls

    return declare


def upcaster(name: str, version: int) -> Callable[[Upcaster], Upcaster]:
    """Register how a payload of `version` becomes one of `version` + 1."""

    def register(fn: Upcaster) -> Upcaster:
        if (name, version) in upcasters:
            raise BadFact(f"{name} version {version} already has an upcaster")
        upcasters[name, version] = fn
        return fn

    return register


def kinds() -> list[Kind]:
    """Every declared fact, by name."""
    return [_by_name[name] for name in sorted(_by_name)]


def kind_of(cls: type) -> Kind:
    """What was declared of a class."""
    try:
        return _by_class[cls]
    except KeyError:
        raise BadFact(f"{cls.__qualname__} is not declared with @fact") from None


def missing_upcasters() -> list[tuple[str, int]]:
    """Old versions that nobody could read: a test keeps this empty."""
    return [
        (kind.name, version)
        for kind in kinds()
        for version in range(1, kind.version)
        if (kind.name, version) not in upcasters
    ]


def write_fact(value: object) -> tuple[Kind, str]:
    """The kind of a fact and its payload as JSON text."""
    kind = kind_of(type(value))
    payload = {}
    for name, codec in kind.fields:
        try:
            payload[name] = codec.write(getattr(value, name))
        except BadFact as error:
            raise BadFact(f"{kind.name}.{name}: {error}") from None
    return kind, _to_json(payload)


def read_fact(name: str, version: int, payload: str) -> Any:
    """The fact that was written, brought up to the version of today."""
    kind = _by_name.get(name)
    if kind is None or version > kind.version:
        raise UnknownFact(f"this release cannot read {name} version {version}")
    content, _ = _from_json(payload)
    for old in range(version, kind.version):
        step = upcasters.get((name, old))
        if step is None:
            raise UnknownFact(f"no upcaster for {name} version {old}")
        content = step(content)
    return _filled(kind, content)


def _filled(kind: Kind, content: Payload) -> Any:
    if len(content) != len(kind.fields):
        odd = sorted(content.keys() ^ {name for name, _ in kind.fields})
        raise BadFact(f"{kind.name} version {kind.version}: fields differ: {', '.join(odd)}")
    arguments = {}
    for name, codec in kind.fields:
        try:
            value = content[name]
            reader = codec.readers.get(type(value))
            arguments[name] = value if reader is _same else codec.read(value)
        except KeyError:
            raise BadFact(f"{kind.name} version {kind.version}: {name} is missing") from None
        except (BadFact, ValueError) as error:
            raise BadFact(f"{kind.name}.{name}: {error}") from None
    return kind.cls(**arguments)
