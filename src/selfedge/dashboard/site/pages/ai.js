import { at, call, events, get, send } from "/api.js";
import { Pictures, Sounds } from "/media.js";
import { answers, Models, StandIn, standIn } from "/models.js";
import { attempt, Badge, Field, Form, html, Loaded, Panel, Switch, Table, Title, useEffect, useLoad, useRef, useState } from "/ui.js";

const GENERATION = "Text Generation";
const EMBEDDINGS = "Text Embeddings";

const piece = (event) =>
  event.response ?? event.choices?.[0]?.delta?.content ?? "";

function Chat({ models }) {
  const [model, choose] = useState(models[0].name);
  const [said, say] = useState([]);
  const [rate, note] = useState("");
  const running = useRef(null);
  const room = useRef(null);
  useEffect(() => () => running.current?.abort(), []);
  useEffect(() => {
    room.current.scrollTop = room.current.scrollHeight;
  }, [said]);
  const chosen = models.find((one) => one.name === model);
  const submit = async ({ text, system, most }, form) => {
    const messages = [...said, { role: "user", content: text }];
    say(messages);
    form.elements.text.value = "";
    running.current = new AbortController();
    const asked = system ? [{ role: "system", content: system }, ...messages] : messages;
    const json = { messages: asked, stream: true, max_tokens: Number(most) };
    const started = performance.now();
    let answer = "";
    let first = 0;
    await attempt(async () => {
      const { signal } = running.current;
      const response = await send("POST", at(`/ai/run/${model}`), { json, signal });
      for await (const event of events(response)) {
        first ||= performance.now();
        answer += piece(event);
        say([...messages, { role: "assistant", content: answer }]);
      }
    });
    const s = (ms) => `${(ms / 1000).toFixed(2)} s`;
    if (first) note(`first token after ${s(first - started)}, all after ${s(performance.now() - started)}`);
    running.current = null;
    form.elements.text.focus();
  };
  const stop = () => running.current?.abort();
  return html`<${Panel} title="Chat" side=${html`<small>${rate}</small>`}>
    <${Form} onSubmit=${submit}>
      <div class="row">
        <${Models} models=${models} value=${model} onChange=${choose} />
        <${Field} label="Most tokens"><input name="most" type="number" min="1" max="4096" value="256" /><//>
      </div>
      <${StandIn} of=${chosen} />
      <${Field} label="System prompt" hint="optional"><input name="system" /><//>
      <div class="chat" ref=${room} tabindex="0" role="log" aria-label="Conversation">
        ${said.map((one) => html`<div class=${`said ${one.role}`}>${one.content}</div>`)}
      </div>
      <div class="row">
        <${Field} wide label="Message"><input name="text" required autocomplete="off" /><//>
        <button class="primary">Send</button>
        <button type="button" onClick=${stop}>Stop</button>
        <button type="button" onClick=${() => say([])}>Clear</button>
      </div>
    <//>
  <//>`;
}

function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, index) => sum + value * y[index], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function Similarity({ models }) {
  const [found, show] = useState(null);
  const submit = async ({ model, first, others }) => {
    const texts = [first, ...others.split("\n").map((line) => line.trim()).filter(Boolean)];
    const answer = await attempt(() => call("POST", at(`/ai/run/${model}`), { json: { text: texts } }));
    if (!answer) return;
    const [one, ...rest] = answer.result.data;
    const rows = rest.map((vector, index) => ({ text: texts[index + 1], score: cosine(one, vector) }));
    show(rows.sort((a, b) => b.score - a.score));
  };
  return html`<${Panel} title="How alike are texts?">
      <${Form} onSubmit=${submit}>
        <${Models} models=${models} />
        <${Field} label="Text"><input name="first" required value="How do I reset my password?" /><//>
        <${Field} label="Others, one a line"><textarea name="others" rows="4" required>${"I forgot my login\nThe weather is fine today\nChange the account's credentials"}</textarea><//>
        <div class="row"><button class="primary">Compare</button></div>
      <//>
    <//>
    ${found && html`<${Panel} flush title="Cosine similarity"><${Table} label="Similarity" rows=${found} columns=${[
      ["Text", (one) => one.text, "grow"],
      ["Score", (one) => html`<span class="meter"><i style=${{ width: `${Math.max(0, one.score) * 100}%` }}></i></span>${one.score.toFixed(3)}`, "num"],
    ]} /><//>`}`;
}

function List({ models }) {
  const [wanted, search] = useState("");
  const rows = models.filter((one) => `${one.name} ${one.task.name}`.toLowerCase().includes(wanted.toLowerCase()));
  return html`<${Panel} flush title=${html`<input type="search" placeholder="Search" aria-label="Search models" onInput=${(event) => search(event.target.value)} />`} side=${html`<small>${rows.length} models</small>`}>
    <${Table} label="Models" rows=${rows} columns=${[
      ["Model", (one) => html`<code>${one.name}</code>`, "grow"],
      ["Task", (one) => one.task.name],
      ["Answered by", (one) => standIn(one) ? html`<${Badge} kind="warn">stand-in<//> ${standIn(one)}` : answers(one) ? html`<${Badge} kind="good">itself<//>` : html`<${Badge}>no weights<//>`],
    ]} />
  <//>`;
}

const VIEWS = [["chat", "Chat"], ["similar", "Similarity"], ["pictures", "Pictures"], ["sounds", "Sound"], ["models", "Models"]];

function View({ view, models }) {
  const of = (task) => models.filter((one) => one.task.name === task);
  const able = (task) => of(task).filter(answers);
  if (view === "pictures") return html`<${Pictures} of=${of} />`;
  if (view === "sounds") return html`<${Sounds} of=${of} />`;
  if (view === "models") return html`<${List} models=${models} />`;
  const [task, Shown, what] = view === "chat" ? [GENERATION, Chat, "chats"] : [EMBEDDINGS, Similarity, "embeds"];
  return able(task).length ? html`<${Shown} models=${able(task)} />` : html`<p class="empty">No model that ${what} is installed.</p>`;
}

export default function Ai({ parts: [wanted] }) {
  const view = VIEWS.some(([name]) => name === wanted) ? wanted : "chat";
  const show = (name) => { location.hash = `#/ai/${name}`; };
  const now = useLoad(() => get(at("/ai/models/search?per_page=1000")), "ai");
  return html`<${Loaded} of=${now}>${(models) => html`<${Title} text="AI" sub=${`${models.length} models`}>
      <${Switch} label="What to do" value=${view} onChange=${show} options=${VIEWS} />
    <//>
    <${View} key=${view} view=${view} models=${models} />`}<//>`;
}
