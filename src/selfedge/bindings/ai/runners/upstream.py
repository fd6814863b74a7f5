"""Another machine computes: any server that speaks OpenAI's API (vLLM, llama-server).

Only what was given is sent, so that the server's own defaults count.
"""

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, TypeAlias

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from selfedge.bindings.ai.errors import (
    AiError,
    BadInput,
    ContextExceeded,
    InferenceFailed,
    OverCapacity,
)
from selfedge.bindings.ai.jobs import Job, Part
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts, Vectors
from selfedge.bindings.ai.jobs.text_generation import GenerateText, Text, Usage
from selfedge.bindings.ai.runners.contract import Runner, Source
from selfedge.bindings.ai.runners.llama.reply import Reader
from selfedge.bindings.ai.runners.llama.request import choice, message, tool

CONNECT_S = 10.0
SILENCE_S = 300.0
"""How long the server may say nothing; a long prompt takes a while to read."""

LINE_MAX_BYTES = 16 * 1024**2
_DATA = b"data:"
_DONE = b"[DONE]"

Body: TypeAlias = dict[str, Any]


def load(source: Source, _threads: int) -> Runner:
    """Remember the server; nothing is asked before the first job."""
    return UpstreamRunner(source)


class UpstreamRunner:
    """One model of one server; it queues and batches itself."""

    def __init__(self, source: Source) -> None:
        self._url = source.location.rstrip("/")
        self._model = source.options.get("model", "")
        self._key_name = source.options.get("key_env", "")
        self._session: ClientSession | None = None

    async def run(self, job: Job) -> AsyncGenerator[Part, None]:
        """Yield what the server says, as it says it."""
        try:
            if isinstance(job, GenerateText):
                async with aclosing(self._generate(job)) as parts:
                    async for part in parts:
                        yield part
            elif isinstance(job, EmbedTexts):
                yield await self._embed(job)
            else:
                raise InferenceFailed(
                    f"An OpenAI-compatible server does not run {type(job).__name__}"
                )
        except (ClientError, TimeoutError, OSError) as error:
            raise InferenceFailed(
                f"{self._url} cannot be reached: {str(error) or type(error).__name__}. "
                "Is the server running?"
            ) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def _generate(self, job: GenerateText) -> AsyncGenerator[Part, None]:
        path = "completions" if job.prompt is not None else "chat/completions"
        reader, usage, pieces = Reader(), False, 0
        async with self._client().post(
            f"{self._url}/{path}", json=generation(job, self._model)
        ) as answer:
            await self._accepted(answer)
            async for chunk in _events(answer):
                if "error" in chunk:
                    raise InferenceFailed(f"{self._url} said: {_words(chunk)}")
                for part in reader.parts(chunk):
                    usage = usage or isinstance(part, Usage)
                    pieces += isinstance(part, Text)
                    yield part
        if not usage:  # an old server, which counts nothing
            yield Usage(prompt_tokens=0, completion_tokens=pieces)

    async def _embed(self, job: EmbedTexts) -> Vectors:
        if not job.texts:
            return Vectors([])
        body = {"model": self._model, "input": list(job.texts)}
        async with self._client().post(
            f"{self._url}/embeddings", json={**body, "encoding_format": "float"}
        ) as answer:
            await self._accepted(answer)
            found = _json(await answer.read(), self._url)
        try:
            rows = sorted(found["data"], key=lambda row: row["index"])
            vectors = [[float(x) for x in row["embedding"]] for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise InferenceFailed(f"{self._url} gave no list of vectors") from error
        if len(vectors) != len(job.texts):
            raise InferenceFailed(
                f"{self._url} gave {len(vectors)} vectors for {len(job.texts)} texts"
            )
        return Vectors(vectors, _tokens(found))

    def _client(self) -> ClientSession:
        if self._session is None:
            key = os.environ.get(self._key_name, "") if self._key_name else ""
            self._session = ClientSession(
                headers={"authorization": f"Bearer {key}"} if key else {},
                timeout=ClientTimeout(
                    total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S
                ),
                read_bufsize=LINE_MAX_BYTES,
            )
        return self._session

    async def _accepted(self, answer: ClientResponse) -> None:
        if not answer.ok:
            text = _complaint(await answer.read())
            raise refusal(answer.status, f"{self._url} said {answer.status}: {text}")


def generation(job: GenerateText, model: str) -> Body:
    """Return `job` as OpenAI's API takes it, with the names that vLLM adds to it."""
    options: Body = {
        "max_tokens": job.max_tokens,
        "temperature": job.temperature,
        "top_p": job.top_p,
        "top_k": job.top_k,
        "seed": job.seed,
        "repetition_penalty": job.repetition_penalty or None,
        "frequency_penalty": job.frequency_penalty,
        "presence_penalty": job.presence_penalty,
        "stop": list(job.stop) or None,
        "stream_options": {"include_usage": True},
    }
    given = {name: value for name, value in options.items() if value is not None}
    body = {"model": model, "stream": True, **given}
    if job.schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": job.schema},
        }
    if job.prompt is not None:
        return {**body, "prompt": job.prompt}
    body["messages"] = [message(turn) for turn in job.messages]
    if job.tools:
        body["tools"] = [tool(found) for found in job.tools]
        body["tool_choice"] = choice(job.tool_choice)
    return body


def refusal(status: int, text: str) -> AiError:
    """Return the error of ours for an answer that is none."""
    lower = text.lower()
    if status in (400, 413, 422) and "context" in lower and "length" in lower:
        return ContextExceeded(text)
    if status in (400, 413, 422):
        return BadInput(text)
    if status == 429:
        return OverCapacity(
            f"Capacity temporarily exceeded, please try again. ({text})"
        )
    return InferenceFailed(text)


async def _events(answer: ClientResponse) -> AsyncIterator[Mapping[str, Any]]:
    """Yield each server-sent event's JSON, up to the end of the stream."""
    async for line in answer.content:
        data = line.strip()
        if not data.startswith(_DATA):
            continue  # a comment, an empty line, another field
        data = data[len(_DATA) :].strip()
        if data == _DONE:
            return
        yield _json(data, str(answer.url))


def _json(data: bytes, url: str) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise InferenceFailed(f"{url} gave something that is no JSON") from error
    if not isinstance(found, dict):
        raise InferenceFailed(f"{url} gave something that is no JSON object")
    return found


def _complaint(body: bytes) -> str:
    """Return the words of an error, in any of the shapes that servers give it."""
    try:
        found = json.loads(body)
    except ValueError:
        return body[:200].decode(errors="replace")
    return _words(found)


def _tokens(found: Mapping[str, Any]) -> int:
    usage = found.get("usage")
    count = usage.get("prompt_tokens") if isinstance(usage, dict) else 0
    return count if isinstance(count, int) else 0


def _words(found: object) -> str:
    error = found.get("error", found) if isinstance(found, dict) else found
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or error
    return str(error)[:500]
