"""
FastAPI: one client for the application, made and closed with it.

    uvicorn fastapi_app:app
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from auth_ext import ApiError, AuthError, SignicatClient, apaginate
from generated_client.api.signature import get_document_status, list_document_summaries


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, SignicatClient]]:
    async with SignicatClient() as client:
        yield {"signicat": client}


def signicat(request: Request) -> SignicatClient:
    client: SignicatClient = request.state.signicat
    return client


Signicat = Annotated[SignicatClient, Depends(signicat)]
app = FastAPI(lifespan=lifespan)


@app.get("/documents")
async def documents(client: Signicat) -> list[str]:
    found = apaginate(list_document_summaries, client=client, limit=50)
    return [str(summary.title) async for summary in found]


@app.get("/documents/{document}/status")
async def status(document: UUID, client: Signicat) -> str:
    answer = await get_document_status.asyncio(document, client=client)
    return str(answer.document_status)


@app.exception_handler(ApiError)
async def refused(request: Request, error: ApiError) -> JSONResponse:
    # What the caller asked for is not there; all else is our problem, not the caller's.
    code = 404 if error.status_code == 404 else 502
    return JSONResponse({"detail": error.message, "request_id": error.request_id}, code)


@app.exception_handler(AuthError)
async def not_connected(request: Request, error: AuthError) -> JSONResponse:
    return JSONResponse({"detail": "The signing service is not available"}, 503)
