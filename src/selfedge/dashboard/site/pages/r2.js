import { at, call, seg, send } from "/api.js";
import { Adder, attempt, bytes, Choice, count, html, Loaded, Panel, Table, Title, Twice, useEffect, useLoad, useRef, useState, When } from "/ui.js";

const bucket = (name, rest = "") => at(`/r2/buckets/${seg(name)}${rest}`);
const object = (name, key) => bucket(name, `/objects/${seg(key)}`);
const PAGE = 100;

async function download(name, key) {
  const response = await send("GET", object(name, key));
  const url = URL.createObjectURL(await response.blob());
  Object.assign(document.createElement("a"), { href: url, download: key.split("/").at(-1) }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function upload(name, prefix, files) {
  for (const file of files) {
    const headers = { "Content-Type": file.type || "application/octet-stream" };
    await send("PUT", object(name, prefix + file.name), { body: file, headers });
  }
}

/** The prefix as steps back. */
function Crumbs({ name, prefix, onGo }) {
  const steps = prefix.split("/").filter(Boolean);
  return html`<nav class="crumbs" aria-label="Prefix">
    <button class="plain" onClick=${() => onGo("")}>${name}</button>
    ${steps.map((step, index) => html`<span class="muted">/</span>
      <button class="plain" onClick=${() => onGo(`${steps.slice(0, index + 1).join("/")}/`)}>${step}</button>`)}
  </nav>`;
}

function Objects({ name }) {
  const [prefix, go] = useState("");
  const [more, extend] = useState({ rows: [], folders: [], cursor: null });
  const picker = useRef(null);
  const ask = (cursor = "") =>
    call("GET", bucket(name, `/objects?per_page=${PAGE}&delimiter=%2F&prefix=${seg(prefix)}${cursor && `&cursor=${seg(cursor)}`}`));
  const now = useLoad(() => ask(), `${name}/${prefix}`);
  useEffect(() => extend({ rows: [], folders: [], cursor: null }), [now.data]);
  const next = (cursor) =>
    attempt(async () => {
      const { result, result_info: info } = await ask(cursor);
      extend({
        rows: [...more.rows, ...result],
        folders: [...more.folders, ...(info.delimited ?? [])],
        cursor: info.is_truncated ? info.cursor : "",
      });
    });
  const picked = async (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    if (await attempt(() => upload(name, prefix, files), `Uploaded ${files.length}.`)) now.again();
  };
  const remove = async (key) => {
    if (await attempt(() => call("DELETE", object(name, key)), "Deleted.")) now.again();
  };
  const shown = (key) => key.slice(prefix.length);
  const add = html`<button class="primary" onClick=${() => picker.current.click()}>Upload</button>
    <input type="file" multiple hidden ref=${picker} onChange=${picked} aria-label="Files to upload" />`;
  return html`<${Panel} flush title=${html`<${Crumbs} name=${name} prefix=${prefix} onGo=${go} />`} side=${add}>
    <${Loaded} of=${now}>${({ result, result_info: info }) => {
      const folders = [...(info.delimited ?? []), ...more.folders].map((key) => ({ key, folder: true }));
      const cursor = more.cursor ?? (info.is_truncated ? info.cursor : "");
      return html`<${Table}
        label="Objects"
        rows=${[...folders, ...result, ...more.rows]}
        empty="No object here."
        columns=${[
          ["Key", (one) => one.folder
            ? html`<button class="folder" onClick=${() => go(one.key)}>${shown(one.key)}</button>`
            : html`<code>${shown(one.key)}</code>`, "grow"],
          ["Type", (one) => one.http_metadata?.contentType ?? "", "cut"],
          ["Size", (one) => (one.folder ? "" : bytes(one.size)), "num"],
          ["Changed", (one) => one.folder ? "" : html`<${When} at=${one.last_modified ?? one.uploaded} />`],
          ["", (one) => !one.folder && html`<button aria-label=${`Download ${one.key}`} onClick=${() => attempt(() => download(name, one.key))}>Download</button> <${Twice} label=${one.key} onSure=${() => remove(one.key)} />`],
        ]}
      />${cursor && html`<p class="adder"><button onClick=${() => next(cursor)}>More</button></p>`}`;
    }}<//>
  <//>`;
}

export default function R2({ parts: [name] }) {
  const now = useLoad(async () => (await call("GET", at("/r2/buckets?per_page=1000"))).result.buckets, "r2");
  const create = (given) =>
    attempt(async () => {
      await call("POST", at("/r2/buckets"), { json: { name: given } });
      await now.again();
      location.hash = `#/r2/${seg(given)}`;
    }, "Created.");
  const remove = (one) =>
    attempt(async () => {
      await call("DELETE", bucket(one.name));
      location.hash = "#/r2";
      await now.again();
    }, "Deleted.");
  return html`<${Loaded} of=${now}>${(rows) => {
    const chosen = rows.find((one) => one.name === name) ?? rows[0];
    return html`<${Title} text="R2" sub=${count(rows.length, "bucket")}>
        ${chosen && html`<${Twice} text="Delete bucket" onSure=${() => remove(chosen)} />`}
      <//>
      <${Choice} label="Buckets" chosen=${chosen?.name} href=${(one) => `#/r2/${seg(one)}`}
        items=${rows.map((one) => [one.name, one.name])}
        more=${html`<${Adder} label="New bucket" onAdd=${create} />`}>
        ${chosen && html`<${Objects} key=${chosen.name} name=${chosen.name} />`}
      <//>`;
  }}<//>`;
}
