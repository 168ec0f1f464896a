# mypy: disable-error-code="import-untyped,untyped-decorator"
# Django and its OAuth toolkit have no types of their own.
"""
Django OAuth Toolkit with one client, and an API of one path that it guards.

Settings come as JSON in the first argument; its origin is printed when it listens.
"""

import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

TOLD = json.loads(sys.argv[1])

settings.configure(
    SECRET_KEY="not-a-secret",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "file:foreign?mode=memory&cache=shared",
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    OAUTH2_PROVIDER={
        "SCOPES": {scope: scope for scope in TOLD["scopes"].split()},
        "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    },
)
django.setup()

from oauth2_provider.decorators import protected_resource  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402


@protected_resource(scopes=["event"])
def guarded(request: HttpRequest) -> JsonResponse:
    """
    Open to tokens with the scope event.
    """
    return JsonResponse({"ok": True})


urlpatterns = [path("o/", include("oauth2_provider.urls")), path("api", guarded)]


class Silent(WSGIRequestHandler):
    """
    Says nothing about requests.
    """

    def log_message(self, *about: object) -> None:
        """
        Nothing.
        """


def main() -> None:
    """
    Make the client and listen.
    """
    call_command("migrate", verbosity=0)
    Application.objects.create(
        client_id=TOLD["client_id"],
        client_secret=TOLD["client_secret"],
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Silent) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - how its address gets out
        server.serve_forever()


if __name__ == "__main__":
    main()
