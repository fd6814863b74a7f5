// A sample of an index in two dimensions, as a drawing and as a table.

import { at, get, seg } from "/api.js";
import { LINES_MAX, Scatter } from "/chart.js";
import { count, Empty, html, Loaded, number, Panel, Switch, Table, useLoad, useMemo, useState } from "/ui.js";

const SAMPLE = 500;
const NAMESPACE = "namespace";
const OTHERS = "all others";
const NONE = "(none)";
const FEW = 60; // groups that are worth a colour; a field of more tells nothing

const valueOf = (point, field) => {
  const value = field === NAMESPACE ? point.namespace : point.metadata[field];
  return value === undefined || value === null || value === "" ? NONE : String(value);
};

/** Fields by which points differ, the one with the fewest values first. */
function fields(points) {
  const names = new Set([NAMESPACE, ...points.flatMap((one) => Object.keys(one.metadata))]);
  const kinds = [...names].map((name) => [name, new Set(points.map((one) => valueOf(one, name))).size]);
  const told = kinds.filter(([, size]) => size > 1 && size <= FEW);
  return told.sort((one, other) => one[1] - other[1]).map(([name]) => name);
}

/** Each point with its group; the rarer ones share the last colour. */
function grouped(points, field) {
  if (!field) return { groups: ["vectors"], points: points.map((one) => ({ ...one, group: "vectors" })) };
  const sizes = new Map();
  for (const one of points) sizes.set(valueOf(one, field), (sizes.get(valueOf(one, field)) ?? 0) + 1);
  const names = [...sizes].sort((one, other) => other[1] - one[1]).map(([name]) => name);
  const fits = names.length <= LINES_MAX;
  const groups = fits ? names : [...names.slice(0, LINES_MAX - 1), OTHERS];
  const group = (one) => (groups.includes(valueOf(one, field)) ? valueOf(one, field) : OTHERS);
  return { groups, points: points.map((one) => ({ ...one, group: group(one) })) };
}

const told = (point) => Object.entries(point.metadata).map(([key, value]) => `${key}: ${value}`).join(" · ");

function Drawn({ of: { points, total, explained } }) {
  const known = useMemo(() => fields(points), [points]);
  const [field, choose] = useState(known[0] ?? "");
  const [view, show] = useState("points");
  const [pointed, point] = useState(null);
  const shown = useMemo(() => grouped(points, field), [points, field]);
  if (points.length < 3) return html`<${Empty}>Three vectors or more can be drawn; there are ${points.length}.<//>`;
  const share = explained.map((part) => `${Math.round(part * 100)} %`).join(" + ");
  const sample = total > points.length ? `the first ${number(points.length)} of ${number(total)} vectors` : `all ${count(total, "vector")}`;
  return html`<div class="row">
      ${known.length > 0 && html`<label class="field"><span>Coloured by</span><select value=${field} onChange=${(event) => choose(event.target.value)}>
        ${known.map((name) => html`<option value=${name} selected=${name === field}>${name}</option>`)}
        <option value="" selected=${field === ""}>nothing</option>
      </select></label>`}
      <span class="push"><${Switch} label="Shown as" value=${view} onChange=${show} options=${[["points", "Points"], ["table", "Table"]]} /></span>
    </div>
    ${view === "points"
      ? html`<${Scatter} points=${shown.points} groups=${shown.groups} onPoint=${point}
          label=${`${sample} in two dimensions, by their principal components; the same as a table is one button away`} />
        <p class="pointed">${pointed ? html`<code>${pointed.id}</code> <span>${told(pointed)}</span>` : html`<span class="muted">Point at a vector to see what it is. Drag to look closer, double-click to go back.</span>`}</p>`
      : html`<${Table} label="Points" rows=${shown.points} columns=${[
          ["Id", (one) => html`<code>${one.id}</code>`],
          [field || "Group", (one) => one.group],
          ["x", (one) => one.x.toFixed(3), "num"],
          ["y", (one) => one.y.toFixed(3), "num"],
          ["Metadata", told, "grow"],
        ]} />`}
    <p><small>${sample}; the two axes hold ${share} of how they differ (principal components).</small></p>`;
}

export function Plane({ name }) {
  const now = useLoad(() => get(at(`/vectorize/v2/indexes/${seg(name)}/projection?count=${SAMPLE}`)), name);
  return html`<${Panel} title="In two dimensions"><${Loaded} of=${now}>${(it) => html`<${Drawn} of=${it} />`}<//><//>`;
}
