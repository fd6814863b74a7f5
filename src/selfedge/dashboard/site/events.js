// What Workers did, as lines: live or kept.

import { html, useLayoutEffect, useRef, useState } from "/ui.js";

const HEIGHT = 24; // of a line, in px: the style sheet's
const SPARE = 12; // lines drawn above and below what is seen

const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");

/** The time of day, with the date unless it is today's. */
function stamp(ms) {
  const time = new Date(ms);
  const day = time.toLocaleDateString("sv-SE");
  return day === new Date().toLocaleDateString("sv-SE") ? clock(ms) : `${day} ${clock(ms)}`;
}

function about(event) {
  const { request, cron, queue, scheduledTime, rpcMethod, mailFrom } = event.event ?? {};
  if (request) {
    const { pathname, search } = new URL(request.url);
    return [request.method, pathname + search];
  }
  if (cron !== undefined) return ["cron", cron];
  if (queue !== undefined) return ["queue", queue];
  if (rpcMethod) return ["rpc", rpcMethod];
  if (scheduledTime) return ["alarm", clock(scheduledTime)];
  return ["", mailFrom ?? ""];
}

const text = (part) => (typeof part === "string" ? part : JSON.stringify(part));

/** An event as lines: itself, what it logged, what it threw. */
export function lines(event) {
  const [method, what] = about(event);
  const shared = { outcome: event.outcome, method };
  const time = event.eventTimestamp ?? Date.now();
  const status = event.event?.response?.status;
  const head = { ...shared, kind: "event", time, what, status, ms: event.wallTime };
  const logs = (event.logs ?? []).map((one) => ({
    ...shared,
    kind: `log-${one.level}`,
    what: (Array.isArray(one.message) ? one.message : [one.message]).map(text).join(" "),
  }));
  const thrown = (event.exceptions ?? []).map((one) => ({
    ...shared,
    kind: "exception",
    what: one.stack?.includes(one.message) ? one.stack : `${one.name}: ${one.message}\n${one.stack ?? ""}`,
  }));
  const all = [head, ...logs, ...thrown].map((one) => ({ ...one, what: one.what.trimEnd() }));
  const flat = all.flatMap((one) => one.what.split("\n").map((what, index) => (index ? { ...one, kind: `${one.kind} more`, what } : { ...one, what })));
  return flat;
}

const bad = (outcome) => (outcome === "ok" || outcome === "canceled" ? "outcome" : "outcome bad");

function Line({ it, top, dated }) {
  const place = { transform: `translateY(${top}px)` };
  if (it.kind !== "event") {
    return html`<div class=${`line sub ${it.kind}`} style=${place} title=${it.what}><span class="grow">${it.what}</span></div>`;
  }
  return html`<div class="line" style=${place}>
    <span class="dim time">${dated ? stamp(it.time) : clock(it.time)}</span>
    <span class=${bad(it.outcome)}>${it.outcome}</span>
    <span class="method">${it.method}</span>
    <span class="grow">${it.what}</span>
    <span class="dim">${it.status ?? ""}</span>
    <span class="dim">${it.ms ? `${Math.round(it.ms)} ms` : ""}</span>
  </div>`;
}

/** Draws only what is seen, and stays at the end unless one scrolled up. */
export function Lines({ rows, dated }) {
  const room = useRef(null);
  const atEnd = useRef(true);
  const [seen, see] = useState({ top: 0, height: 600 });
  useLayoutEffect(() => {
    if (atEnd.current) room.current.scrollTop = rows.length * HEIGHT;
  }, [rows]);
  const scrolled = () => {
    const { scrollTop, clientHeight, scrollHeight } = room.current;
    atEnd.current = scrollTop + clientHeight >= scrollHeight - HEIGHT;
    see({ top: scrollTop, height: clientHeight });
  };
  const from = Math.max(0, Math.floor(seen.top / HEIGHT) - SPARE);
  const to = Math.ceil((seen.top + seen.height) / HEIGHT) + SPARE;
  return html`<div class="log" ref=${room} onScroll=${scrolled} tabindex="0" role="log" aria-label="Log lines">
    <div class="room" style=${{ height: `${rows.length * HEIGHT}px` }}>
      ${rows.slice(from, to).map((it, index) => html`<${Line} key=${from + index} it=${it} dated=${dated} top=${(from + index) * HEIGHT} />`)}
    </div>
  </div>`;
}

