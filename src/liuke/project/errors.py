"""Why Liuke could not start, said so that the person at the keyboard knows what to do next."""

from __future__ import annotations


class CannotStart(Exception):
    """One plain sentence: what is wrong and what to do. The command line prints it and exits 2."""


class BackupRefused(CannotStart):
    """A backup was not made, or was not put back; what was there is as it was."""
