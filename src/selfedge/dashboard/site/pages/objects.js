import { at, call, get, seg } from "/api.js";
import { attempt, bytes, Choice, count, html, Loaded, number, Panel, Table, Title, useEffect, useLoad, useState } from "/ui.js";

const STORED = "/workers/durable_objects/stored";
const PAGE = 100;

function Objects({ of: it }) {
  const [more, extend] = useState([]);
  const ask = async (page) =>
    (await call("GET", at(`${STORED}/${seg(it.id)}?per_page=${PAGE}&page=${page}`))).result;
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
          ["Id", (one) => html`<code>${one.id}</code>`, "grow"],
          ["On the disk", (one) => bytes(one.bytes), "num"],
        ]}
      />${rows.length < it.objects && rows.length % PAGE === 0 && html`<p class="adder"><button onClick=${next}>More</button></p>`}`;
    }}<//><//>`;
}

export default function DurableObjects({ parts: [id] }) {
  const now = useLoad(() => get(at(`${STORED}?per_page=1000`)), "objects");
  return html`<${Loaded} of=${now}>${(rows) => {
    const chosen = rows.find((one) => one.id === id) ?? rows[0];
    return html`<${Title} text="Durable Objects" sub=${count(rows.length, "class", "classes")} />
      <${Choice} label="Classes" chosen=${chosen?.id} href=${(one) => `#/objects/${seg(one)}`}
        items=${rows.map((one) => [one.id, `${one.class} · ${one.script}`, bytes(one.bytes)])}>
        ${chosen && html`<${Objects} key=${chosen.id} of=${chosen} />`}
      <//>`;
  }}<//>`;
}
