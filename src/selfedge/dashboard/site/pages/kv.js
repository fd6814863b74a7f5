import { at, call, get, seg, send } from "/api.js";
import { Adder, attempt, bytes, Choice, count, Field, Form, html, Loaded, Panel, Switch, Table, Title, Twice, useEffect, useLoad, useState } from "/ui.js";

const space = (id, rest = "") => at(`/storage/kv/namespaces/${seg(id)}${rest}`);
const value = (id, key) => space(id, `/values/${seg(key)}`);
const SHOWN_BYTES = 256 * 1024;
const PAGE = 100;

/** Bytes as a hex dump: offset, 16 bytes, what they are as ASCII. */
function hex(data) {
  const lines = [];
  for (let start = 0; start < Math.min(data.length, 16_384); start += 16) {
    const part = [...data.subarray(start, start + 16)];
    const pairs = part.map((one) => one.toString(16).padStart(2, "0")).join(" ");
    const seen = part.map((one) => (one > 31 && one < 127 ? String.fromCharCode(one) : "·")).join("");
    lines.push(`${start.toString(16).padStart(6, "0")}  ${pairs.padEnd(48)} ${seen}`);
  }
  return lines.join("\n");
}

const decoded = (data) => new TextDecoder().decode(data.subarray(0, SHOWN_BYTES));

function isText(data) {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(data);
    return true;
  } catch {
    return false;
  }
}

function pretty(data) {
  try {
    return JSON.stringify(JSON.parse(decoded(data)), null, 2);
  } catch {
    return "This is no JSON.";
  }
}

async function read(id, key) {
  const response = await send("GET", value(id, key));
  const expiration = response.headers.get("expiration");
  const data = new Uint8Array(await response.arrayBuffer());
  const metadata = await get(space(id, `/metadata/${seg(key)}`));
  return { data, metadata, expiration };
}

function Value({ id, name, onGone }) {
  const now = useLoad(() => read(id, name), `${id}/${name}`);
  const [view, show] = useState("text");
  const remove = () =>
    attempt(async () => {
      await call("DELETE", value(id, name));
      onGone();
    }, "Deleted.");
  return html`<${Panel} title=${html`<code>${name}</code>`}
    side=${html`<${Switch} label="View as" value=${view} onChange=${show} options=${[["text", "Text"], ["json", "JSON"], ["hex", "Hex"]]} />`}>
    <${Loaded} of=${now}>${({ data, metadata, expiration }) => {
      const editable = view === "text" && isText(data) && data.length <= SHOWN_BYTES;
      const facts = html`<p class="muted">${bytes(data.length)}${expiration && ` · expires ${new Date(expiration * 1000).toLocaleString()}`}${metadata !== null && html` · metadata <code>${JSON.stringify(metadata)}</code>`}</p>`;
      if (editable) {
        return html`${facts}<${Editor} id=${id} name=${name} text=${decoded(data)} metadata=${metadata} onSaved=${now.again} onDelete=${remove} />`;
      }
      return html`${facts}<pre tabindex="0">${view === "hex" || (view === "text" && !isText(data)) ? hex(data) : view === "json" ? pretty(data) : decoded(data)}</pre>
        <div class="row"><${Twice} onSure=${remove} /></div>`;
    }}<//>
  <//>`;
}

/** Write a pair; a form body carries metadata. */
async function write(id, key, text, ttl, metadata) {
  const body = new FormData();
  body.append("value", new Blob([text]));
  if (metadata) body.append("metadata", metadata);
  await call("PUT", value(id, key) + (ttl ? `?expiration_ttl=${ttl}` : ""), { body });
}

const Ttl = () => html`<${Field} label="Expires after, in seconds" hint="empty: never">
  <input name="ttl" type="number" min="60" step="1" />
<//>`;

function Editor({ id, name, text, metadata, onSaved, onDelete }) {
  const kept = metadata === null ? "" : JSON.stringify(metadata);
  const save = (given) =>
    attempt(async () => {
      await write(id, name, given.value, given.ttl, kept);
      await onSaved();
    }, "Saved.");
  return html`<${Form} onSubmit=${save}>
    <textarea name="value" rows="10" aria-label="Value" spellcheck="false">${text}</textarea>
    <div class="row">
      <${Ttl} />
      <button class="primary">Save</button>
      <span class="push"></span>
      ${onDelete && html`<${Twice} onSure=${onDelete} />`}
    </div>
  <//>`;
}

function NewPair({ id, onDone }) {
  const submit = (given) =>
    attempt(async () => {
      await write(id, given.key, given.value, given.ttl, given.metadata);
      onDone(given.key);
    }, "Saved.");
  return html`<${Panel} title="New pair">
    <${Form} onSubmit=${submit}>
      <div class="row"><${Field} wide label="Key"><input name="key" required autofocus /><//></div>
      <${Field} label="Value"><textarea name="value" rows="5" spellcheck="false"></textarea><//>
      <div class="row">
        <${Field} wide label="Metadata" hint="JSON"><input name="metadata" spellcheck="false" /><//>
        <${Ttl} />
        <button class="primary">Save</button>
        <button type="button" onClick=${() => onDone()}>Cancel</button>
      </div>
    <//>
  <//>`;
}

function Keys({ id, chosen }) {
  const [prefix, search] = useState("");
  const [more, extend] = useState({ rows: [], cursor: null });
  const [adding, add] = useState(false);
  const ask = (cursor = "") =>
    call("GET", space(id, `/keys?limit=${PAGE}&prefix=${seg(prefix)}&cursor=${seg(cursor)}`));
  const now = useLoad(() => ask(), `${id}?${prefix}`);
  useEffect(() => extend({ rows: [], cursor: null }), [now.data]);
  const go = (key) => {
    location.hash = `#/kv/${seg(id)}${key === undefined ? "" : `/${seg(key)}`}`;
  };
  const next = (cursor) =>
    attempt(async () => {
      const { result, result_info: info } = await ask(cursor);
      extend({ rows: [...more.rows, ...result], cursor: info.cursor });
    });
  const done = (key) => {
    add(false);
    now.again();
    if (key !== undefined) go(key);
  };
  const bulk = html`<button onClick=${() => add(true)}>New pair</button>`;
  return html`
    ${adding && html`<${NewPair} id=${id} onDone=${done} />`}
    ${chosen !== undefined && html`<${Value} key=${chosen} id=${id} name=${chosen} onGone=${() => { go(); now.again(); }} />`}
    <${Panel} flush title=${html`<input type="search" placeholder="Prefix" aria-label="Prefix of keys" value=${prefix} onInput=${(event) => search(event.target.value)} />`} side=${bulk}>
      <${Loaded} of=${now}>${({ result, result_info: info }) => {
        const rows = [...result, ...more.rows];
        const cursor = more.cursor ?? info.cursor;
        return html`<${Table}
          label="Keys"
          rows=${rows}
          empty=${prefix ? "No key begins so." : "No key yet."}
          columns=${[
            ["Key", (one) => html`<a href=${`#/kv/${seg(id)}/${seg(one.name)}`}><code>${one.name}</code></a>`, "grow"],
            ["Metadata", (one) => (one.metadata ? html`<code>${JSON.stringify(one.metadata)}</code>` : "–"), "cut"],
            ["Expires", (one) => (one.expiration ? new Date(one.expiration * 1000).toLocaleString() : "never")],
          ]}
        />${cursor && html`<p class="adder"><button onClick=${() => next(cursor)}>More</button></p>`}`;
      }}<//>
    <//>`;
}

export default function Kv({ parts: [id, key] }) {
  const now = useLoad(() => get(at("/storage/kv/namespaces?per_page=1000")), "kv");
  const create = (title) =>
    attempt(async () => {
      const { result } = await call("POST", at("/storage/kv/namespaces"), { json: { title } });
      await now.again();
      location.hash = `#/kv/${result.id}`;
    }, "Created.");
  const remove = (one) =>
    attempt(async () => {
      await call("DELETE", space(one.id));
      location.hash = "#/kv";
      await now.again();
    }, "Deleted.");
  return html`<${Loaded} of=${now}>${(spaces) => {
    const chosen = spaces.find((one) => one.id === id) ?? spaces[0];
    return html`<${Title} text="KV" sub=${count(spaces.length, "namespace")}>
        ${chosen && html`<${Twice} text="Delete namespace" onSure=${() => remove(chosen)} />`}
      <//>
      <${Choice} label="Namespaces" chosen=${chosen?.id} href=${(one) => `#/kv/${one}`}
        items=${spaces.map((one) => [one.id, one.title])}
        more=${html`<${Adder} label="New namespace" onAdd=${create} />`}>
        ${chosen && html`<${Keys} key=${chosen.id} id=${chosen.id} chosen=${chosen.id === id ? key : undefined} />`}
      <//>`;
  }}<//>`;
}
