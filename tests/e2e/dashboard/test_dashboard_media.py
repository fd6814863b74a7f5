"""Pictures and sounds in the playground, and vectors in two dimensions."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from harness.axe import faults, fits
from harness.sound import recording, tone

KINDS = ["light", "dark phone"]
DETECTOR = "@cf/facebook/detr-resnet-50"
WIDTH = "it => it.naturalWidth"


def png():
    stream = io.BytesIO()
    Image.new("RGB", (80, 60), (200, 40, 40)).save(stream, "png")
    return {"name": "red.png", "mimeType": "image/png", "buffer": stream.getvalue()}


def wav(content):
    return {"name": "said.wav", "mimeType": "audio/wav", "buffer": content}


@pytest.mark.parametrize("view", KINDS)
def test_a_picture_is_drawn(site, view):
    page = site.enter(view, "ai/pictures")
    page.get_by_label("Prompt").fill("a cat")
    page.get_by_label("Steps").fill("2")
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Draw").click()
    drawn = page.get_by_role("img", name="Drawn for: a cat")
    expect(drawn).to_be_visible()
    assert drawn.evaluate(WIDTH) > 0
    expect(page.get_by_text("took")).to_be_visible()
    assert faults(page) == []
    assert fits(page)


@pytest.mark.parametrize("view", KINDS)
def test_a_picture_is_named_and_its_objects_are_found(site, view):
    page = site.enter(view, "ai/pictures")
    page.get_by_label("Picture").set_input_files(png())
    page.get_by_role("button", name="Recognize").click()
    rows = page.get_by_role("region", name="Labels").get_by_role("row")
    expect(rows).to_have_count(6)
    page.get_by_label("Model").first.select_option(DETECTOR)
    page.get_by_role("button", name="Recognize").click()
    expect(rows).to_have_count(3)
    expect(page.locator(".box")).to_have_count(2)
    assert page.get_by_role("img", name="red.png").evaluate(WIDTH) == 80
    assert faults(page) == []
    assert fits(page)


@pytest.mark.parametrize("view", KINDS)
def test_speech_is_written_down(site, view):
    page = site.enter(view, "ai/sounds")
    sound = recording("short.wav").read_bytes()
    page.get_by_label("Sound").set_input_files(wav(sound))
    page.get_by_role("button", name="Transcribe").click()
    expect(page.locator(".transcript")).to_contain_text("Ever tried")
    assert faults(page) == []
    assert fits(page)


def test_a_file_that_is_no_sound_is_told(site):
    page = site.enter(at="ai/sounds")
    page.get_by_label("Sound").set_input_files(wav(b"no sound at all"))
    page.get_by_role("button", name="Transcribe").click()
    expect(page.locator(".notice.bad")).to_contain_text("audio")
    page.get_by_label("Sound").set_input_files(wav(tone(0.2)))
    page.get_by_role("button", name="Transcribe").click()
    expect(page.get_by_text("took")).to_be_visible()


@pytest.mark.parametrize("view", KINDS)
def test_a_text_is_read_aloud(site, view):
    page = site.enter(view, "ai/sounds")
    page.locator("textarea").fill("hello there")
    page.get_by_role("button", name="Speak").click()
    speech = page.get_by_label("Speech", exact=True)
    expect(speech).to_be_visible()
    page.wait_for_function(
        "() => document.querySelector('audio[aria-label=Speech]').duration > 0"
    )
    assert faults(page) == []
    assert fits(page)


def test_what_has_no_weights_says_how_to_add_them(dev_site):
    page = dev_site.enter(at="ai")
    page.get_by_role("button", name="Pictures").click()
    expect(page.get_by_text("selfedge ai add @cf/facebook/detr")).to_be_visible()
    expect(page.get_by_text("--diffusers FOLDER")).to_be_visible()
    page.get_by_role("button", name="Sound").click()
    expect(page.get_by_role("button", name="Transcribe")).to_be_visible()
    expect(page.get_by_role("button", name="Speak")).to_have_count(0)
    expect(page.get_by_text("--onnx FOLDER")).to_be_visible()
    assert faults(page) == []


@pytest.mark.parametrize("view", KINDS)
def test_vectors_are_drawn_in_two_dimensions(site, vectors, view):
    page = site.enter(view, "vectorize/docs")
    chart = page.locator(".scatter canvas")
    expect(chart).to_be_visible()
    page.get_by_label("Coloured by").select_option("kind")
    expect(page.locator(".keys")).to_contain_text("weather")
    expect(page.get_by_text("all 3 vectors")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Table").focus()
    page.keyboard.press("Enter")
    rows = page.get_by_role("region", name="Points").get_by_role("row")
    expect(rows).to_have_count(4)
    expect(rows.nth(1)).to_contain_text("kind")
    assert faults(page) == []
    assert fits(page)
