import { at, get } from "/api.js";
import { Badge, bytes, html, Loaded, number, Panel, Table, Title, useEffect, useLoad, useRef, useState, When } from "/ui.js";

const EVERY_MS = 2000;
const KEPT = 300; // points: ten minutes
const COLOURS = ["#0f8a7d", "#c2791c", "#6d6fd1", "#c0506a", "#5b8f3a", "#8a8d88"];

let loading;
/** The chart library, when it is first needed. */
function charts() {
  loading ??= new Promise((resolve, reject) => {
    const style = Object.assign(document.createElement("link"), {
      rel: "stylesheet",
      href: "/vendor/uplot/uPlot.min.css",
    });
    const script = Object.assign(document.createElement("script"), {
      src: "/vendor/uplot/uPlot.iife.min.js",
      onload: () => resolve(globalThis.uPlot),
      onerror: reject,
    });
    document.head.append(style, script);
  });
  return loading;
}

const clock = (s) => new Date(s * 1000).toLocaleTimeString("en-GB");

function axis(show) {
  const style = getComputedStyle(document.documentElement);
  return {
    stroke: style.getPropertyValue("--muted"),
    grid: { stroke: style.getPropertyValue("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
    size: 56,
    ...show,
  };
}

function options(width, names, unit) {
  return {
    width,
    height: 160,
    legend: { show: false },
    cursor: { y: false },
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.15, 1)] } },
    axes: [axis({ size: 26, space: 90, values: (_, all) => all.map(clock) }), axis({ values: (_, all) => all.map(unit) })],
    series: [
      {},
      ...names.map((name, index) => ({
        label: name,
        stroke: COLOURS[index % COLOURS.length],
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

/** `points`: [{time, values: {name: number}}]. */
function Chart({ points, names, unit, label }) {
  const room = useRef(null);
  const plot = useRef(null);
  const data = [
    points.map((one) => one.time),
    ...names.map((name) => points.map((one) => one.values[name] ?? null)),
  ];
  useEffect(() => {
    let ended = false;
    const draw = async () => {
      const UPlot = await charts();
      if (ended) return;
      plot.current?.destroy();
      const width = room.current.clientWidth;
      plot.current = new UPlot(options(width, names, unit), data, room.current);
    };
    draw();
    const sized = new ResizeObserver(([{ contentRect: { width } }]) =>
      plot.current?.setSize({ width, height: 160 }));
    sized.observe(room.current);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      ended = true;
      sized.disconnect();
      themed.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names.join()]);
  useEffect(() => plot.current?.setData(data), [points]);
  return html`<div>
    <div class="chart" ref=${room} role="img" aria-label=${label}></div>
    <p>${names.map((name, index) => html`<small key=${name} class="key">
      <i class="dot" style=${{ background: COLOURS[index % COLOURS.length] }}></i>${name}${"  "}
    </small>`)}</p>
  </div>`;
}

const nameOf = (one) => one.scripts.join(", ") || one.kind;

function measured(status, before) {
  const time = Date.now() / 1000;
  const memory = {};
  const cpu = {};
  const seconds = {};
  for (const one of status.processes) {
    const name = nameOf(one);
    memory[name] = one.resident_bytes;
    seconds[name] = one.cpu_s;
    const last = before?.seconds[name];
    if (last !== undefined && one.cpu_s >= last) {
      cpu[name] = (100 * (one.cpu_s - last)) / (time - before.time);
    }
  }
  return { time, memory, cpu, seconds };
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
  const [status, scripts] = await Promise.all([
    get("/node/status"),
    get(at("/workers/scripts")),
  ]);
  return { status, scripts };
}

export default function Overview() {
  const now = useLoad(ask, "overview", EVERY_MS);
  const [points, set] = useState([]);
  useEffect(() => {
    if (!now.data) return;
    set((old) => [...old.slice(1 - KEPT), measured(now.data.status, old.at(-1))]);
  }, [now.data]);
  return html`<${Title} text="Overview" sub=${now.data && `selfedge ${now.data.status.version}`} />
    <${Loaded} of=${now}>${({ status, scripts }) => {
      const running = status.processes.filter((one) => one.state === "running");
      const sum = (field) => running.reduce((all, one) => all + (one[field] ?? 0), 0);
      const names = [...new Set(status.processes.map(nameOf))];
      const drawn = (what) => points.map((one) => ({ time: one.time, values: one[what] }));
      return html`
        <dl class="tiles">
          <div class="tile"><dt>Workers</dt><dd>${number(scripts.length)}</dd></div>
          <div class="tile"><dt>Processes</dt><dd>${running.length} / ${status.processes.length}</dd></div>
          <div class="tile"><dt>Memory</dt><dd>${bytes(sum("resident_bytes"))}</dd></div>
          <div class="tile"><dt>Restarts</dt><dd>${number(sum("restarts"))}</dd></div>
        </dl>
        <div class="columns">
          <${Panel} title="CPU, percent of a core">
            <${Chart} label="CPU of each process" points=${drawn("cpu")} names=${names} unit=${(value) => `${value} %`} />
          <//>
          <${Panel} title="Memory">
            <${Chart} label="Memory of each process" points=${drawn("memory")} names=${names} unit=${bytes} />
          <//>
        </div>
        <${Panel} title="Processes" flush><${Processes} rows=${status.processes} /><//>
        <${Panel} title="Workers" flush>
          <${Table}
            label="Workers"
            rows=${scripts}
            empty="No Worker is deployed. Run selfedge deploy, or wrangler deploy."
            columns=${[
              ["Worker", (one) => html`<a href=${`#/workers/${one.id}`}>${one.id}</a>`, "grow"],
              ["Changed", (one) => html`<${When} at=${one.modified_on} />`],
              ["Start", (one) => `${one.startup_time_ms} ms`, "num"],
            ]}
          />
        <//>`;
    }}<//>`;
}
