// The log of a Worker, as the node has kept it: the same that `selfedge logs` prints.

import { at, get, seg } from "/api.js";
import { Lines, lines } from "/events.js";
import { count, Empty, Field, html, Loaded, Panel, useEffect, useLoad, useState } from "/ui.js";

const LIMIT = 500; // events of one answer
const TYPED_MS = 250; // until what is typed is asked for
const SINCE = [["15m", "Last 15 minutes"], ["1h", "Last hour"], ["6h", "Last 6 hours"], ["1d", "Last day"], ["7d", "Last 7 days"], ["", "All that is kept"]];
const OUTCOMES = [["", "Any outcome"], ["ok", "ok"], ["exception", "exception"], ["exceededCpu", "exceeded CPU"], ["exceededMemory", "exceeded memory"], ["canceled", "canceled"], ["responseStreamDisconnected", "disconnected"]];
const LEVELS = [["", "Any level"], ["debug", "debug"], ["log", "log"], ["info", "info"], ["warn", "warn"], ["error", "error"]];

const has = (level) => (event) => !level || (event.logs ?? []).some((one) => one.level === level);

function Pick({ label, options, value, onChange }) {
  return html`<select aria-label=${label} value=${value} onChange=${(event) => onChange(event.target.value)}>
    ${options.map(([key, text]) => html`<option value=${key} selected=${key === value}>${text}</option>`)}
  </select>`;
}

/** What was typed, when the typing has ended. */
function useSettled(text) {
  const [settled, settle] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => settle(text), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

function Found({ found, level, any }) {
  const events = found.events.filter(has(level));
  const more = found.events.length >= LIMIT ? `the newest ${LIMIT} events` : count(found.events.length, "event");
  const told = level ? `${more}, ${events.length} with ${level}` : more;
  return html`
    ${!found.sampling_rate && html`<p class="notice plain-note">Nothing more is kept of this Worker: set "observability": {"enabled": true} in its wrangler file, and deploy it.</p>`}
    ${(found.sampling_rate || found.events.length || !any) && html`<${Panel} flush title="Events" side=${html`<small>${told}</small>`}>
      ${events.length ? html`<${Lines} rows=${events.flatMap(lines)} dated />` : html`<${Empty}>${any ? "Nothing is kept of this time." : "Nothing that was kept is like this."}<//>`}
    <//>`}`;
}

export function Kept({ name }) {
  const [wanted, want] = useState({ since: "1h", outcome: "", level: "", search: "" });
  const search = useSettled(wanted.search.trim());
  const query = new URLSearchParams({ limit: LIMIT });
  for (const [key, value] of Object.entries({ since: wanted.since, outcome: wanted.outcome, search })) {
    if (value) query.set(key, value);
  }
  const now = useLoad(() => get(at(`/workers/scripts/${seg(name)}/logs?${query}`)), `${query}`);
  const change = (field) => (value) => want({ ...wanted, [field]: value });
  return html`<div class="panel">
      <div class="row filters">
        <${Pick} label="Since" options=${SINCE} value=${wanted.since} onChange=${change("since")} />
        <${Pick} label="Outcome" options=${OUTCOMES} value=${wanted.outcome} onChange=${change("outcome")} />
        <${Pick} label="Level" options=${LEVELS} value=${wanted.level} onChange=${change("level")} />
        <${Field} wide label=""><input type="search" aria-label="Search" placeholder="Logged, thrown or asked for" value=${wanted.search} onInput=${(event) => change("search")(event.target.value)} /><//>
        <button onClick=${now.again}>Look again</button>
      </div>
    </div>
    <${Loaded} of=${now}>${(found) => html`<${Found} found=${found} level=${wanted.level} any=${!search && !wanted.outcome && !wanted.level} />`}<//>`;
}
