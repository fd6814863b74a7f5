import { at, call, get, seg } from "/api.js";
import { Adder, attempt, bytes, Choice, count, Field, Form, html, Loaded, number, Panel, Table, Title, Twice, useLoad } from "/ui.js";

const queue = (id, rest = "") => at(`/queues/${seg(id)}${rest}`);
const EVERY_MS = 3000;

async function about(id) {
  const [it, metrics, consumers] = await Promise.all(
    ["", "/metrics", "/consumers"].map((rest) => get(queue(id, rest))),
  );
  return { it, metrics, consumers };
}

const by = (one) => one.script ?? one.script_name ?? one.service ?? (one.type === "http_pull" ? "pull over HTTP" : one.type);

function Queue({ id }) {
  const now = useLoad(() => about(id), id, EVERY_MS);
  const send = ({ body }, form) =>
    attempt(async () => {
      await call("POST", queue(id, "/messages"), { json: { body, content_type: "text" } });
      form.reset();
      await now.again();
    }, "Sent.");
  const purge = () =>
    attempt(async () => {
      await call("POST", queue(id, "/purge"), { json: { delete_messages_permanently: true } });
      await now.again();
    }, "Purged.");
  return html`<${Loaded} of=${now}>${({ it, metrics, consumers }) => html`
    <${Panel} title="Backlog" side=${html`<${Twice} text="Purge" sure="Really purge?" onSure=${purge} />`}>
      <dl class="facts">
        <dt>Messages</dt><dd>${number(metrics.backlog_count)} · ${bytes(metrics.backlog_bytes)}</dd>
        <dt>Oldest</dt><dd>${metrics.oldest_message_timestamp_ms ? new Date(metrics.oldest_message_timestamp_ms).toLocaleString() : "–"}</dd>
        <dt>Delivery</dt><dd>${it.settings.delivery_paused ? "paused" : "on"}, after ${it.settings.delivery_delay} s</dd>
        <dt>Kept</dt><dd>${number(it.settings.message_retention_period / 3600)} h</dd>
        <dt>Producers</dt><dd>${it.producers.map(by).join(", ") || "none"}</dd>
      </dl>
    <//>
    <${Panel} flush title="Consumers">
      <${Table} label="Consumers" rows=${consumers} empty="Nobody consumes it." columns=${[
        ["Consumer", by, "grow"],
        ["Batch", (one) => one.settings?.batch_size ?? "–", "num"],
        ["Retries", (one) => one.settings?.max_retries ?? "–", "num"],
        ["Dead letters to", (one) => one.dead_letter_queue || "–"],
      ]} />
    <//>
    <${Panel} title="Send a message">
      <${Form} onSubmit=${send}><div class="row">
        <${Field} wide label="Text"><input name="body" required /><//><button>Send</button>
      </div><//>
    <//>`}<//>`;
}

export default function Queues({ parts: [id] }) {
  const now = useLoad(() => get(at("/queues?per_page=100")), "queues");
  const create = (name) =>
    attempt(async () => {
      const { result } = await call("POST", at("/queues"), { json: { queue_name: name } });
      await now.again();
      location.hash = `#/queues/${result.queue_id}`;
    }, "Created.");
  const remove = (one) =>
    attempt(async () => {
      await call("DELETE", queue(one.queue_id));
      location.hash = "#/queues";
      await now.again();
    }, "Deleted.");
  return html`<${Loaded} of=${now}>${(rows) => {
    const chosen = rows.find((one) => one.queue_id === id) ?? rows[0];
    return html`<${Title} text="Queues" sub=${count(rows.length, "queue")}>
        ${chosen && html`<${Twice} text="Delete queue" onSure=${() => remove(chosen)} />`}
      <//>
      <${Choice} label="Queues" chosen=${chosen?.queue_id} href=${(one) => `#/queues/${one}`}
        items=${rows.map((one) => [one.queue_id, one.queue_name])}
        more=${html`<${Adder} label="New queue" onAdd=${create} />`}>
        ${chosen && html`<${Queue} key=${chosen.queue_id} id=${chosen.queue_id} />`}
      <//>`;
  }}<//>`;
}
