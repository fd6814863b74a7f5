import { at, call, get, seg } from "/api.js";
import { Plane } from "/plane.js";
import { attempt, Choice, count, Field, Form, html, Loaded, number, Panel, Switch, Table, Title, useLoad, useState, When } from "/ui.js";

const index = (name, rest = "") => at(`/vectorize/v2/indexes/${seg(name)}${rest}`);

async function embedded(model, text) {
  const { result } = await call("POST", at(`/ai/run/${model}`), { json: { text: [text] } });
  return result.data[0];
}

/** The vector that is asked for: written, of a stored id, or of a text. */
async function wanted(name, how, given) {
  if (how === "vector") {
    const vector = given.query.replaceAll(/[[\]]/g, "").split(/[\s,]+/).filter(Boolean).map(Number);
    if (vector.some(Number.isNaN)) throw new Error("A vector is numbers with commas between them.");
    return vector;
  }
  if (how === "text") return embedded(given.model, given.query);
  const { result } = await call("POST", index(name, "/get_by_ids"), { json: { ids: [given.query.trim()] } });
  if (!result.length) throw new Error(`There is no vector ${given.query.trim()}.`);
  return result[0].values;
}

async function query(name, how, given) {
  const asked = {
    vector: await wanted(name, how, given),
    topK: Number(given.top),
    returnMetadata: "all",
  };
  if (given.namespace) asked.namespace = given.namespace;
  if (given.filter.trim()) {
    try {
      asked.filter = JSON.parse(given.filter);
    } catch {
      throw new Error('The filter is no JSON: write it like {"colour": "red"}.');
    }
  }
  const started = performance.now();
  const { result } = await call("POST", index(name, "/query"), { json: asked });
  return { ...result, ms: performance.now() - started };
}

const LABELS = { text: "Text", id: "Id of a vector", vector: "Vector" };

function Search({ name, models }) {
  const [how, set] = useState(models.length ? "text" : "id");
  const [found, show] = useState(null);
  const submit = async (given) => {
    const answer = await attempt(() => query(name, how, given));
    if (answer) show(answer);
  };
  const metadata = (one) => (one.metadata ? html`<code>${JSON.stringify(one.metadata)}</code>` : "–");
  return html`<${Panel} title="Query" side=${html`<${Switch} label="Query by" value=${how} onChange=${set}
      options=${[["text", "Text"], ["id", "Id"], ["vector", "Vector"]]} />`}>
      <${Form} onSubmit=${submit}>
        <div class="row">
          <${Field} wide label=${LABELS[how]}><input name="query" required autocomplete="off" /><//>
          ${how === "text" && html`<${Field} label="Embedded by"><select name="model">
            ${models.map((one) => html`<option value=${one.name}>${one.name}</option>`)}
          </select><//>`}
        </div>
        <div class="row">
          <${Field} wide label="Filter" hint="JSON, on indexed metadata"><input name="filter" spellcheck="false" placeholder='{"lang": "en"}' /><//>
          <${Field} label="Namespace"><input name="namespace" size="10" /><//>
          <${Field} label="Most"><input name="top" type="number" min="1" max="50" value="10" /><//>
          <button class="primary">Search</button>
        </div>
      <//>
    <//>
    ${found && html`<${Panel} flush title="Nearest" side=${html`<small>${found.count} in ${found.ms.toFixed(0)} ms</small>`}>
      <${Table} label="Nearest vectors" rows=${found.matches} empty="Nothing matches." columns=${[
        ["Id", (one) => html`<code>${one.id}</code>`],
        ["Score", (one) => one.score.toFixed(4), "num"],
        ["Metadata", metadata, "grow"],
      ]} />
    <//>`}`;
}

async function about(name) {
  const [info, listed, fields] = await Promise.all([
    get(index(name, "/info")),
    get(index(name, "/list?count=20")),
    get(index(name, "/metadata_index/list")),
  ]);
  return { info, listed, fields: fields.metadataIndexes };
}

function Index({ one, models }) {
  const now = useLoad(() => about(one.name), one.name);
  return html`<${Loaded} of=${now}>${({ info, listed, fields }) => html`
    <${Panel}><dl class="facts">
      <dt>Vectors</dt><dd>${number(info.vectorCount)}</dd>
      <dt>Dimensions</dt><dd>${info.dimensions} · ${one.config.metric}</dd>
      <dt>Filters on</dt><dd>${fields.map((field) => `${field.propertyName} (${field.indexType.toLowerCase()})`).join(", ") || "no field"}</dd>
      <dt>Changed</dt><dd><${When} at=${info.processedUpToDatetime} /></dd>
      <dt>First ids</dt><dd>${listed.vectors.map(({ id }) => html`<code>${id}</code> `)}</dd>
    </dl><//>
    <${Search} name=${one.name} models=${models} />
    ${info.vectorCount > 0 && html`<${Plane} name=${one.name} />`}`}<//>`;
}

async function everything() {
  const [indexes, models] = await Promise.all([
    get(at("/vectorize/v2/indexes")),
    get(at("/ai/models/search?task=Text%20Embeddings&per_page=1000")),
  ]);
  return { indexes, models };
}

export default function Vectorize({ parts: [name] }) {
  const now = useLoad(everything, "vectorize");
  return html`<${Loaded} of=${now}>${({ indexes, models }) => {
    const chosen = indexes.find((one) => one.name === name) ?? indexes[0];
    return html`<${Title} text="Vectorize" sub=${count(indexes.length, "index", "indexes")} />
      <${Choice} label="Indexes" chosen=${chosen?.name} href=${(one) => `#/vectorize/${seg(one)}`}
        items=${indexes.map((one) => [one.name, one.name, one.config.dimensions])}>
        ${chosen && html`<${Index} key=${chosen.name} one=${chosen} models=${models} />`}
      <//>`;
  }}<//>`;
}
