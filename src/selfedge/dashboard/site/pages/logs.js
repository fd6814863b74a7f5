import { at, call, get, seg } from "/api.js";
import { Lines, lines } from "/events.js";
import { Kept } from "/kept.js";
import { attempt, Empty, Field, html, Loaded, Panel, Switch, Title, useEffect, useLoad, useRef, useState } from "/ui.js";

const KEPT = 10_000; // lines
const PROTOCOL = "trace-v1";

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

const VIEWS = [["live", "Live"], ["kept", "Kept"]];

export default function Logs({ parts: [name, view = "live"] }) {
  const now = useLoad(() => get(at("/workers/scripts")), "logs");
  const go = (one, what) => { location.hash = `#/logs/${seg(one)}${what === "kept" ? "/kept" : ""}`; };
  return html`<${Loaded} of=${now}>${(scripts) => {
    const chosen = name ?? scripts[0]?.id;
    return html`<${Title} text="Logs" sub=${view === "kept" ? "what the node has kept" : "live, nothing is kept here"}>
        ${chosen && html`<select aria-label="Worker" value=${chosen} onChange=${(event) => go(event.target.value, view)}>
          ${scripts.map((one) => html`<option value=${one.id} selected=${one.id === chosen}>${one.id}</option>`)}
        </select>
        <${Switch} label="Which logs" value=${view} onChange=${(what) => go(chosen, what)} options=${VIEWS} />`}
      <//>
      ${!chosen && html`<${Empty}>No Worker is deployed.<//>`}
      ${chosen && (view === "kept" ? html`<${Kept} key=${chosen} name=${chosen} />` : html`<${Tail} key=${chosen} name=${chosen} />`)}`;
  }}<//>`;
}
