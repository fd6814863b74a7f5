"""The example: every endpoint, its README, and its page in a real browser."""

import contextlib
import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from harness import Answer, Node, Nodes
from selfedge.packages.npm import node as node_command
from selfedge.packages.npm import npm_ci

EXAMPLE = Path(__file__).parents[2] / "examples" / "edge-chat"
LEFT_OUT = ("node_modules", ".selfedge", ".wrangler", ".dev.vars*")
TOKEN = "edge-chat-demo"
LIMIT = 120
DOCUMENTS = [
    "Photosynthesis lets plants turn sunlight into sugar.",
    "The violin has four strings and is played with a bow.",
    "Volcanoes erupt when molten rock pushes up.",
]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMIUM_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def example(shared_dev: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """A copy of the example: somebody may be running the original."""
    if not (EXAMPLE / "node_modules").is_dir():
        npm_ci(EXAMPLE)
    project = tmp_path_factory.mktemp("example") / "edge-chat"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (project / "node_modules").symlink_to(EXAMPLE / "node_modules")
    return shared_dev(project)


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the API with an address of its own, so with a limit of its own."""

    node: Node
    ip: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {TOKEN}", "selfedge-client-ip": self.ip}

    def ask(self, path: str, value: object = None, **options: Any) -> Answer:
        headers = {**self.headers, **options.pop("headers", {})}
        return self.node.request(path, json_body=value, headers=headers, **options)


@pytest.fixture
def client(example: Node, request: pytest.FixtureRequest) -> Client:
    number = request.session.items.index(request.node) % 250
    return Client(example, f"203.0.113.{number + 1}")


def answer_of(stream: Answer) -> str:
    lines = [line[6:] for line in stream.text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return "".join(json.loads(line)["response"] for line in lines[:-1])


def test_each_visitor_is_given_a_page_and_keeps_it(example: Node) -> None:
    first = example.request("/")
    cookie = first.headers["set-cookie"].partition(";")[0]
    variant = cookie.removeprefix("variant=")
    assert variant in {"a", "b"}
    for _ in range(8):
        page = example.request("/", headers={"cookie": cookie}).text
        assert f'data-variant="{variant}"' in page


def test_both_pages_exist_and_nothing_is_left_to_fill_in(example: Node) -> None:
    pages = [example.request(f"/?variant={variant}") for variant in "ab"]
    assert "What would you like to know?" in pages[0].text
    assert "Ask the edge anything." in pages[1].text
    for page in pages:
        assert "{{" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("value", [None, "Bearer wrong", "Basic x", TOKEN])
def test_the_api_asks_for_the_token(example: Node, value: str | None) -> None:
    headers = {"authorization": value} if value else {}
    answer = example.request("/api/where", headers=headers)
    assert answer.status in {400, 401}
    assert "Authorization: Bearer" in answer.json()["error"]
    assert "Bearer" in answer.headers["www-authenticate"]


def test_one_other_origin_may_call_the_api(example: Node) -> None:
    def allowed(origin: str) -> str | None:
        answer = example.request(
            "/api/chat",
            method="OPTIONS",
            headers={"origin": origin, "access-control-request-method": "POST"},
        )
        assert answer.status == 204
        value: str | None = answer.headers["access-control-allow-origin"]
        return value

    assert allowed("https://example.com") == "https://example.com"
    assert allowed("https://example.org") is None


def test_a_client_that_asks_too_often_must_wait_and_others_need_not(
    client: Client,
) -> None:
    statuses = [client.ask("/api/where").status for _ in range(LIMIT)]
    assert statuses == [200] * LIMIT
    refused = client.ask("/api/where")
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert f"More than {LIMIT} requests" in refused.json()["error"]
    assert Client(client.node, "198.51.100.1").ask("/api/where").status == 200


def test_chat_streams_is_saved_and_goes_on(client: Client) -> None:
    first = client.ask("/api/chat", {"message": "Hello!"})
    assert first.status == 200
    assert first.headers["content-type"] == "text/event-stream"
    assert first.headers["x-model-asked"] == "@cf/meta/llama-2-7b-chat-int8"
    assert first.headers["x-model-served"] == "SmolLM2-135M-Instruct"
    saved = [
        {"role": "user", "content": "Hello!"},
        {"role": "assistant", "content": answer_of(first)},
    ]
    path = f"/api/conversations/{first.headers['x-conversation']}"
    wait_for(client, path, {"messages": saved})

    second = client.ask(
        "/api/chat",
        {
            "message": "And now?",
            "history": saved,
            "conversation": first.headers["x-conversation"],
        },
    )
    saved += [
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "content": answer_of(second)},
    ]
    wait_for(client, path, {"messages": saved})

    listed = client.ask("/api/conversations").json()["conversations"]
    mine = [entry for entry in listed if path.endswith(entry["id"])]
    assert [(entry["title"], entry["messages"]) for entry in mine] == [("Hello!", 4)]
    assert mine[0]["expires"] > 0

    assert client.ask(path, method="DELETE").status == 204
    assert client.ask(path).status == 404


def test_the_words_come_one_by_one(client: Client) -> None:
    """Saving the answer must not hold it up."""
    connection = http.client.HTTPConnection("127.0.0.1", client.node.port, timeout=60)
    with contextlib.closing(connection):
        body = json.dumps({"message": "Tell me a story about a fox."})
        connection.request("POST", "/api/chat", body, client.headers)
        response = connection.getresponse()
        pieces = list(iter(response.read1, b""))
    assert len(pieces) > 5


def test_chats_and_searches_at_the_same_time_do_not_mix(client: Client) -> None:
    def chat(_number: int) -> bool:
        return bool(answer_of(client.ask("/api/chat", {"message": "Hello!"})))

    def search(_number: int) -> bool:
        return "found" in client.ask("/api/search?q=music").json()

    with ThreadPoolExecutor(8) as pool:
        chats = pool.map(chat, range(3))
        searches = pool.map(search, range(30))
        assert all(chats)
        assert all(searches)


def test_the_newest_conversation_is_listed_first(client: Client) -> None:
    """The list is cut at twenty: an older one is what may be missing."""
    asked = [client.ask("/api/chat", {"message": f"Say {n}."}) for n in range(3)]
    ids = [answer.headers["x-conversation"] for answer in asked]

    def newest(answer: Answer) -> bool:
        listed = [entry["id"] for entry in answer.json()["conversations"]]
        return listed[:3] == ids[::-1]

    client.node.wait_until(newest, "/api/conversations", headers=client.headers)


def wait_for(client: Client, path: str, expected: object) -> None:
    """Wait for what `waitUntil` writes."""
    client.node.wait_until(
        lambda answer: bool(answer.json() == expected), path, headers=client.headers
    )


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/api/chat", "", "must be a JSON object"),
        ("/api/chat", "{", "must be a JSON object"),
        ("/api/chat", "null", "must be a JSON object"),
        ("/api/chat", "{}", "message must be a text"),
        ("/api/chat", '{"message": "  "}', "message must be a text"),
        ("/api/chat", json.dumps({"message": "x" * 2001}), "2000 are allowed"),
        ("/api/chat", '{"message": "a", "history": 1}', "history must be a list"),
        ("/api/chat", '{"message": "a", "history": [null]}', "history[0].role"),
        ("/api/documents", "{}", "a list of 1 to 50 texts"),
        ("/api/documents", '{"documents": [1]}', "documents[0] must be a text"),
    ],
)
def test_wrong_input_is_answered_with_what_is_wrong(
    client: Client, path: str, body: str, text: str
) -> None:
    answer = client.ask(path, method="POST", body=body)
    assert answer.status == 400
    assert text in answer.json()["error"]


def test_documents_are_found_by_what_they_mean(client: Client) -> None:
    added = client.ask("/api/documents", {"documents": DOCUMENTS})
    assert added.status == 201
    ids = added.json()["ids"]
    again = client.ask("/api/documents", {"documents": DOCUMENTS})
    assert again.json()["ids"] == ids

    def found(question: str) -> list[dict[str, Any]]:
        answer = client.ask(f"/api/search?q={question}")
        matches: list[dict[str, Any]] = answer.json()["found"]
        return matches

    plants = found("how+do+plants+eat")
    assert plants[0]["text"] == DOCUMENTS[0]
    assert plants[0]["score"] > plants[1]["score"] + 0.2
    assert found("musical+instrument")[0]["text"] == DOCUMENTS[1]

    assert client.ask(f"/api/documents/{ids[0]}", method="DELETE").status == 204
    assert ids[0] not in [match["id"] for match in found("how+do+plants+eat")]
    assert client.ask("/api/search").status == 400


def test_the_count_comes_out_of_the_cache_the_second_time(client: Client) -> None:
    first = client.ask("/api/digest")
    second = client.ask("/api/digest")
    assert second.headers["x-cache"] == "HIT"
    assert second.json() == first.json()
    assert second.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("country", "branch"),
    [("DE", "eu"), ("FR", "eu"), ("US", "us"), ("JP", "world"), ("GB", "world")],
)
def test_the_country_chooses_the_branch(
    client: Client, country: str, branch: str
) -> None:
    place = client.ask("/api/where", headers={"selfedge-country": country}).json()
    assert (place["country"], place["branch"]) == (country, branch)
    assert place["ip"] == client.ip


def test_the_journal_notes_changes_and_no_reads(client: Client) -> None:
    client.ask(
        "/api/documents/none", method="DELETE", headers={"selfedge-country": "BR"}
    )
    client.ask("/api/where")
    expected = ("DELETE /api/documents/none", 204, "BR")

    def noted(answer: Answer) -> bool:
        entries = answer.json()["entries"]
        return expected in [(e["what"], e["status"], e["country"]) for e in entries]

    answer = client.node.wait_until(noted, "/api/audit", headers=client.headers)
    assert "GET" not in answer.text


def test_what_is_not_there_is_said_in_json(client: Client) -> None:
    answer = client.ask("/api/nothing")
    assert answer.status == 404
    assert answer.json() == {"error": "There is no GET /api/nothing"}


def test_the_types_are_right(example: Node) -> None:
    tsc = EXAMPLE / "node_modules/typescript/bin/tsc"
    done = subprocess.run(
        [*node_command(), str(tsc), "-p", str(EXAMPLE)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_lines_of_the_readme_work(example: Node) -> None:
    text = (EXAMPLE / "README.md").read_text()
    block = re.search(r"## Without the page\n+```sh\n(.*?)```", text, re.DOTALL)
    assert block
    script = block[1].replace("http://127.0.0.1:8787", example.url)
    script = script.replace("curl ", "curl -sS ")
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for expected in (
        "data: [DONE]",
        "Plants turn sunlight into sugar.",
        "x-cache: HIT",
        '"branch":"eu"',
        '"title":"Why is the sky blue?"',
        '"what":"POST /api/chat"',
        "401 Unauthorized",
        "Access-Control-Allow-Origin: https://example.com",
    ):
        assert expected in done.stdout


@dataclass(frozen=True, slots=True)
class Browsed:
    """A page, and all that it must not do."""

    page: Page
    complaints: list[str]


@pytest.fixture
def browsed(example: Node) -> Iterator[Browsed]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=CHROMIUM_FLAGS, chromium_sandbox=False
        )
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(f"threw {error}"))
        page.on(
            "console",
            lambda said: (
                complaints.append(f"said {said.text}")
                if said.type in {"error", "warning"}
                else None
            ),
        )
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith((example.url, "data:"))
                else complaints.append(f"asked {asked.url}")
            ),
        )
        page.goto(f"{example.url}/?variant=a")
        yield Browsed(page, complaints)
        browser.close()


def test_the_page_chats_searches_and_complains_of_nothing(browsed: Browsed) -> None:
    page = browsed.page

    page.keyboard.press("Tab")  # by keyboard alone: to the skip link, and on
    page.keyboard.press("Enter")
    page.keyboard.type("Hello!")
    page.keyboard.press("Enter")
    page.locator(".served").wait_for()
    assert "SmolLM2-135M-Instruct" in page.inner_text(".served")
    assert page.inner_text(".says.user") == "Hello!"
    assert page.inner_text(".says.assistant")
    page.get_by_text("POST /api/chat").first.wait_for()  # the journal has it

    page.get_by_role("button", name="New chat").click()
    assert page.locator(".says").count() == 0
    page.get_by_text("Saved for an hour").click()
    page.locator("#saved").get_by_role("button", name="Hello!").first.click()
    page.locator(".says.assistant").wait_for()

    if not page.get_by_role("button", name="Add eight samples").is_visible():
        page.get_by_text("Add documents").click()
    page.get_by_role("button", name="Add eight samples").click()
    page.locator("#found li").first.wait_for()
    page.get_by_label("Search", exact=True).fill("baking bread")
    page.keyboard.press("Enter")
    page.locator("#found li").first.filter(has_text="sourdough").wait_for()

    page.select_option("#country", "DE")
    page.get_by_text("Hello from the European branch.").wait_for()
    assert page.inner_text("#pill-country") == "DE"

    page.get_by_role("button", name="Read", exact=True).click()
    page.locator("#digest-cache", has_text=re.compile("HIT|MISS")).wait_for()

    page.get_by_role("link", name="Page B").click()
    page.get_by_text("Ask the edge anything.").wait_for()
    assert browsed.complaints == []


def test_escape_stops_an_answer_and_the_chat_goes_on(browsed: Browsed) -> None:
    page = browsed.page
    page.get_by_label("Message", exact=True).fill("Tell me a long story about a fox.")
    page.keyboard.press("Enter")
    page.locator(".says.assistant", has_text=re.compile(r"\w")).wait_for()
    assert page.inner_text("#send") == "Stop"
    page.keyboard.press("Escape")
    page.locator(".writing").wait_for(state="detached")
    assert page.locator(".served").count() == 0
    assert page.inner_text("#send") == "Ask"
    page.get_by_role("button", name="New chat").click()
    page.get_by_role("button", name="What is photosynthesis?").click()
    page.locator(".served").wait_for()
    assert browsed.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(browsed: Browsed, scheme: Any) -> None:
    page = browsed.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    page.locator("#digest-cache", has_text=re.compile("HIT|MISS")).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    numbers = [int(number) for number in re.findall(r"\d+", background)]
    assert (sum(numbers[:3]) < 150) is (scheme == "dark")
    assert browsed.complaints == []
