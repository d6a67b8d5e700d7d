"""django-scim2-server in a project of one file, with its data in a temporary SQLite file."""

import os
import secrets
import tempfile
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

folder = tempfile.TemporaryDirectory()
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(folder.name, "people.sqlite3")}
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_scim2_server"],
    ROOT_URLCONF=__name__,
    SCIM2_SERVER_AUTH_CHECK=f"{__name__}.has_token",
    SECRET_KEY=secrets.token_hex(),
    USE_TZ=True,
)
django.setup()


def has_token(request):
    return secrets.compare_digest(request.headers.get("Authorization", ""), "Bearer " + os.environ["SCIM_TOKEN"])


urlpatterns = [path("scim/v2/", include("django_scim2_server.urls"))]

call_command("migrate", verbosity=0)
# One request at a time: SQLite has one writer.
with make_server("127.0.0.1", 0, get_wsgi_application()) as server:
    print(f"listening on http://127.0.0.1:{server.server_port}/scim/v2", flush=True)
    server.serve_forever()
