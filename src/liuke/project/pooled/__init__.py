"""Django's PostgreSQL with a pool that a restart of the server costs nothing: the engine of `settings.DATABASES`."""
