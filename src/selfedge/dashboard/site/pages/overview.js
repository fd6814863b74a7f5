import { at, get, seg } from "/api.js";
import { Chart } from "/chart.js";
import { Badge, bytes, html, Loaded, number, Panel, Table, Title, useEffect, useLoad, useState, When } from "/ui.js";

const EVERY_MS = 2000;
const KEPT = 300; // points: ten minutes

const nameOf = (one) => one.scripts.join(", ") || one.kind;
const rounded = (value) => (value >= 10 || value === 0 ? number(Math.round(value)) : value.toFixed(1));
const perSecond = (value) => `${rounded(value)}/s`;
const ms = (value) => (value === null || value === undefined ? "–" : `${rounded(value)} ms`);
const failed = (one) => one.exceptions;

/** What Workers did since the start of their processes: script → sums. */
function sums(workers) {
  const found = {};
  for (const one of workers) {
    const sum = (found[one.script] ??= { requests: 0, failures: 0, counts: [], bounds: one.wall_ms.bounds });
    sum.requests += one.requests;
    sum.failures += failed(one);
    one.wall_ms.counts.forEach((count, index) => {
      sum.counts[index] = (sum.counts[index] ?? 0) + count;
    });
  }
  return found;
}

/** The value below which a part of what buckets count lies. */
function quantile(bounds, counts, part) {
  const all = counts.reduce((sum, count) => sum + count, 0);
  let left = all * part;
  for (const [index, count] of counts.entries()) {
    if (count && left <= count) {
      const low = index ? bounds[index - 1] : 0;
      return low + ((bounds[index] ?? low) - low) * (left / count);
    }
    left -= count;
  }
  return undefined;
}

/** What happened between two looks, as values of the charts. */
function between(now, before) {
  const point = { time: now.time, sums: sums(now.workers), rate: {}, failures: {}, wall: {}, memory: {}, cpu: {}, seconds: {} };
  const seconds = before ? now.time - before.time : 0;
  const counts = [];
  let bounds = [];
  for (const [script, sum] of Object.entries(point.sums)) {
    const old = before?.sums[script];
    if (!old || sum.requests < old.requests) continue;
    point.rate[script] = (sum.requests - old.requests) / seconds;
    point.failures[script] = (sum.failures - old.failures) / seconds;
    bounds = sum.bounds;
    sum.counts.forEach((count, index) => {
      counts[index] = (counts[index] ?? 0) + Math.max(0, count - (old.counts[index] ?? 0));
    });
  }
  for (const part of [0.5, 0.9, 0.99]) point.wall[`p${part * 100}`] = quantile(bounds, counts, part);
  for (const one of now.processes) {
    const name = nameOf(one);
    point.memory[name] = one.resident_bytes;
    point.seconds[name] = one.cpu_s;
    const old = before?.seconds[name];
    if (old !== undefined && one.cpu_s >= old) point.cpu[name] = (100 * (one.cpu_s - old)) / seconds;
  }
  return point;
}

const total = (values) => Object.values(values).reduce((sum, value) => sum + (value ?? 0), 0);

function Tiles({ scripts, status, points }) {
  const last = points.at(-1);
  const restarts = status.processes.reduce((sum, one) => sum + one.restarts, 0);
  const tile = (name, value) => html`<div class="tile"><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<dl class="tiles">
    ${tile("Requests", perSecond(total(last?.rate ?? {})))}
    ${tile("Exceptions", perSecond(total(last?.failures ?? {})))}
    ${tile("Median time", ms(last?.wall.p50))}
    ${tile("Memory", bytes(total(last?.memory ?? {})))}
    ${tile("Workers", number(scripts.length))}
    ${tile("Restarts", number(restarts))}
  </dl>`;
}

const percent = (value) => `${rounded(value)} %`;

function Charts({ points }) {
  const drawn = (what) => points.map((one) => ({ time: one.time, values: one[what] }));
  const last = points.at(-1);
  const by = (what) => Object.keys(last?.[what] ?? {}).sort();
  const busiest = Object.keys(last?.sums ?? {}).sort((a, b) => last.sums[b].requests - last.sums[a].requests);
  const chart = (title, what, names, unit) => html`<${Panel} title=${title}>
    <${Chart} label=${title} points=${drawn(what)} names=${names} unit=${unit} />
  <//>`;
  return html`<div class="columns">
    ${chart("Requests", "rate", busiest, perSecond)}
    ${chart("Time to answer", "wall", ["p50", "p90", "p99"], ms)}
    ${chart("CPU, percent of a core", "cpu", by("memory"), percent)}
    ${chart("Memory", "memory", by("memory"), bytes)}
  </div>`;
}

function Workers({ scripts, workers }) {
  const numbers = sums(workers);
  const of = (one) => numbers[one.id] ?? { requests: 0, failures: 0, counts: [], bounds: [] };
  const time = (part) => (one) => ms(quantile(of(one).bounds, of(one).counts, part));
  return html`<${Table}
    label="Workers"
    rows=${scripts}
    empty="No Worker is deployed. Run selfedge deploy, or wrangler deploy."
    columns=${[
      ["Worker", (one) => html`<a href=${`#/workers/${seg(one.id)}`}>${one.id}</a>`, "grow"],
      ["Requests", (one) => number(of(one).requests), "num"],
      ["Exceptions", (one) => number(of(one).failures), "num"],
      ["p50", time(0.5), "num"],
      ["p99", time(0.99), "num"],
      ["Changed", (one) => html`<${When} at=${one.modified_on} />`],
    ]}
  />`;
}

const STATES = { running: "good", asleep: "", stopped: "", failed: "bad" };

function Processes({ rows }) {
  return html`<${Table}
    label="Processes"
    rows=${rows}
    columns=${[
      ["Process", nameOf, "grow"],
      ["State", (one) => html`<${Badge} kind=${STATES[one.state] ?? "warn"}>${one.state}<//>`],
      ["Memory", (one) => bytes(one.resident_bytes), "num"],
      ["Own", (one) => bytes(one.private_bytes), "num"],
      ["CPU time", (one) => (one.cpu_s === null ? "–" : `${one.cpu_s.toFixed(1)} s`), "num"],
      ["Restarts", (one) => one.restarts, "num"],
      ["PID", (one) => one.pid ?? "–", "num"],
    ]}
  />`;
}

async function ask() {
  const [status, scripts, metrics] = await Promise.all([
    get("/node/status"),
    get(at("/workers/scripts")),
    get("/node/metrics"),
  ]);
  return { status, scripts, metrics };
}

export default function Overview() {
  const now = useLoad(ask, "overview", EVERY_MS);
  const [points, set] = useState([]);
  useEffect(() => {
    if (now.data) set((old) => [...old.slice(1 - KEPT), between(now.data.metrics, old.at(-1))]);
  }, [now.data]);
  return html`<${Title} text="Overview" sub=${now.data && `selfedge ${now.data.status.version}`} />
    <${Loaded} of=${now}>${({ status, scripts, metrics }) => html`
      <${Tiles} scripts=${scripts} status=${status} points=${points} />
      <${Charts} points=${points} />
      <${Panel} title="Workers" side=${html`<small>since their processes started</small>`} flush>
        <${Workers} scripts=${scripts} workers=${metrics.workers} />
      <//>
      <${Panel} title="Processes" flush><${Processes} rows=${status.processes} /><//>`}<//>`;
}
