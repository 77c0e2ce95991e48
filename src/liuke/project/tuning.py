"""How is the embedded server set? For a machine of 1 GB that does other things too.

Given on the command line at every start, so a new release's settings hold for old data. Who wants to tune runs a
server of their own (`LIUKE_DATABASE_URL`).
"""

from __future__ import annotations

from pathlib import Path

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "256MB",
    "max_connections": "60",
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "min_wal_size": "80MB",
    "checkpoint_timeout": "15min",
    "autovacuum_max_workers": "2",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "restart_after_crash": "on",
}
# For tests: several runs of races share this server, and nothing of it outlives them.
NOT_SAFE_BUT_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "150",
}


def server_settings(tag: str, socket_folder: Path, major: int, *, fsync: bool) -> dict[str, str]:
    """What the server is told at its start."""
    return {
        **SETTINGS,
        **({} if fsync else NOT_SAFE_BUT_FAST),
        **({"io_method": "sync"} if major >= 18 else {}),  # three processes fewer
        "unix_socket_directories": '"' + str(socket_folder).replace('"', '""') + '"',
        "cluster_name": tag,  # the mark by which its processes are known
    }
