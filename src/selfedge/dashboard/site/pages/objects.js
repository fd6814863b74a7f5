import { at, call, get, seg } from "/api.js";
import { attempt, Badge, bytes, Cell, Choice, count, Empty, html, Loaded, number, Panel, Switch, Table, Title, useEffect, useLoad, useState } from "/ui.js";

const STORED = "/workers/durable_objects/stored";
const PAGE = 100;

const below = (...parts) => at([STORED, ...parts.map(seg)].join("/"));

/** Pages of something by number, with buttons between them. */
function Pages({ label, ask, children }) {
  const [page, turn] = useState(1);
  const now = useLoad(() => ask(page), `${label} ${page}`);
  return html`<${Loaded} of=${now}>${(found) => html`${children(found)}
    ${(found.more || page > 1) && html`<p class="adder">
      <button disabled=${page === 1} onClick=${() => turn(page - 1)}>Previous</button>
      <button disabled=${!found.more} onClick=${() => turn(page + 1)}>Next</button>
      <small class="middle">page ${page}</small>
    </p>`}`}<//>`;
}

function Rows({ space, id, table }) {
  const ask = (page) => get(`${below(space, id, "tables", table)}?page=${page}`);
  return html`<${Pages} label=${table} ask=${ask}>${({ columns, rows }) => html`<${Table}
    label="Rows"
    rows=${rows}
    empty=${`No rows (${columns.join(", ")}).`}
    columns=${columns.map((name, index) => [name, (row) => html`<${Cell} value=${row[index]} />`, typeof rows[0]?.[index] === "number" ? "num" : "cut"])}
  />`}<//>`;
}

function Pairs({ space, id }) {
  const ask = (page) => get(`${below(space, id, "pairs")}?page=${page}`);
  const value = ({ text }) => text === null
    ? html`<span class="null">stored by the engine in its own format</span>`
    : html`<code>${text}</code>`;
  return html`<${Pages} label="pairs" ask=${ask}>${({ pairs }) => html`<${Table}
    label="Pairs"
    rows=${pairs}
    empty="No pair yet."
    columns=${[
      ["Key", (one) => html`<code>${one.key}</code>`],
      ["Value", value, "grow"],
      ["Stored", (one) => bytes(one.bytes), "num"],
    ]}
  />`}<//>`;
}

const choices = ({ tables, has_pairs: pairs }) => [
  ...tables.filter((one) => one.kind !== "internal").map((one) => ["table", one.name]),
  ...(pairs ? [["pairs", "Key-value pairs"]] : []),
];

function Stored({ space, id }) {
  const now = useLoad(() => get(below(space, id)), id);
  const [chosen, choose] = useState(0);
  return html`<${Panel}><p class="row"><a href=${`#/objects/${seg(space)}`}>← All objects</a> <code>${id}</code> <${Badge}>read only<//></p><//>
    <${Loaded} of=${now}>${(it) => {
      const all = choices(it);
      const hidden = it.tables.filter((one) => one.kind === "internal").map((one) => one.name);
      if (!all.length) return html`<${Panel}><${Empty}>This object has no table and no pair.<//><//>`;
      const [kind, name] = all[chosen] ?? all[0];
      const tabs = html`<${Switch} label="What to show" value=${chosen} onChange=${choose}
        options=${all.map(([, text], index) => [index, text])} />`;
      return html`<${Panel} flush title=${name} side=${all.length > 1 && tabs}>
          ${kind === "pairs"
            ? html`<${Pairs} space=${space} id=${id} />`
            : html`<${Rows} key=${name} space=${space} id=${id} table=${name} />`}
        <//>
        ${hidden.length ? html`<p class="muted">The engine's own tables are not shown: ${hidden.join(", ")}.</p>` : ""}`;
    }}<//>`;
}

function Objects({ of: it }) {
  const [more, extend] = useState([]);
  const ask = async (page) =>
    (await call("GET", `${below(it.id)}?per_page=${PAGE}&page=${page}`)).result;
  const now = useLoad(() => ask(1), it.id);
  useEffect(() => extend([]), [now.data]);
  return html`<${Panel}><dl class="facts">
      <dt>Worker</dt><dd><a href=${`#/workers/${seg(it.script)}`}>${it.script}</a></dd>
      <dt>Objects</dt><dd>${number(it.objects)}</dd>
      <dt>On the disk</dt><dd>${bytes(it.bytes)}</dd>
    </dl><//>
    <${Panel} flush title="Objects"><${Loaded} of=${now}>${(first) => {
      const rows = [...first, ...more];
      const next = () => attempt(async () => extend([...more, ...(await ask(rows.length / PAGE + 1))]));
      return html`<${Table}
        label="Objects"
        rows=${rows}
        empty="No object has stored anything."
        columns=${[
          ["Id", (one) => html`<a href=${`#/objects/${seg(it.id)}/${one.id}`}><code>${one.id}</code></a>`, "grow all"],
          ["On the disk", (one) => bytes(one.bytes), "num"],
        ]}
      />${rows.length < it.objects && rows.length % PAGE === 0 && html`<p class="adder"><button onClick=${next}>More</button></p>`}`;
    }}<//><//>`;
}

export default function DurableObjects({ parts: [id, one] }) {
  const now = useLoad(() => get(at(`${STORED}?per_page=1000`)), "objects");
  return html`<${Loaded} of=${now}>${(rows) => {
    const chosen = rows.find((it) => it.id === id) ?? rows[0];
    return html`<${Title} text="Durable Objects" sub=${count(rows.length, "class", "classes")} />
      <${Choice} label="Classes" chosen=${chosen?.id} href=${(it) => `#/objects/${seg(it)}`}
        items=${rows.map((it) => [it.id, `${it.class} · ${it.script}`, bytes(it.bytes)])}>
        ${chosen && (one && chosen.id === id
          ? html`<${Stored} key=${one} space=${id} id=${one} />`
          : html`<${Objects} key=${chosen.id} of=${chosen} />`)}
      <//>`;
  }}<//>`;
}
