import { at, call, get, seg } from "/api.js";
import { Adder, attempt, bytes, Cell, Choice, count, Form, html, Loaded, number, Panel, Table, Title, Twice, useLoad, useRef, useState } from "/ui.js";

const base = (id, rest = "") => at(`/d1/database/${seg(id)}${rest}`);
const TABLES = `SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')
  AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY name`;
const SHOWN_ROWS = 500;

const raw = async (id, sql) =>
  (await call("POST", base(id, "/raw"), { json: { sql } })).result;

function Result({ of: { results, meta } }) {
  const { columns, rows } = results;
  const told = [
    count(rows.length, "row"),
    count(meta.changes, "change"),
    `${meta.duration.toFixed(2)} ms`,
    rows.length > SHOWN_ROWS ? `the first ${SHOWN_ROWS} are shown` : "",
  ];
  return html`<${Panel} flush title="Result" side=${html`<small>${told.filter(Boolean).join(" · ")}</small>`}>
    <${Table}
      label="Result"
      rows=${rows.slice(0, SHOWN_ROWS)}
      empty=${columns.length ? `No rows (${columns.join(", ")}).` : "Done."}
      columns=${columns.map((name, index) => [name, (row) => html`<${Cell} value=${row[index]} />`, typeof rows[0]?.[index] === "number" ? "num" : "cut"])}
    />
  <//>`;
}

function Console({ id }) {
  const tables = useLoad(() => raw(id, TABLES), id);
  const [results, show] = useState([]);
  const [sql, write] = useState("SELECT 1;");
  const form = useRef(null);
  const run = (text) =>
    attempt(async () => {
      show(await raw(id, text));
      await tables.again();
    });
  const look = (name) => {
    const text = `SELECT * FROM "${name.replaceAll('"', '""')}" LIMIT 100;`;
    write(text);
    run(text);
  };
  const key = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.current.base.requestSubmit();
  };
  return html`<${Panel} title="Tables">
      <${Loaded} of=${tables}>${([{ results: { rows } }]) => rows.length
        ? html`<div class="row">${rows.map(([name]) => html`<button key=${name} onClick=${() => look(name)}>${name}</button>`)}</div>`
        : html`<p class="muted">No tables yet.</p>`}<//>
    <//>
    <${Panel} title="SQL" side=${html`<small>Ctrl+Enter runs it</small>`}>
      <${Form} ref=${form} onSubmit=${() => run(sql)}>
        <textarea rows="5" aria-label="SQL" spellcheck="false" value=${sql} onInput=${(event) => write(event.target.value)} onKeyDown=${key}></textarea>
        <div class="row"><button class="primary">Run</button></div>
      <//>
    <//>
    ${results.map((one, index) => html`<${Result} key=${index} of=${one} />`)}`;
}

export default function D1({ parts: [id] }) {
  const now = useLoad(() => get(at("/d1/database?per_page=1000")), "d1");
  const create = (name) =>
    attempt(async () => {
      const { result } = await call("POST", at("/d1/database"), { json: { name } });
      await now.again();
      location.hash = `#/d1/${result.uuid}`;
    }, "Created.");
  const remove = (one) =>
    attempt(async () => {
      await call("DELETE", base(one.uuid));
      location.hash = "#/d1";
      await now.again();
    }, "Deleted.");
  return html`<${Loaded} of=${now}>${(rows) => {
    const chosen = rows.find((one) => one.uuid === id) ?? rows[0];
    return html`<${Title} text="D1" sub=${count(rows.length, "database")}>
        ${chosen && html`<${Twice} text="Delete database" onSure=${() => remove(chosen)} />`}
      <//>
      <${Choice} label="Databases" chosen=${chosen?.uuid} href=${(one) => `#/d1/${one}`}
        items=${rows.map((one) => [one.uuid, one.name, bytes(one.file_size)])}
        more=${html`<${Adder} label="New database" onAdd=${create} />`}>
        ${chosen && html`<${Console} key=${chosen.uuid} id=${chosen.uuid} />`}
      <//>`;
  }}<//>`;
}
