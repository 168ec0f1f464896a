"""
Celery: one client per worker process; a busy service means "later", not "failed".

    celery --app celery_app worker
"""

import os
from uuid import UUID

from celery import Celery, Task

from auth_ext import RateLimited, SignicatClient, TokenEndpointUnavailable
from generated_client.api.signature import get_document_file
from generated_client.models import GetDocumentFileFileFormat

app = Celery(
    "contracts",
    broker=os.environ.get("BROKER_URL", "memory://"),
    backend=os.environ.get("RESULT_URL", "cache+memory://"),
)

# Sends nothing yet; safe to have been made before the worker forks. SIGNICAT_TOKEN_STORE says
# who shares tokens.
signicat = SignicatClient()


@app.task(bind=True, max_retries=5)
def archive(task: "Task[[str, str], int]", document: str, path: str) -> int:
    """
    Keep a document's file at *path*; gives its size.
    """
    try:
        file = get_document_file.download(
            UUID(document),
            client=signicat,
            file_format=GetDocumentFileFileFormat.UNSIGNED,
            to=path,
        )
    except (RateLimited, TokenEndpointUnavailable) as error:
        raise task.retry(exc=error, countdown=error.retry_after or 30) from error
    return file.size
