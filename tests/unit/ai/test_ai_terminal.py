"""What the commands show, write and measure, with models that are fake."""

import base64
import json
import tomllib
from pathlib import Path

import pytest

from selfedge.bindings.ai.catalogue import load, overlay
from selfedge.bindings.ai.catalogue.overlay import Entry
from selfedge.bindings.ai.tasks import TASKS
from selfedge.bindings.ai.tasks.contract import File
from selfedge.bindings.ai.terminal import adding, samples
from selfedge.bindings.ai.terminal.asking import Whole
from selfedge.bindings.ai.terminal.bench import bench
from selfedge.bindings.ai.terminal.chatting import chat
from selfedge.bindings.ai.terminal.inputs import Given, inputs
from selfedge.bindings.ai.terminal.showing import show
from selfedge.errors import NodeError, UsageError

PNG = b"\x89PNG\r\n\x1a\n..."
USAGE = {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}


class Models:
    """Answers from a list; remembers what it was asked."""

    def __init__(self, *answers, task="text-generation"):
        self._answers = list(answers)
        self._task = task
        self.asked = []

    def task(self, _model):
        return self._task

    def ask(self, _model, wanted):
        self.asked.append(json.loads(json.dumps(wanted)))
        answer = self._answers.pop(0)
        return answer if isinstance(answer, Whole) else events(*answer)


def events(*values):
    for value in values:
        if isinstance(value, BaseException):
            raise value
        yield {"response": value} if isinstance(value, str) else value


def test_text_streams_unless_json_mode_forbids_it():
    given = Given(prompt="Hi", json='{"seed": 1}')
    found = inputs(given, "text-generation")
    assert found == {"seed": 1, "prompt": "Hi", "stream": True}
    given = Given(prompt="Hi", json='{"response_format": {"type": "json_object"}}')
    assert "stream" not in inputs(given, "text-generation")
    assert "stream" not in inputs(Given(text="Hi"), "text-embeddings")


def test_text_to_summarise_has_the_name_of_its_input():
    assert inputs(Given(text="Hi"), "summarization") == {"input_text": "Hi"}
    assert inputs(Given(words="Hi"), "text-to-image") == {"prompt": "Hi"}
    assert inputs(Given(words="Hi"), "rerank") == {"text": "Hi"}


def test_files_are_read(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    found = inputs(Given(image=file), "image-classification")
    assert base64.b64decode(found["image"]) == PNG
    with pytest.raises(UsageError, match="cannot read"):
        inputs(Given(audio=tmp_path / "none"), "automatic-speech-recognition")


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "[" * 100_000])
def test_input_must_be_an_object(text):
    with pytest.raises(UsageError, match="--input"):
        inputs(Given(json=text), "rerank")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"response": "Hi", "usage": USAGE}, "Hi\n"),
        ({"translated_text": "Salut"}, "Salut\n"),
        ([{"label": "cat", "score": 1}], '[\n  {\n    "label": "cat",'),
    ],
)
def test_the_main_text_of_an_answer_is_shown(capsys, value, shown):
    show(Whole(value), "@cf/a/b", output=None, as_json=False)
    assert capsys.readouterr().out.startswith(shown)


def test_a_stream_is_shown_to_its_end(capsys):
    pieces = events("Par", "is", {"response": "", "usage": USAGE})
    show(pieces, "@cf/a/b", output=None, as_json=False)
    assert capsys.readouterr().out == "Paris\n"


@pytest.mark.parametrize(
    "value",
    [File(PNG, "image/png"), {"image": base64.b64encode(PNG).decode()}],
)
def test_a_picture_goes_to_a_file_that_was_not_there(
    capsys, tmp_path, monkeypatch, value
):
    monkeypatch.chdir(tmp_path)
    for name in ("b-1.png", "b-2.png"):
        show(Whole(value), "@cf/a/b", output=None, as_json=False)
        assert Path(name).read_bytes() == PNG
        assert capsys.readouterr().out.startswith(name)
    with pytest.raises(UsageError, match="cannot write"):
        show(Whole(value), "@cf/a/b", output=tmp_path / "no/x", as_json=False)


def talk(monkeypatch, models, *lines):
    heard = iter(lines)

    def line(_prompt=""):
        found = next(heard, None)
        if found is None:
            raise EOFError
        if isinstance(found, BaseException):
            raise found
        return found

    monkeypatch.setattr("builtins.input", line)
    chat(models, "@cf/a/b", {"seed": 1}, "Be short")


def test_who_does_not_talk_is_told_before_anything_is_typed(monkeypatch):
    with pytest.raises(UsageError, match="does rerank, no text-generation"):
        talk(monkeypatch, Models(task="rerank"), KeyboardInterrupt())


def test_vectors_take_a_line_each(capsys):
    value = {"shape": [2, 2], "data": [[0.5, -0.25], [1.0, 2.0]], "none": []}
    show(Whole({**value, "words": "[\n1,\n2]"}), "m", output=None, as_json=True)
    shown = capsys.readouterr().out
    assert "    [0.5, -0.25],\n    [1.0, 2.0]\n" in shown
    assert json.loads(shown) == {**value, "words": "[\n1,\n2]"}


def test_a_chat_keeps_what_was_said(capsys, monkeypatch):
    models = Models(["Hel", "lo"], ["Bye"])
    talk(monkeypatch, models, "Hi", "", "See you")
    assert capsys.readouterr().out == "Hello\nBye\n"
    last = models.asked[-1]
    assert [turn["content"] for turn in last["messages"]] == [
        "Be short",
        "Hi",
        "Hello",
        "See you",
    ]
    assert (last["seed"], last["stream"]) == (1, True)


def test_an_interrupt_stops_the_answer_alone(capsys, monkeypatch):
    models = Models(["Hel", KeyboardInterrupt()], ["Bye"])
    talk(monkeypatch, models, "Hi", KeyboardInterrupt(), "See you")
    assert capsys.readouterr().out == "Hel [stopped]\nBye\n"
    assert models.asked[-1]["messages"][2] == {"role": "assistant", "content": "Hel"}


def test_a_turn_that_fails_is_forgotten(capsys, monkeypatch):
    models = Models([NodeError("3043: the host died")], ["Hello"])
    talk(monkeypatch, models, "Hi", "Again")
    heard = capsys.readouterr()
    assert "3043: the host died" in heard.err
    assert [turn["content"] for turn in models.asked[-1]["messages"]] == [
        "Be short",
        "Again",
    ]


def test_tokens_are_measured_from_the_first_one():
    clock = iter(range(100))
    answers = [["a", "b", "c", {"response": "", "usage": USAGE}]] * 4
    rows = dict(bench(Models(*answers), "m", lambda: float(next(clock))))
    assert rows["tokens a second"] == "1.0"
    assert rows["time to first token"] == "1000 ms"


def test_texts_are_measured_alone_and_in_batches():
    clock = iter(range(100))
    models = Models(*[Whole({})] * 7, task="text-embeddings")
    rows = dict(bench(models, "m", lambda: float(next(clock))))
    assert rows["texts a second, 32 a call"] == "32.0"
    assert len(models.asked[-1]["text"]) == 32


def test_other_tasks_are_not_measured():
    with pytest.raises(UsageError, match="rerank"):
        bench(Models(task="rerank"), "m")


@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_task_has_a_sample(task):
    assert samples.sample(task)


def test_a_model_is_written_beside_what_was_there(tmp_path):
    file = tmp_path / "selfedge.toml"
    file.write_text('# mine\n[other]\nkey = 1\n[ai.models."@local/b"]\ngguf = "b"\n')
    adding.write(file, "@local/a", Entry(gguf="a.gguf"))
    adding.write(file, "@local/a", Entry(onnx='o "x"\\', task="rerank"))
    adding.write(file, "@local/c", Entry(openai="http://h/v1", model="m"))
    text = file.read_text()
    assert text.startswith("# mine\n[other]\nkey = 1\n")
    assert tomllib.loads(text) == {
        "other": {"key": 1},
        "ai": {
            "models": {
                "@local/a": {"onnx": 'o "x"\\', "task": "rerank"},
                "@local/b": {"gguf": "b"},
                "@local/c": {"openai": "http://h/v1", "model": "m"},
            }
        },
    }


@pytest.mark.parametrize(
    "text", ['ai.models."@local/a".gguf = "x"', '[ai.models]\n"@local/a".gguf = "x"']
)
def test_another_form_of_the_same_entry_is_left_alone(tmp_path, text):
    file = tmp_path / "selfedge.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match="remove it first"):
        adding.write(file, "@local/a", Entry(gguf="a.gguf"))
    assert file.read_text() == text


def test_a_draft_finds_its_files_from_anywhere(tmp_path):
    (tmp_path / "a.gguf").touch()
    with adding.draft(tmp_path, "text-generation", Entry(gguf="a.gguf")) as file:
        found = overlay.overlaid(load(), overlay.read(file), file.parent)
        source = found.get(adding.DRAFT).weights.source
    assert source.path == tmp_path / "a.gguf"
    assert not file.exists()


def vectors(width):
    return Models(Whole({"data": [[0.0] * width]}))


def test_the_width_of_vectors_is_found_out():
    entry = Entry(onnx="x", task="text-embeddings")
    found = adding.tried(vectors(5), "@local/a", "text-embeddings", entry)
    assert found.dimensions == 5


def test_weights_of_another_width_are_refused_for_a_public_id():
    name = "@cf/baai/bge-base-en-v1.5"
    with pytest.raises(UsageError, match="768 dimensions, these weights give 384"):
        adding.tried(vectors(384), name, "text-embeddings", Entry(onnx="x"))
