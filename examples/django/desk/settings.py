"""Settings of the lending desk.

Three variables change them:
  DESK_DEBUG=1     Django's debug mode; static files come from the apps' folders
  DESK_DATA=DIR    where the database, uploads and collected files live; in a
                   server's webapps/ where that says (GATEHOUSE_DATA), else var/
  DESK_HOSTS=a,b   host names it answers to besides this machine's own
"""

import os
from pathlib import Path

from desk.secret import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DESK_DATA") or os.environ.get("GATEHOUSE_DATA") or BASE_DIR / "var").resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

SECRET_KEY = secret_key(DATA_DIR / "secret_key")
DEBUG = os.environ.get("DESK_DEBUG") == "1"
ALLOWED_HOSTS = ["localhost", ".localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS += [host for host in os.environ.get("DESK_HOSTS", "").split(",") if host]

INSTALLED_APPS = [
    "library",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "desk.urls"
WSGI_APPLICATION = "desk.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "db.sqlite3",
        "OPTIONS": {
            # Several workers write: take the lock when a transaction begins and
            # wait for it, rather than fail half-way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Names, not paths: the desk may answer below a path such as /lending.
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "loans"
LOGOUT_REDIRECT_URL = "shelf"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

# The server serves STATIC_ROOT itself, or in debug mode the apps' own folders.
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
# Uploads have no URL of their own: a view hands covers out.
MEDIA_ROOT = DATA_DIR / "uploads"

SESSION_COOKIE_SAMESITE = "Lax"
