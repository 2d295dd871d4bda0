"""Settings: everything that differs between installations comes from the environment, and fails loudly.

`docs/operations.md` documents each variable with a worked example.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from portal import rules, staff_look

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("CROSSING_DEMO", default=False)
"""The demo: loopback counterparts, mails to files, personas. Refused where PUBLIC_URL is https."""

SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
TENANCY_KEY = env.str("TENANCY_KEY")
LEDGER_SIGNING_KEY = env.str("LEDGER_SIGNING_KEY")
FIELD_KEYS = env.list("FIELD_KEYS")
"""Fernet keys for encrypted columns, newest first."""
SAML_KEYS = env.list("SAML_KEYS")
"""Keys with their certificates (`portal/saml_keys.py`), the one that signs first; providers are told of all."""

PUBLIC_URL = env.str("PUBLIC_URL")
FAILOVER_URL = env.str("FAILOVER_URL", default="")
"""The portal's second address, at which customers' providers send people back while PUBLIC_URL is out of order."""
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SECURE = PUBLIC_URL.startswith("https://")
TESTS = env.bool("CROSSING_TESTS", default=False)

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "lucide",
    "template_partials.apps.SimpleAppConfig",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "core",
    "accounts",
    "entitlements",
    "integrations",
    "backfills",
    "parity_reports",
    "runbooks",
    "cutover",
    "comms",
    "compliance",
    "portal",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.ContentPolicy",
    "portal.middleware.UnderstoodForms",
    "portal.middleware.TenantContext",
    "core.api.doorway.Doorway",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.middleware.PrivatePages",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.middleware.StaffSecondFactor",
    "portal.middleware.AdminScope",
    "portal.middleware.AskFirst",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "core.web.Refusals",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

_LOADERS = [
    (
        "template_partials.loader.Loader",
        [
            (
                "django.template.loaders.cached.Loader",
                ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
            )
        ],
    )
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "portal.templates.Templates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.dashboard.shell.context",
            ],
            "builtins": [
                "template_partials.templatetags.partials",
                "lucide.templatetags.lucide",
                "django_htmx.templatetags.django_htmx",
            ],
            "loaders": _LOADERS,
        },
    }
]

# One role per process: the app role serves; the owner role migrates (manage.py chooses it).
DATABASE_ROLE = env.str("CROSSING_DATABASE_ROLE", default="app")
_database: dict[str, Any] = env.db_url("DATABASE_OWNER_URL" if DATABASE_ROLE == "owner" else "DATABASE_URL")
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
LEGACY_DATABASE_URL = env.str("LEGACY_DATABASE_URL", default="")
NEW_DATABASE_URL = env.str("NEW_DATABASE_URL", default="")

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": env.str("CACHE_URL")}}

CELERY_BROKER_URL = env.str("BROKER_URL")
# Two queues (`core.queue.bell`): a worker that names none hears both, the short one first.
CELERY_TASK_DEFAULT_QUEUE = "short"
CELERY_TASK_QUEUES = (Queue("short"), Queue("long"))
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # LOGGING holds in workers too, with what it keeps out
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Long enough for the longest task. A broker that does not answer must not hold up a request: the bell may be lost.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "queue_order_strategy": "priority",
    "visibility_timeout": 6 * 3600,
    "socket_connect_timeout": 1,
    "socket_timeout": 2,
    "max_retries": 0,  # of one bell; kombu's default tries for six seconds. Workers reconnect by their own rule.
}
CELERY_TIMEZONE = "UTC"
# Beat calls the sweeper only; periodic tasks are declared at the task (`@task(every=…)`) and kept by PostgreSQL.
CELERY_BEAT_SCHEDULE: dict[str, Any] = {"sweep": {"task": "core.sweep", "schedule": 5.0, "options": {"expires": 20}}}
QUEUE_LEASE_SECONDS = env.float("QUEUE_LEASE_SECONDS", default=60.0)
"""How long a worker that stopped answering keeps its job."""
QUEUE_RINGS = env.bool("QUEUE_RINGS", default=True)
"""Whether enqueuing rings the broker; without it only sweepers do (tests run jobs by hand)."""

API_QUOTA = env.int("API_QUOTA", default=100)
"""How many requests a token may make in a minute."""
SCIM_QUOTA = env.int("SCIM_QUOTA", default=1200)
"""The same of provisioning: a directory's first pass makes one or two for each person."""

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.Operations",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Crossing API",
    "VERSION": "1",
    "DESCRIPTION": "What an account's own tools may do here: read readiness, run checks and comparisons, "
    "claim domains. A token belongs to one account, so no address names it. Directories provision people and groups by "
    "SCIM 2.0 under /scim/v2/, which describes itself there (/scim/v2/Schemas).",
    "SERVERS": [{"url": "/"}],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["core.api.schema.complete"],
}

DNS_RESOLVER = env.str("DNS_RESOLVER", default="")
"""`host:port` of the recursive resolver to ask; empty: the system's."""

OUTBOUND_LOOPBACK_PORTS = env.list("OUTBOUND_LOOPBACK_PORTS", cast=int, default=[])
"""Ports on 127.0.0.1 that stand for customers' addresses: the demo's counterparts. Refused in production."""
OUTBOUND_DENIED_NETWORKS = env.list("OUTBOUND_DENIED_NETWORKS", default=[])
"""Public networks of ours, as CIDR, that no customer's address may lead to."""

DOMAIN_CONTROL_ZONE = env.str("DOMAIN_CONTROL_ZONE", default=f"dcv.{urlsplit(PUBLIC_URL).hostname}")
"""Where the CNAME form of a domain challenge points to: `<token>.<zone>`; nothing needs to be served there."""

DEMO_DNS_CONSOLE = env.str("DEMO_DNS_CONSOLE", default="") if DEMO else ""
"""The web address of the demo's DNS provider, which the domains page of the demo links to."""

DEMO_IDENTITY_PROVIDER = env.str("DEMO_IDENTITY_PROVIDER", default="") if DEMO else ""
"""The web address of the demo's identity provider, which the single sign-on page of the demo links to."""

DEMO_RECEIVER = env.str("DEMO_RECEIVER", default="") if DEMO else ""
"""The web address of the demo's webhook receivers, which the integrations page of the demo links to."""

MAPPING_FOLDER = env.path("MAPPING_FOLDER", default=str(BASE_DIR / "portal" / "demo" / "mapping"))
"""The declared mapping between the platforms: one YAML file per entity (`docs/integrating.md`)."""

SHADOW_READS_PER_MINUTE = env.int("SHADOW_READS_PER_MINUTE", default=30)
"""How many reads are made of an account's legacy platform in a minute at most, while shadow reads are on."""

WORKFLOWS_FOLDER = env.path("WORKFLOWS_FOLDER", default=str(BASE_DIR / "portal" / "demo" / "workflows"))
"""The workflow catalogue of the product that customers move with: one YAML file per area (`docs/guides.md`)."""

GUIDES_FOLDER = env.path("GUIDES_FOLDER", default=str(BASE_DIR / "portal" / "demo" / "guides"))
"""What changed, for the people of each role: one Markdown file per guide (`docs/guides.md`)."""
ENTITLEMENTS_FOLDER = env.path(
    "ENTITLEMENTS_FOLDER", default=str(BASE_DIR / "portal" / "demo" / "mapping" / "entitlements")
)
"""What becomes of plans, limits, add-ons, terms and roles: `matrix.yaml` (`docs/integrating.md`)."""

_NEW, _COMPARED = {"url": NEW_DATABASE_URL}, {"url": env.str("COMPARISON_NEW_URL", default=NEW_DATABASE_URL)}
_LOADER = {**_NEW, "keys": FIELD_KEYS}
ADAPTERS: dict[str, dict[str, Any]] = {
    "dns": {
        "BACKEND": "portal.adapters.dns.DnspythonDns",
        "OPTIONS": {"resolver": DNS_RESOLVER, "denied": OUTBOUND_DENIED_NETWORKS},
    },
    "comparison": {
        "BACKEND": "portal.adapters.comparison.DuckComparison",
        "OPTIONS": {"legacy": env.str("COMPARISON_LEGACY_URL", default=LEGACY_DATABASE_URL), "new": _COMPARED["url"]},
    },
    "shadow_reader": {
        "BACKEND": "portal.adapters.comparison.shadow.DuckShadowReader",
        "OPTIONS": {"legacy": LEGACY_DATABASE_URL, "new": NEW_DATABASE_URL},
    },
    "checksummer": {"BACKEND": "portal.adapters.comparison.checksums.PostgresChecksummer", "OPTIONS": _COMPARED},
    "identity_provider": {"BACKEND": "portal.adapters.saml.OneloginProvider", "OPTIONS": {"keys": SAML_KEYS}},
    "legacy": {"BACKEND": "portal.adapters.legacy.by_address", "OPTIONS": {"url": LEGACY_DATABASE_URL}},
    "inventory": {"BACKEND": "portal.adapters.inventory.PostgresInventory", "OPTIONS": {"url": LEGACY_DATABASE_URL}},
    "outbound": {
        "BACKEND": "portal.adapters.outbound.GuardedSender",
        "OPTIONS": {
            "resolver": DNS_RESOLVER,
            "loopback_ports": OUTBOUND_LOOPBACK_PORTS,
            "denied": OUTBOUND_DENIED_NETWORKS,
            "ours": [urlsplit(PUBLIC_URL).hostname or "", *ALLOWED_HOSTS],
        },
    },
    "mail": {"BACKEND": "portal.adapters.mail.DjangoMail", "OPTIONS": {}},
    "legacy_contracts": {
        "BACKEND": "portal.adapters.contracts.PostgresContracts",
        "OPTIONS": {"url": LEGACY_DATABASE_URL, "currency": "USD"},
    },
    "people": {
        "BACKEND": "portal.adapters.people.PostgresPeople",
        "OPTIONS": {"legacy": LEGACY_DATABASE_URL, "new": NEW_DATABASE_URL, "owner": "account-owner"},
    },
    "billing": {"BACKEND": "portal.adapters.billing.PostgresBilling", "OPTIONS": _NEW},
    "inspector": {"BACKEND": "portal.adapters.inspection.PostgresInspector", "OPTIONS": _NEW},
    "mover": {"BACKEND": "portal.adapters.newplatform.PostgresMover", "OPTIONS": _LOADER},
    "reconciler": {"BACKEND": "portal.adapters.reconciling.PostgresReconciler", "OPTIONS": _LOADER},
}
"""Which implementation stands behind each port of `core/ports/`."""
if _CLUSTER := env.str("COMPARISON_CLUSTER_URL", default=""):
    ADAPTERS["cluster"] = {
        "BACKEND": "portal.adapters.comparison.spark.SparkComparison",
        "OPTIONS": {**ADAPTERS["comparison"]["OPTIONS"], "cluster": _CLUSTER},
    }
COMPARISON_WINDOW = timedelta(hours=env.float("COMPARISON_WINDOW_HOURS", default=4))
"""What comparing an entity may take on one machine; beyond it, it is compared on the cluster, if there is one."""

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

ACCOUNT_ADAPTER = "accounts.signin.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Crossing: "
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # an unattended screen must not change the address that resets the password
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_RATE_LIMITS = {"sso": "300/m/ip", "recovery": "10/m/ip"}  # a whole company comes from one address at nine
MFA_ADAPTER = "accounts.signin.MfaAdapter"
MFA_FORMS = {"add_webauthn": "accounts.signin.AddPasskeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Crossing"
MFA_TOTP_TOLERANCE = 1  # a code of the period before or after counts too (RFC 6238 5.2): people type slowly
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
USERSESSIONS_TRACK_ACTIVITY = True

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked from inside, past the proxy
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=1)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
ADMIN_CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "object-src": [NONE],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
"""The admin's: unfold evaluates its attributes with Alpine and writes its colours into the page. No inline script."""

UNFOLD = staff_look.UNFOLD

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "portal.formats"
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or DEMO

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
"""Seconds: a mail server that does not answer must hold up neither a request nor the queue."""
if _provider := env.str("MAIL_PROVIDER", default=""):
    EMAIL_BACKEND = f"anymail.backends.{_provider}.EmailBackend"
    ANYMAIL = env.json("MAIL_PROVIDER_SETTINGS", default={})
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Crossing <crossing@localhost>")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"class": "portal.logs.Lines", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"without_links": {"()": "portal.logs.WithoutLinks"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_links"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}

if _problems := rules.problems(vars(), production=not (DEMO or TESTS)):
    raise ImproperlyConfigured("Settings: " + "; ".join(_problems) + ". See docs/operations.md.")
