import { at, call, get, seg } from "/api.js";
import { attempt, Empty, Field, html, Loaded, Panel, Switch, Title, useEffect, useLayoutEffect, useLoad, useRef, useState } from "/ui.js";

const KEPT = 10_000; // lines
const HEIGHT = 24; // of a line, in px: the style sheet's
const SPARE = 12; // lines drawn above and below what is seen
const PROTOCOL = "trace-v1";

const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");

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
function lines(event) {
  const [method, what] = about(event);
  const shared = { outcome: event.outcome, method };
  const time = event.eventTimestamp ?? Date.now();
  const status = event.event?.response?.status;
  const head = { ...shared, kind: "event", time, what, status, ms: event.wallTime };
  const logs = event.logs.map((one) => ({
    ...shared,
    kind: `log-${one.level}`,
    what: (Array.isArray(one.message) ? one.message : [one.message]).map(text).join(" "),
  }));
  const thrown = event.exceptions.map((one) => ({
    ...shared,
    kind: "exception",
    what: one.stack?.includes(one.message) ? one.stack : `${one.name}: ${one.message}\n${one.stack ?? ""}`,
  }));
  const all = [head, ...logs, ...thrown].map((one) => ({ ...one, what: one.what.trimEnd() }));
  const flat = all.flatMap((one) => one.what.split("\n").map((what, index) => (index ? { ...one, kind: `${one.kind} more`, what } : { ...one, what })));
  return flat;
}

/** Keep the newest lines of a Worker while it is listened to. */
function useTail(name, paused) {
  const [state, set] = useState({ lines: [], status: "connecting" });
  const waiting = useRef([]);
  const still = useRef(paused);
  still.current = paused;
  useEffect(() => {
    let socket;
    let ended = false;
    let frame = 0;
    const flush = () => {
      frame = 0;
      const news = waiting.current.splice(0);
      set((old) => ({ ...old, lines: [...old.lines, ...news].slice(-KEPT) }));
    };
    const heard = async ({ data }) => {
      if (still.current) return;
      const event = JSON.parse(typeof data === "string" ? data : new TextDecoder().decode(data));
      waiting.current.push(...lines(event));
      frame ||= requestAnimationFrame(flush);
    };
    const begin = async () => {
      const made = await call("POST", at(`/workers/scripts/${seg(name)}/tails`), { json: { filters: [] } });
      if (ended) return;
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      socket = new WebSocket(`${scheme}://${location.host}/tails/${made.result.id}`, PROTOCOL);
      socket.binaryType = "arraybuffer";
      socket.onmessage = heard;
      socket.onopen = () => set((old) => ({ ...old, status: "listening" }));
      socket.onclose = () => ended || set((old) => ({ ...old, status: "closed" }));
    };
    set({ lines: [], status: "connecting" });
    attempt(begin);
    return () => {
      ended = true;
      cancelAnimationFrame(frame);
      waiting.current = [];
      socket?.close();
    };
  }, [name]);
  return { ...state, clear: () => set((old) => ({ ...old, lines: [] })) };
}

const bad = (outcome) => (outcome === "ok" || outcome === "canceled" ? "outcome" : "outcome bad");

function Line({ it, top }) {
  const place = { transform: `translateY(${top}px)` };
  if (it.kind !== "event") {
    return html`<div class=${`line sub ${it.kind}`} style=${place} title=${it.what}><span class="grow">${it.what}</span></div>`;
  }
  return html`<div class="line" style=${place}>
    <span class="dim time">${clock(it.time)}</span>
    <span class=${bad(it.outcome)}>${it.outcome}</span>
    <span class="method">${it.method}</span>
    <span class="grow">${it.what}</span>
    <span class="dim">${it.status ?? ""}</span>
    <span class="dim">${it.ms ? `${Math.round(it.ms)} ms` : ""}</span>
  </div>`;
}

/** Draws only what is seen, and stays at the end unless one scrolled up. */
function Lines({ rows }) {
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
      ${rows.slice(from, to).map((it, index) => html`<${Line} key=${from + index} it=${it} top=${(from + index) * HEIGHT} />`)}
    </div>
  </div>`;
}

const STATUS = { listening: "good", closed: "bad" };

function Tail({ name }) {
  const [paused, pause] = useState(false);
  const [wanted, want] = useState({ outcome: "all", method: "", search: "" });
  const tail = useTail(name, paused);
  const change = (field) => (event) => want({ ...wanted, [field]: event.target.value });
  const search = wanted.search.toLowerCase();
  const rows = tail.lines.filter(
    (it) =>
      (wanted.outcome === "all" || (it.outcome === "ok") === (wanted.outcome === "ok")) &&
      (!wanted.method || it.method === wanted.method) &&
      (!search || it.what.toLowerCase().includes(search)),
  );
  return html`<div class="panel">
      <div class="row">
        <${Switch} label="Outcome" value=${wanted.outcome} onChange=${(outcome) => want({ ...wanted, outcome })}
          options=${[["all", "All"], ["ok", "OK"], ["error", "Errors"]]} />
        <select aria-label="Method" value=${wanted.method} onChange=${change("method")}>
          <option value="">Any method</option>
          ${["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "cron", "queue", "alarm", "rpc"].map((one) => html`<option value=${one}>${one}</option>`)}
        </select>
        <${Field} wide label=""><input type="search" aria-label="Search" placeholder="Search" value=${wanted.search} onInput=${change("search")} /><//>
        <button onClick=${() => pause(!paused)} aria-pressed=${paused}>${paused ? "Go on" : "Pause"}</button>
        <button onClick=${tail.clear}>Clear</button>
      </div>
    </div>
    <${Panel} flush title=${html`<span aria-live="polite"><i class=${`dot ${STATUS[tail.status] ?? ""}`}></i>${paused ? "paused" : tail.status}</span>`}
      side=${html`<small>${rows.length.toLocaleString("en")} lines</small>`}>
      <${Lines} rows=${rows} />
    <//>`;
}

export default function Logs({ parts: [name] }) {
  const now = useLoad(() => get(at("/workers/scripts")), "logs");
  return html`<${Loaded} of=${now}>${(scripts) => {
    const chosen = name ?? scripts[0]?.id;
    return html`<${Title} text="Logs" sub="live, nothing is kept">
        ${chosen && html`<select aria-label="Worker" value=${chosen} onChange=${(event) => { location.hash = `#/logs/${seg(event.target.value)}`; }}>
          ${scripts.map((one) => html`<option value=${one.id} selected=${one.id === chosen}>${one.id}</option>`)}
        </select>`}
      <//>
      ${chosen ? html`<${Tail} key=${chosen} name=${chosen} />` : html`<${Empty}>No Worker is deployed.<//>`}`;
  }}<//>`;
}
