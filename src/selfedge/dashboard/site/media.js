// Pictures and sounds of the playground: made, looked at, listened to.

import { at, send } from "/api.js";
import { able, answers, Models, NoWeights, StandIn } from "/models.js";
import { attempt, Field, Form, html, Panel, Table, useEffect, useRef, useState } from "/ui.js";

const DRAWS = "Text To Image";
const CLASSIFIES = "Image Classification";
const DETECTS = "Object Detection";
const HEARS = "Automatic Speech Recognition";
const SPEAKS = "Text To Speech";

const s = (ms) => `${(ms / 1000).toFixed(2)} s`;
const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** Ask a model, and keep what it said last; `ms` is how long that took. */
function useAsked() {
  const [state, set] = useState({});
  const running = useRef(null);
  useEffect(() => () => running.current?.abort(), []);
  const ask = async (model, options, read) => {
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    set({ busy: true });
    const started = performance.now();
    const answer = await attempt(async () =>
      read(await send("POST", at(`/ai/run/${model}`), { ...options, signal: mine.signal })));
    if (running.current === mine) set({ answer, ms: performance.now() - started });
  };
  return { ...state, ask };
}

/** An address of bytes that a page may show, given back when it shows others. */
function useAddress(blob) {
  const [address, set] = useState("");
  useEffect(() => {
    if (!blob) return set("");
    const made = URL.createObjectURL(blob);
    set(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return address;
}

const unpacked = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

/** A file that was answered, or is in base64 below `name` of a JSON answer. */
const file = (name, type) => async (response) => {
  if (!response.headers.get("content-type").includes("json")) return response.blob();
  return new Blob([unpacked((await response.json()).result[name])], { type });
};

const result = async (response) => (await response.json()).result;

const Took = ({ of: { busy, ms } }) =>
  html`<small role="status">${busy ? "working …" : ms ? `took ${s(ms)}` : ""}</small>`;

/** The form of one task: its models, its fields, a button. */
function Task({ title, models, button, asked, onSubmit, children }) {
  const [model, choose] = useState(models[0].name);
  return html`<${Panel} title=${title} side=${html`<${Took} of=${asked} />`}>
    <${Form} onSubmit=${onSubmit}>
      <${Models} models=${models} value=${model} onChange=${choose} />
      <${StandIn} of=${models.find((one) => one.name === model)} />
      ${children}
      <div class="row"><button class="primary" disabled=${asked.busy}>${button}</button></div>
    <//>
  <//>`;
}

function Draw({ models }) {
  const asked = useAsked();
  const [prompt, keep] = useState("");
  const address = useAddress(asked.answer);
  const submit = ({ model, text, steps, seed }) => {
    keep(text);
    const json = { prompt: text, num_steps: Number(steps), ...(seed && { seed: Number(seed) }) };
    return asked.ask(model, { json }, file("image", "image/jpeg"));
  };
  return html`<${Task} title="Draw a picture" models=${models} button="Draw" asked=${asked} onSubmit=${submit}>
      <div class="row">
        <${Field} wide label="Prompt"><input name="text" required maxlength="2048" autocomplete="off" /><//>
        <${Field} label="Steps"><input name="steps" type="number" min="1" max="20" value="8" required /><//>
        <${Field} label="Seed" hint="optional"><input name="seed" type="number" min="0" size="8" /><//>
      </div>
    <//>
    ${address && html`<${Panel} title="Picture" side=${html`<a class="button" href=${address} download="picture">Save</a>`}>
      <img class="picture" src=${address} alt=${`Drawn for: ${prompt}`} />
    <//>`}`;
}

function Box({ of: { box, label, score }, size }) {
  const part = (value, whole) => `${(Math.max(0, value) / whole) * 100}%`;
  const place = {
    left: part(box.xmin, size.width),
    top: part(box.ymin, size.height),
    width: part(Math.min(box.xmax, size.width) - Math.max(0, box.xmin), size.width),
    height: part(Math.min(box.ymax, size.height) - Math.max(0, box.ymin), size.height),
  };
  return html`<span class="box" style=${place}><b>${label} ${percent(score)}</b></span>`;
}

function Seen({ address, found, name }) {
  const [size, measure] = useState(null);
  const boxes = found?.[0]?.box !== undefined;
  const loaded = ({ target }) => measure({ width: target.naturalWidth, height: target.naturalHeight });
  const columns = [
    ["Label", (one) => one.label, "grow"],
    ["Score", (one) => html`<span class="meter"><i style=${{ width: `${one.score * 100}%` }}></i></span>${percent(one.score)}`, "num"],
  ];
  return html`<div class="columns">
    ${address && html`<${Panel} title=${name}><div class="seen">
      <img class="picture" src=${address} alt=${name} onLoad=${loaded} />
      ${boxes && size && found.map((one) => html`<${Box} of=${one} size=${size} />`)}
    </div><//>`}
    ${found && html`<${Panel} flush title="What is seen"><${Table} label="Labels" rows=${found} columns=${columns} empty="Nothing that the model knows." /><//>`}
  </div>`;
}

function Look({ models }) {
  const asked = useAsked();
  const [given, give] = useState(null);
  const address = useAddress(given);
  const submit = ({ model, picture }) => {
    give(picture);
    return asked.ask(model, raw(picture), result);
  };
  return html`<${Task} title="Recognize a picture" models=${models} button="Recognize" asked=${asked} onSubmit=${submit}>
      <${Field} label="Picture" hint="JPEG, PNG, WEBP, GIF or BMP"><input type="file" name="picture" accept="image/*" required /><//>
    <//>
    <${Seen} address=${address} found=${asked.answer} name=${given?.name} />`;
}

const raw = (given) => ({
  body: given,
  headers: { "Content-Type": given.type || "application/octet-stream" },
});

const transcript = (said) =>
  said.text ?? said.results?.channels?.[0]?.alternatives?.[0]?.transcript ?? "";

function Hear({ models }) {
  const asked = useAsked();
  const [given, give] = useState(null);
  const address = useAddress(given);
  const submit = ({ model, sound }) => {
    give(sound);
    return asked.ask(model, raw(sound), result);
  };
  return html`<${Task} title="Transcribe speech" models=${models} button="Transcribe" asked=${asked} onSubmit=${submit}>
      <${Field} label="Sound" hint="WAV, MP3, FLAC or Ogg"><input type="file" name="sound" accept="audio/*" required /><//>
    <//>
    ${address && html`<${Panel} title=${given.name}>
      <audio controls src=${address} aria-label=${given.name}></audio>
      ${asked.answer && html`<p class="transcript">${transcript(asked.answer) || html`<span class="null">no words were heard</span>`}</p>`}
    <//>`}`;
}

function Speak({ models }) {
  const asked = useAsked();
  const address = useAddress(asked.answer);
  const submit = ({ model, text }) =>
    asked.ask(model, { json: { prompt: text, text } }, file("audio", "audio/mpeg"));
  return html`<${Task} title="Read a text aloud" models=${models} button="Speak" asked=${asked} onSubmit=${submit}>
      <${Field} label="Text"><textarea name="text" rows="3" required maxlength="10000">The node reads this aloud.</textarea><//>
    <//>
    ${address && html`<${Panel} title="Speech" side=${html`<a class="button" href=${address} download="speech.mp3">Save</a>`}>
      <audio controls src=${address} aria-label="Speech"></audio>
    <//>`}`;
}

/** What has models that answer is shown first. */
function Tasks({ parts }) {
  const has = ([, models]) => models.some(answers);
  const sorted = [...parts.filter(has), ...parts.filter((one) => !has(one))];
  return sorted.map(([Shown, models, missing]) => models.some(answers)
    ? html`<${Shown} key=${missing.title} models=${able(models)} />`
    : html`<${NoWeights} key=${missing.title} models=${models} ...${missing} />`);
}

export function Pictures({ of }) {
  const looks = [...of(CLASSIFIES), ...of(DETECTS)].filter(answers);
  const detects = of(DETECTS).some(answers) ? [] : [[Look, of(DETECTS), { title: "Find objects in a picture", format: "onnx", what: "a detector in ONNX, as DETR or YOLOS" }]];
  return html`<${Tasks} parts=${[
    [Look, looks.length ? looks : of(CLASSIFIES), { title: "Recognize a picture", format: "onnx", what: "a classifier in ONNX" }],
    [Draw, of(DRAWS), { title: "Draw a picture", format: "diffusers", what: "a diffusers pipeline in ONNX" }],
    ...detects,
  ]} />`;
}

export function Sounds({ of }) {
  return html`<${Tasks} parts=${[
    [Hear, of(HEARS), { title: "Transcribe speech", format: "ct2", what: "a Whisper model in CTranslate2's format" }],
    [Speak, of(SPEAKS), { title: "Read a text aloud", format: "onnx", what: "a voice in Piper's format" }],
  ]} />`;
}
