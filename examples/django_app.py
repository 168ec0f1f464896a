"""
Django: one client per process; any number of threads share it.

    python django_app.py runserver

In a project of your own, only `signicat` and the views matter. With several worker processes set
SIGNICAT_TOKEN_STORE=file, or redis://..., so that all of them use one token.
"""

import sys
from uuid import UUID

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, JsonResponse
from django.urls import path

from auth_ext import ApiError, SignicatClient, paginate
from generated_client.api.signature import get_document_status, list_document_summaries

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1", "localhost", "testserver"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="only for this example",
    )


# Sends nothing yet; safe to have been made before the server forks its workers.
signicat = SignicatClient()


def documents(request: HttpRequest) -> JsonResponse:
    found = paginate(list_document_summaries, client=signicat, limit=50)
    return JsonResponse([str(summary.title) for summary in found], safe=False)


def status(request: HttpRequest, document: UUID) -> JsonResponse:
    try:
        answer = get_document_status.sync(document, client=signicat)
    except ApiError as error:
        return JsonResponse({"detail": error.message}, status=error.status_code)
    return JsonResponse({"status": str(answer.document_status)})


urlpatterns = [
    path("documents", documents),
    path("documents/<uuid:document>/status", status),
]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
