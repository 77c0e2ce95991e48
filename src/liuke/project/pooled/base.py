"""Django looks for `DatabaseWrapper` here.

The pool's own check waits between one broken connection and the next, 1, 2, 4, 8 and 16 seconds: after a restart of the
server the first request would wait for half a minute, and fail. Here the first broken one tells on all that lie idle.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """The wrapper of Django, whose pool must not check (`CONN_HEALTH_CHECKS` off): this one does."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection that answers, from the pool where there is one.

        Raises:
            OperationalError: the server cannot be reached.
        """
        while True:
            connection = super().get_new_connection(conn_params)
            pool: ConnectionPool[Any] | None = self.pool
            if pool is None or _answers(connection):
                return connection
            pool.putconn(connection)
            pool.check()


def _answers(connection: Any) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        return False
    return True
