"""Django looks for `DatabaseWrapper` here.

The pool's own check waits between one broken connection and the next, 1, 2, 4, 8 and 16 seconds: after a restart of the
server the first request would wait for half a minute, and fail. Here the first broken one tells on all that lie idle.
And only a connection on which something arrived is asked whether it still answers: the server says nothing unasked
but good-bye.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg.types.numeric import Int8Dumper
from psycopg_pool import ConnectionPool

TRIES_MAX = 3


class DatabaseWrapper(base.DatabaseWrapper):
    """The wrapper of Django, whose pool must not check (`CONN_HEALTH_CHECKS` off): this one does."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection that answers, from the pool where there is one.

        Raises:
            OperationalError: the server cannot be reached, or cuts connections as soon as they are made.
        """
        pool: ConnectionPool[Any] | None = self.pool
        tries = 1
        while pool is not None:
            connection = super().get_new_connection(conn_params)
            try:
                if _has_news(connection):
                    pool.check_connection(connection)
                return connection
            except OperationalError:
                pool.putconn(connection)  # which throws it away
                if tries == TRIES_MAX:
                    raise
                pool.check()
                tries += 1
        return super().get_new_connection(conn_params)

    def _configure_connection(self, connection: Connection[Any]) -> bool:
        """One type for every whole number: a statement that is kept planned (`base.prepared`) is kept by its types."""
        connection.adapters.register_dumper(int, Int8Dumper)
        return bool(super()._configure_connection(connection))  # type: ignore[misc]


def _has_news(connection: Connection[Any]) -> bool:
    """Whether the server has said something, or has gone, while nobody used it."""
    news = select.poll()
    news.register(connection.pgconn.socket, select.POLLIN)
    return connection.closed or bool(news.poll(0))
