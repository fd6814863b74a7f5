// Models of a task, and what to do where none of them can answer.

import { Badge, Field, html, Panel } from "/ui.js";

export const standIn = (one) => /, (.+) stands in$/.exec(one.description)?.[1];
export const answers = (one) => !one.description.endsWith("not available");

/** Those that answer, first those that are themselves. */
export const able = (models) => {
  const found = models.filter(answers);
  return [...found.filter((one) => !standIn(one)), ...found.filter(standIn)];
};

const named = (one) => `${one.name}${standIn(one) ? " (stand-in)" : ""}`;

export function Models({ models, name, label, value, onChange }) {
  return html`<${Field} wide label=${label ?? "Model"}>
    <select name=${name ?? "model"} value=${value} onChange=${(event) => onChange?.(event.target.value)}>
      ${models.map((one) => html`<option value=${one.name}>${named(one)}</option>`)}
    </select>
  <//>`;
}

/** Say under a choice that another model answers. */
export function StandIn({ of: one }) {
  const other = one && standIn(one);
  return other && html`<p><${Badge} kind="warn">stand-in<//> <span class="muted">${other} answers in its place.</span></p>`;
}

/** In place of a form: no model of the task has weights. */
export function NoWeights({ title, models, format, what }) {
  const name = models[0]?.name ?? "@local/mine";
  return html`<${Panel} title=${title} side=${html`<${Badge} kind="warn">no weights<//>`}>
    <p>No model that can do this has weights on this node. Give it ${what}, and restart the node:</p>
    <pre>selfedge ai add ${name} --${format} FOLDER</pre>
    <p class="muted">It writes <code>selfedge.toml</code>; <code>selfedge dev</code> reads the one beside the wrangler file, <code>selfedge serve</code> the one that <code>--config</code> names.</p>
  <//>`;
}
