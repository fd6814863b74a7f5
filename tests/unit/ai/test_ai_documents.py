"""toMarkdown: what is read, what is refused, and that no file harms the host."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ai_support import FakeHost, listening, run, service

from harness import documents as made
from selfedge.bindings.ai.errors import BadInput, InferenceFailed
from selfedge.bindings.ai.jobs.documents import (
    ConvertDocuments,
    Converted,
    Document,
    DocumentOptions,
)
from selfedge.bindings.ai.jobs.text_embeddings import EmbedTexts
from selfedge.bindings.ai.runners.contract import Source
from selfedge.bindings.ai.runners.documents import convert as module
from selfedge.bindings.ai.runners.documents import runner as runner_module
from selfedge.bindings.ai.runners.documents.convert import Order, convert
from selfedge.bindings.ai.runners.documents.formats import KINDS, kind
from selfedge.bindings.ai.runners.documents.runner import load
from selfedge.bindings.ai.server import AIServer
from selfedge.bindings.ai.tasks.to_markdown import prepare, supported


def converted(kind_: str, content: bytes, **options: object) -> Converted:
    document = Document(name=f"file.{kind_}", kind=kind_, content=content)
    return convert(Order(document=document, options=DocumentOptions(**options)))


PAGE = b"""<!doctype html><title>T</title><style>p{}</style>
<main><h1>Hello</h1><p>Some <b>bold</b> <a href=/a>link</a>
<ul><li>one<li>two</ul>
<table><tr><th>a<th>b<tr><td>1<td>2</table></main>
<footer>Foot</footer><script>alert(1)</script>"""


def test_a_page_keeps_headings_lists_links_and_tables() -> None:
    text = converted("html", PAGE).markdown
    assert "# Hello" in text
    assert "Some **bold** [link](/a)" in text
    assert "- one\n- two" in text
    assert "| a | b |\n| --- | --- |\n| 1 | 2 |" in text
    assert "alert" not in text
    assert "p{}" not in text


def test_parts_of_a_page_are_selected_and_links_made_absolute() -> None:
    found = converted("html", PAGE, html_selector="main p", html_host="a.example")
    assert found.markdown == "Some **bold** [link](https://a.example/a)"
    wrong = converted("html", PAGE, html_selector="[[")
    assert wrong.error == "cssSelector: [[ is no selector"


@pytest.mark.parametrize(
    "content", [b"a;b\n1;x|y\n\n", b"a,b\r\n1,x|y\r\n", "\ufeffa\tb\n1\tx|y".encode()]
)
def test_a_csv_file_is_a_table_whatever_parts_its_fields(content: bytes) -> None:
    expected = "| a | b |\n| --- | --- |\n| 1 | x\\|y |"
    assert converted("csv", content).markdown == expected


def test_old_encodings_and_line_breaks_in_fields_are_read() -> None:
    text = converted("csv", 'a,b\n1,"caf\u00e9\nbar"'.encode("cp1252")).markdown
    assert text.endswith("| 1 | caf\u00e9<br>bar |")


def test_all_sheets_of_a_workbook_are_read() -> None:
    book = made.xlsx({"One": [["a", "b"], [1, None], [None, 2.5]], "Two": []})
    assert converted("xlsx", book).markdown == (
        "## One\n\n| a | b |\n| --- | --- |\n| 1 |  |\n|  | 2.5 |\n\n## Two"
    )


def test_a_word_document_is_text() -> None:
    found = converted("docx", made.docx("First.", "Second."))
    assert found.markdown == "First.\n\nSecond."


def test_a_pdf_file_is_its_metadata_and_its_pages() -> None:
    file = made.pdf("Page one here", "Page two here", title="Report")
    assert converted("pdf", file).markdown == (
        "# file.pdf\n\n## Metadata\n- PDFFormatVersion=1.4\n- Title=Report\n- Pages=2"
        "\n\n## Contents\n\n### Page 1\n\nPage one here\n\n### Page 2\n\nPage two here"
    )
    assert "Metadata" not in converted("pdf", file, pdf_metadata=False).markdown


def test_a_picture_is_what_it_says_of_itself() -> None:
    text = converted("picture", made.png(30, 20)).markdown
    assert "- Format: PNG\n- Width: 30 px\n- Height: 20 px" in text
    assert "- Artist: Ada" in text


@pytest.mark.parametrize("kind_", sorted({kind for _, kind in KINDS.values()}))
@pytest.mark.parametrize("content", [b"\x00", b"PK\x03\x04", b"%PDF-1.7\n%%EOF", b"<"])
def test_damaged_files_are_errors_and_never_exceptions(
    kind_: str, content: bytes
) -> None:
    found = converted(kind_, content)
    assert found.error or kind_ in ("html", "csv")


def test_bombs_are_seen_before_they_are_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "UNPACKED_MAX_BYTES", 1_000_000)
    bomb = made.archive({"word/document.xml": b"0" * 2_000_000})
    assert len(bomb) < 10_000
    assert "unpacks to 1 parts of 2,000,000 bytes" in converted("docx", bomb).error


@pytest.mark.slow
def test_entities_of_xml_are_not_expanded() -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{f"&{last};" * 10}">'
        for last, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found = converted("docx", made.docx("&i;", prologue=f"{bomb}]>"))
    assert found.error or len(found.markdown) < 10_000


def test_huge_tables_are_refused() -> None:
    rows = b"\n".join([b",".join([b"1"] * 1000)] * 600)
    assert converted("csv", rows).error == "it has over 500,000 cells"
    wide = b"a\n" * 2000 + b",".join([b"1"] * 1000)
    assert converted("csv", wide).error == "its table has over 500,000 cells"


@pytest.mark.parametrize(
    ("name", "media_type", "expected"),
    [
        ("a.bin", "text/html; charset=utf-8", "html"),
        ("a.HTM", "", "html"),
        ("a.jpeg", "application/octet-stream", "picture"),
        ("a.pdf", "video/mp4", None),
        ("a.exe", "", None),
        ("", "", None),
    ],
)
def test_the_type_counts_and_where_it_is_vague_the_name(
    name: str, media_type: str, expected: str | None
) -> None:
    assert kind(name, media_type) == expected


def given(name: str, content: bytes, mime_type: str = "") -> dict[str, str]:
    data = base64.b64encode(content).decode()
    return {"name": name, "mimeType": mime_type, "data": data}


def test_each_file_has_an_entry_in_its_place() -> None:
    call = prepare(
        {
            "files": [
                given("a.exe", b"x"),
                given("a.csv", b"x"),
                {"name": "b.csv", "mimeType": "text/csv", "data": "?"},
                given("c.csv", b""),
                given("d.csv", b"x"),
            ],
            "options": {"conversionOptions": {"pdf": {"metadata": False}}},
        }
    )
    assert [one.name for one in call.job.documents] == ["a.csv", "d.csv"]
    assert call.job.options.pdf_metadata is False
    parts = [Converted(markdown="12345"), Converted(error="it is damaged")]
    found = run(call.collect(FakeHost(parts).run(None)))
    assert [one["format"] for one in found] == [
        *("error", "markdown", "error", "error", "error")
    ]
    assert (found[1]["data"], found[1]["tokens"]) == ("12345", 2)
    assert "its type is not supported (.csv, .docx" in found[0]["error"]
    assert found[2]["error"] == "b.csv: its data are no base64"
    assert found[3]["error"] == "c.csv: it is empty"
    assert found[4]["error"] == "d.csv: it is damaged"
    assert len({one["id"] for one in found}) == 5


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], "must be an object"),
        ({}, "files"),
        ({"files": [{"name": "a"}]}, "data"),
        ({"files": [{"name": "", "data": ""}]}, "name: expected str of length >= 1"),
        ({"files": [given("a", b"")] * 51}, "files: expected array of length <= 50"),
        (
            {"files": [], "options": {"conversionOptions": {"pdf": {"metadata": 1}}}},
            "metadata: expected bool",
        ),
    ],
)
def test_calls_that_are_wrong_as_a_whole_name_the_field(
    body: object, text: str
) -> None:
    with pytest.raises(BadInput, match=text):
        prepare(body)


def test_too_few_answers_are_an_error() -> None:
    call = prepare({"files": [given("a.csv", b"x")]})
    with pytest.raises(InferenceFailed, match="Not all"):
        run(call.collect(FakeHost([]).run(None)))


def in_processes(*documents: Document) -> list[Any]:
    async def work() -> list[Any]:
        runner = load(Source(location="-"), 1)
        found = [
            part async for part in runner.run(ConvertDocuments(documents=documents))
        ]
        await runner.close()
        return found

    return run(work())


@pytest.mark.slow
def test_documents_are_read_in_processes_of_their_own() -> None:
    found = in_processes(
        Document(name="a", kind="html", content=b"<p>Hi"),
        Document(name="b", kind="pdf", content=b"no"),
        Document(name="c", kind="xlsx", content=made.xlsx({"S": [["x"]]})),
    )
    assert found[0] == Converted(markdown="Hi")
    assert found[1].error.startswith("it is damaged or no pdf")
    assert found[2].markdown.startswith("## S")


@pytest.mark.slow
def test_a_process_that_takes_too_long_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner_module, "_WALL_S", 0.01)
    (found,) = in_processes(Document(name="a", kind="html", content=b"<p>Hi"))
    assert found.error == "reading it took over 0.01 seconds"


def test_another_job_is_refused() -> None:
    async def work() -> None:
        async for _ in load(Source(location="-"), 1).run(
            EmbedTexts(texts=["a"], pooling="mean")
        ):
            pass

    with pytest.raises(InferenceFailed, match="cannot be used for EmbedTexts"):
        asyncio.run(work())


def test_the_service_answers_in_an_envelope(tmp_path: Path) -> None:
    host = FakeHost([Converted(markdown="Hi")])

    async def body() -> tuple[Any, Any, int, Any]:
        server = AIServer(service(tmp_path / "cache", host))
        async with listening(server, tmp_path / "s") as client:
            path = "/to-everything/markdown"
            files = json.dumps({"files": [given("a.html", b"<p>Hi")]})
            async with client.post(f"{path}/transformer", data=files) as answer:
                found = await answer.json()
            async with client.get(f"{path}/supported") as answer:
                kinds = await answer.json()
            async with client.post(f"{path}/transformer", data="{") as answer:
                return found, kinds, answer.status, await answer.json()

    found, kinds, status, wrong = run(body())
    assert found["result"][0]["data"] == "Hi"
    assert host.calls[0].runner == "documents"
    assert kinds["result"] == supported()
    assert {"extension": ".pdf", "mimeType": "application/pdf"} in kinds["result"]
    assert (status, wrong["errors"][0]["code"]) == (400, 3003)
