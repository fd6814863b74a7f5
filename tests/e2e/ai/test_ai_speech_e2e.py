"""Sound, small texts and documents through `env.AI`, through the real command."""

import base64
import io
import json
import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cloudflare
import pytest
import soundfile

from harness import Answer, Node, Nodes, documents, fetch, tiny_models, worker
from harness.sound import recording, tone

CODE = """
    export default {
      async fetch(request: Request, env: any): Promise<Response> {
        const { searchParams } = new URL(request.url);
        const model = searchParams.get("model")!;
        const inputs = JSON.parse(searchParams.get("inputs")!);
        const raw = async () => new Uint8Array(await request.arrayBuffer());
        const forms: Record<string, () => Promise<any>> = {
          none: async () => inputs,
          array: async () => ({ ...inputs, audio: [...await raw()] }),
          bytes: async () => ({ ...inputs, audio: await raw() }),
          base64: async () => ({ ...inputs, audio: await request.text() }),
          stream: async () => (
            { ...inputs, audio: { body: request.body, contentType: "audio/wav" } }),
        };
        try {
          if (model === "markdown") {
            const file = { name: inputs.name, blob: new Blob([await raw()]) };
            return Response.json(await env.AI.toMarkdown([file], inputs.options));
          }
          if (model === "supported") {
            return Response.json(await env.AI.toMarkdown().supported());
          }
          const given = await forms[searchParams.get("form")!]();
          const result = await env.AI.run(model, given);
          if (result instanceof ReadableStream) return new Response(result);
          return Response.json(result);
        } catch (error) {
          return new Response(`${error.name}: ${error.message}`, { status: 502 });
        }
      },
    };
"""
WHISPER = "@cf/openai/whisper"
TURBO = "@cf/openai/whisper-large-v3-turbo"
RERANK = "@cf/baai/bge-reranker-base"
SENTIMENT = "@cf/huggingface/distilbert-sst-2-int8"
SUMMARY = "@cf/facebook/bart-large-cnn"
TRANSLATE = "@cf/meta/m2m100-1.2b"
MELO = "@cf/myshell-ai/melotts"
AURA = "@cf/deepgram/aura-1"
PARIS = ["Bananas are yellow.", "Paris is the capital of France.", "The Eiffel Tower."]
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def plain(shared_dev: Nodes) -> Node:
    """A node with what comes with selfedge."""
    return shared_dev(worker(CODE, '[ai]\nbinding = "AI"', name="plain"))


@pytest.fixture(scope="module")
def own(shared_dev: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A node with weights of its own for the ids that nothing can stand in for."""
    root = tmp_path_factory.mktemp("models")
    places = {
        RERANK: tiny_models.classifier(root / "rerank", ["LABEL_0"]),
        SENTIMENT: tiny_models.classifier(root / "mood", ["sad", "glad"]),
        TRANSLATE: tiny_models.seq2seq(root / "translate", remembers=True),
        SUMMARY: tiny_models.seq2seq(root / "bart", remembers=False, num_beams=2),
        MELO: tiny_models.voice(root / "melo"),
        AURA: tiny_models.voice(root / "aura"),
    }
    overlay = "".join(
        f'[ai.models."{name}"]\nonnx = "{place}"\n' for name, place in places.items()
    )
    table = '[ai]\nbinding = "AI"'
    return shared_dev(worker(CODE, table, name="own", files={"selfedge.toml": overlay}))


def ask(node: Node, model: str, inputs: object, *, form: str = "none", body: Any = b""):
    query = f"model={quote(model)}&form={form}&inputs={quote(json.dumps(inputs))}"
    return node.request(f"/?{query}", method="POST", body=body, timeout_s=240)


def answer(node: Node, model: str, inputs: object, **sent: Any) -> Any:
    found = ask(node, model, inputs, **sent)
    assert found.status == 200, found
    return found.json()


def refused(node: Node, model: str, inputs: object, **sent: Any) -> str:
    found: Answer = ask(node, model, inputs, **sent)
    assert found.status == 502, found
    return found.text


def sound() -> bytes:
    return Path(recording("short.wav")).read_bytes()


@pytest.mark.parametrize("form", ["array", "bytes", "stream"])
def test_speech_is_written_down_in_whatever_form_it_comes(
    plain: Node, form: str
) -> None:
    found = answer(plain, WHISPER, {}, form=form, body=sound())
    assert "try again. fail again. fail better." in found["text"].lower()
    assert found["word_count"] == len(found["text"].split())
    assert found["words"][-1]["end"] == pytest.approx(9.94, abs=0.5)
    assert found["vtt"].startswith("WEBVTT\n\n00:00.")


def test_turbo_takes_base64_and_answers_segments(plain: Node) -> None:
    body = base64.b64encode(sound()).decode()
    found = answer(plain, TURBO, {"language": "en"}, form="base64", body=body)
    assert found["transcription_info"]["duration"] == pytest.approx(9.96, abs=0.01)
    assert found["segments"][0]["words"]
    plain.wait_for_line(r"whisper-large-v3-turbo.*whisper-tiny.en stands in")


@pytest.mark.parametrize(
    ("inputs", "body", "words"),
    [
        ({}, b"no sound at all", "5006: .*damaged or no audio"),
        ({}, tone(0), "5006: .*holds no sound"),
        ({"task": "translate"}, tone(1), "5006: .*translate is not available"),
        ({"language": "fr"}, tone(1), "5006: .*fr is not available.*--ct2 DIR"),
    ],
)
def test_sound_that_cannot_be_written_down_says_why(
    plain: Node, inputs: object, body: bytes, words: str
) -> None:
    assert re.search(words, refused(plain, TURBO, inputs, form="stream", body=body))


def test_an_encoder_stands_in_for_a_reranker(plain: Node) -> None:
    inputs = {"query": "What is the capital of France?"}
    contexts = [{"text": text} for text in PARIS]
    found = answer(plain, RERANK, {**inputs, "contexts": contexts, "top_k": 2})
    assert [one["id"] for one in found["response"]] == [1, 2]
    assert found["response"][0]["score"] > 0.7
    plain.wait_for_line(r"bge-reranker-base.*cosines")


def test_an_encoder_stands_in_for_a_sentiment_model(plain: Node) -> None:
    good = answer(plain, SENTIMENT, {"text": "This pizza is great!"})
    bad = answer(plain, SENTIMENT, {"text": "The waiter was rude and slow."})
    assert [one["label"] for one in good] == ["NEGATIVE", "POSITIVE"]
    assert good[1]["score"] > 0.5 > bad[1]["score"]


def test_a_chat_model_stands_in_for_a_summary_model(plain: Node) -> None:
    text = "The river rose for three days. On the fourth day the bridge fell. " * 3
    found = answer(plain, SUMMARY, {"input_text": text, "max_length": 40})
    assert found["summary"].strip()


@pytest.mark.parametrize(
    ("model", "inputs"),
    [(TRANSLATE, {"text": "a", "target_lang": "fr"}), (MELO, {"prompt": "a"})],
)
def test_what_nothing_stands_in_for_names_the_command(
    plain: Node, model: str, inputs: object
) -> None:
    text = refused(plain, model, inputs)
    assert text.startswith("AiError: 5007: ")
    assert f"selfedge ai add {model} --onnx DIR" in text


def test_own_models_rank_and_classify(own: Node) -> None:
    contexts = [{"text": "good"}, {"text": "bad"}]
    found = answer(own, RERANK, {"query": "hello", "contexts": contexts})
    scores = [one["score"] for one in found["response"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)
    found = answer(own, SENTIMENT, {"text": "good world"})
    assert [one["label"] for one in found] == ["sad", "glad"]
    assert math.isclose(sum(one["score"] for one in found), 1)


def test_own_models_translate_and_shorten(own: Node) -> None:
    inputs = {"text": "hello world", "target_lang": "french"}
    first = answer(own, TRANSLATE, inputs)["translated_text"]
    assert first == answer(own, TRANSLATE, inputs)["translated_text"]
    text = refused(own, TRANSLATE, {"text": "hello", "target_lang": "de"})
    assert "5006: " in text
    assert "target_lang: this model does not know de" in text
    found = answer(own, SUMMARY, {"input_text": "hello world", "max_length": 9})
    assert found["summary"]


def test_own_voices_speak(own: Node) -> None:
    found = answer(own, MELO, {"prompt": "Hello there.", "lang": "en"})
    info = soundfile.info(io.BytesIO(base64.b64decode(found["audio"])))
    assert (info.format, info.samplerate) == ("MP3", 16_000)
    inputs = {"text": "Hello there.", "encoding": "linear16", "sample_rate": 8_000}
    file = ask(own, AURA, inputs).body
    assert soundfile.info(io.BytesIO(file)).samplerate == 8_000
    assert "speaks en, not fr" in refused(own, MELO, {"prompt": "a", "lang": "fr"})


def test_documents_become_markdown(plain: Node) -> None:
    (found,) = answer(
        plain, "markdown", {"name": "a.pdf"}, body=documents.pdf("Hello there")
    )
    assert (found["name"], found["format"]) == ("a.pdf", "markdown")
    assert "### Page 1\n\nHello there" in found["data"]
    assert found["tokens"] > 0
    (found,) = answer(plain, "markdown", {"name": "a.docx"}, body=b"no document")
    assert found["format"] == "error"
    assert "damaged or no docx" in found["error"]


def test_the_kinds_of_documents_are_told(plain: Node) -> None:
    found = answer(plain, "supported", {})
    assert {"extension": ".pdf", "mimeType": "application/pdf"} in found


def address(node: Node) -> dict[str, str]:
    node.wait_for_line(r"^export CLOUDFLARE_API_TOKEN=")
    return json.loads((node.project / ".selfedge/api.json").read_text())


def upload(node: Node, content_type: str, body: bytes) -> Answer:
    found = address(node)
    return fetch(
        f"{found['url']}/accounts/{found['account']}/ai/tomarkdown",
        headers={
            "authorization": f"Bearer {found['token']}",
            "content-type": content_type,
        },
        body=body,
        timeout_s=240,
    )


def test_files_of_a_form_are_converted(plain: Node) -> None:
    files = {"a.csv": ("text/csv", "x,y\n1,2"), "b.exe": ("x/y", "MZ")}
    form = "".join(
        f'--a\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n{content}\r\n"
        for name, (kind, content) in files.items()
    )
    answer = upload(
        plain, "multipart/form-data; boundary=a", f"{form}--a--\r\n".encode()
    )
    assert answer.status == 200, answer
    first, second = answer.json()["result"]
    assert (first["name"], first["format"]) == ("a.csv", "markdown")
    assert first["data"] == "| x | y |\n| --- | --- |\n| 1 | 2 |"
    assert (second["name"], second["format"]) == ("b.exe", "error")


def test_the_official_client_lists_the_kinds_of_documents(plain: Node) -> None:
    found = address(plain)
    with cloudflare.Cloudflare(
        base_url=found["url"], api_token=found["token"], max_retries=0, timeout=60
    ) as client:
        kinds = client.ai.to_markdown.supported(account_id=found["account"]).result
    assert ".csv" in [one.extension for one in kinds]


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("application/json", b"{}", "send them as multipart/form-data"),
        ("multipart/form-data", b"x", "the form is damaged"),
        ("multipart/form-data; boundary=a", b"no form", "damaged|holds none"),
        ("multipart/form-data; boundary=a", b"--a--\r\n", "holds none"),
    ],
)
def test_forms_without_files_say_so(
    plain: Node, content_type: str, body: bytes, words: str
) -> None:
    answer = upload(plain, content_type, body)
    assert answer.status == 400, answer
    (error,) = answer.json()["errors"]
    assert error["code"] == 5006
    assert re.search(words, error["message"])
