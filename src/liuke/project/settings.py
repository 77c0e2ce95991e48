"""Infrastructure, from `LIUKE_*` variables only. Policy (days, thresholds, caps) is rows the operator edits."""

from __future__ import annotations

import os
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

from liuke.project.errors import CannotStart
from liuke.project.home import home

LIUKE_HOME = str(home())


def _secret_key() -> str:
    """Django's own key: from the environment, or made once beside the master key (0600)."""
    from liuke.project.home import secret_text

    return os.environ.get("LIUKE_SECRET_KEY") or secret_text("django.key")


def _whole(name: str, standard: int) -> int:
    """A variable that counts something, or one sentence."""
    text = os.environ.get(name, str(standard))
    if text.isascii() and text.isdecimal():
        return int(text)
    raise CannotStart(f"{name} is {text!r}, which is no whole number.")


def _time_zone(name: str) -> str:
    """An IANA zone, or one sentence."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise CannotStart(
            f"LIUKE_TIME_ZONE is {name!r}, which is no time zone; try Asia/Shanghai."
        ) from unknown
    return name


def _currency(code: str) -> str:
    """Three capital letters, or one sentence."""
    if len(code) == 3 and code.isascii() and code.isupper():
        return code
    raise CannotStart(f"LIUKE_CURRENCY is {code!r}, which is no currency code; try CNY.")


def _site_url(url: str) -> str:
    """Where members reach the site, without a slash at the end, or one sentence."""
    where = urlsplit(url)
    if where.scheme in ("http", "https") and where.netloc:
        return url.rstrip("/")
    raise CannotStart(f"LIUKE_SITE_URL is {url!r}, which is no address; try https://example.com.")


def _sms(name: str) -> str:
    """A gateway we have, or one sentence."""
    if name == "console":
        return name
    raise CannotStart(f"LIUKE_SMS is {name!r}; what there is: console.")


def _gateways(names: str) -> tuple[str, ...]:
    """Ways to pay that we have, in the order in which they are offered, or one sentence."""
    chosen = tuple(name.strip() for name in names.split(",") if name.strip())
    if chosen and set(chosen) <= {"wallet", "sandbox"}:
        return chosen
    raise CannotStart(f"LIUKE_GATEWAYS is {names!r}; what there is: wallet, sandbox.")


def _sandbox_url(url: str) -> str:
    """This machine and a port, or one sentence: the sandbox plays with money that is none."""
    where = urlsplit(url)
    if where.scheme == "http" and where.hostname in ("127.0.0.1", "localhost") and where.port:
        return url.rstrip("/")
    raise CannotStart(f"LIUKE_SANDBOX_URL is {url!r}; try http://127.0.0.1:8010.")


def _smtp_url(url: str) -> str:
    """Empty, or a mail server; its password is not repeated in the sentence."""
    where = urlsplit(url)
    if not url or (where.scheme in ("smtp", "smtps") and where.hostname):
        return url
    raise CannotStart("LIUKE_SMTP_URL is no mail server; try smtps://name:password@host:465.")


def _mail_from(address: str) -> str:
    """Who mail comes from, or one sentence."""
    if "@" in parseaddr(address)[1] and address.isprintable():
        return address
    raise CannotStart(f"LIUKE_MAIL_FROM is {address!r}, which is no address; try shop@example.com.")


def _database(url: str) -> dict[str, Any]:
    """Django's form of a PostgreSQL URL; anything Django has no name for goes to libpq as it is."""
    parts: dict[str, Any] = dict(conninfo_to_dict(url))
    named = {
        "NAME": parts.pop("dbname", "liuke"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
    }
    size = int(os.environ.get("LIUKE_POOL", "8"))
    pool = {"min_size": 0, "max_size": size, "max_idle": 60} if size else False
    return {
        "ENGINE": "liuke.project.pooled",
        **named,
        "OPTIONS": {
            **parts,
            "pool": pool,
            "application_name": "liuke",
            "prepare_threshold": 5,  # lets `base.prepared` keep what it asks for; the ORM prepares nothing
        },
        "CONN_MAX_AGE": 0,
    }


SECRET_KEY = _secret_key()
DEBUG = os.environ.get("LIUKE_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("LIUKE_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("LIUKE_ORIGINS", "").split(",") if o]
IS_HTTPS = os.environ.get("LIUKE_HTTPS") == "1"

LIUKE_SITE_NAME = os.environ.get("LIUKE_SITE_NAME", "留客")
LIUKE_SITE_URL = _site_url(os.environ.get("LIUKE_SITE_URL", "http://127.0.0.1:8000"))
LIUKE_SMS = _sms(os.environ.get("LIUKE_SMS", "console"))
LIUKE_GATEWAYS = _gateways(os.environ.get("LIUKE_GATEWAYS", "wallet"))
LIUKE_SANDBOX_URL = _sandbox_url(os.environ.get("LIUKE_SANDBOX_URL", "http://127.0.0.1:8010"))
LIUKE_SMTP_URL = _smtp_url(os.environ.get("LIUKE_SMTP_URL", ""))
LIUKE_MAIL_FROM = _mail_from(os.environ.get("LIUKE_MAIL_FROM", "liuke@localhost"))
LIUKE_PROXIES = _whole("LIUKE_PROXIES", 0)

DATABASES = {"default": _database(os.environ.get("LIUKE_DATABASE_URL", "postgresql:///liuke"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "liuke.events",
    "liuke.people",
    "liuke.merchants",
    "liuke.catalog",
    "liuke.membership",
    "liuke.orders",
    "liuke.payments",
    "liuke.delivery",
    "liuke.ledger",
    "liuke.analytics",
    "liuke.engagement",
    "liuke.project.apps.Reactions",
    "liuke.interfaces.ui",
    "liuke.interfaces.console",
    "liuke.interfaces.storefront",
    "liuke.interfaces.merchant",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "procrastinate.contrib.django",
    "django_cotton",
    "lucide",
    "csp",
    "axes",
]
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
AUTH_USER_MODEL = "people.Login"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "console:login"
LOGIN_REDIRECT_URL = "console:overview"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "liuke.project.urls"
WSGI_APPLICATION = "liuke.project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": False,
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "django_cotton.templatetags.cotton",
                "lucide.templatetags.lucide",
                "liuke.interfaces.ui.templatetags.liuke",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "liuke.interfaces.ui.context.look",
            ],
        },
    }
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [Path(__file__).resolve().parent.parent / "locale"]
LANGUAGE_COOKIE_NAME = "lang"
USE_I18N = True
USE_TZ = True
TIME_ZONE = _time_zone(os.environ.get("LIUKE_TIME_ZONE", "Asia/Shanghai"))
LIUKE_CURRENCY = _currency(os.environ.get("LIUKE_CURRENCY", "CNY"))

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = (
    True  # straight from the package: nothing is collected, nothing can be stale
)
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = (
    0 if DEBUG else 365 * 24 * 3600
)  # every address carries a digest of its content
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "liuke.interfaces.ui.storage.VersionedStatic"},
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
LIUKE_UPLOAD_MB = _whole("LIUKE_UPLOAD_MB", 200)
LIUKE_ANALYTICS_URL = os.environ.get("LIUKE_ANALYTICS_URL", "")
LIUKE_BEHAVIOUR_MONTHS = _whole("LIUKE_BEHAVIOUR_MONTHS", 13)
FILE_UPLOAD_HANDLERS = [  # nothing is kept in memory, and no more on disk than is allowed
    "liuke.project.uploads.Bounded",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

AXES_FAILURE_LIMIT = 5
AXES_USERNAME_FORM_FIELD = "username"  # what the form says; our field is called `name`
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "console/locked.html"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LIUKE_LOG", "WARNING")},
}
