"""What does an operator's order log say, whatever its shape? See README.md."""

from .arrays import LogArrays, as_arrays
from .choosing import column_index
from .copying import COLUMNS, copy_block
from .dateorder import DateOrders, date_orders
from .errors import UnreadableLog
from .guessing import Guess, GuessedColumn, guess
from .lines import REASONS, BadLine, Block, Mapping, Options, OrderLine
from .reading import LogReader, read
from .shape import Column, LogLook, look
from .table import Table, read_table

__all__ = [
    "COLUMNS",
    "REASONS",
    "BadLine",
    "Block",
    "Column",
    "DateOrders",
    "Guess",
    "GuessedColumn",
    "LogArrays",
    "LogLook",
    "LogReader",
    "Mapping",
    "Options",
    "OrderLine",
    "Table",
    "UnreadableLog",
    "as_arrays",
    "column_index",
    "copy_block",
    "date_orders",
    "guess",
    "look",
    "read",
    "read_table",
]
