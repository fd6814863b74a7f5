// Lines over time, and points of a plane, by uPlot, which is loaded when the first chart is drawn.

import { html, useEffect, useRef } from "/ui.js";

const COLOURS = ["#0f8a7d", "#c2791c", "#6d6fd1", "#c0506a", "#5b8f3a", "#8a8d88"];
const HEIGHT = 150; // px
export const LINES_MAX = COLOURS.length;

let loading;
function library() {
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

function axis(more) {
  const style = getComputedStyle(document.documentElement);
  return {
    stroke: style.getPropertyValue("--muted"),
    grid: { stroke: style.getPropertyValue("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
    ...more,
  };
}

function options(width, names, unit) {
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.15, 1)] } },
    axes: [
      axis({ size: 24, space: 90, values: (_, all) => all.map(clock) }),
      axis({ size: 58, space: 34, values: (_, all) => all.map(unit) }),
    ],
    series: [
      {},
      ...names.map((name, index) => ({
        label: name,
        stroke: COLOURS[index],
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

const dot = (many) => (many > 100 ? 7 : 10); // px
const NEAR = 12; // px from the pointer

function scatter(size, names, many, hooks) {
  const padded = (_, least, most) => {
    const room = (most - least) * 0.06 || 1;
    return [least - room, most + room];
  };
  const hidden = axis({ size: 12, values: (_, all) => all.map(() => "") });
  return {
    ...size,
    legend: { show: false },
    cursor: { points: { show: false }, drag: { x: true, y: true, uni: 20 } },
    scales: { x: { time: false, range: padded }, y: { range: padded } },
    axes: [{ ...hidden }, { ...hidden }],
    series: [
      {},
      ...names.map((name, index) => ({
        label: name,
        paths: () => null,
        points: { show: true, size: dot(many), width: 0, fill: COLOURS[index % COLOURS.length] },
      })),
    ],
    hooks,
  };
}

/** The place of the point next to the pointer, or -1. */
function nearest(plot, sorted) {
  const { left, top } = plot.cursor;
  if (left < 0) return -1;
  const far = sorted.map(({ x, y }) => Math.hypot(plot.valToPos(x, "x") - left, plot.valToPos(y, "y") - top));
  const least = far.indexOf(Math.min(...far));
  return far[least] <= NEAR ? least : -1;
}

/** `points`: [{x, y, group}]; `groups`: their names; `onPoint` hears what is pointed at. */
export function Scatter({ points, groups, label, onPoint }) {
  const room = useRef(null);
  useEffect(() => {
    let ended = false;
    let plot;
    const sorted = [...points].sort((one, other) => one.x - other.x);
    const columns = groups.map((name) => sorted.map((one) => (one.group === name ? one.y : null)));
    const size = () => ({ width: room.current.clientWidth, height: room.current.clientHeight });
    const point = (it) => onPoint(sorted[nearest(it, sorted)] ?? null);
    const draw = async () => {
      const UPlot = await library();
      if (ended) return;
      plot?.destroy();
      plot = new UPlot(scatter(size(), groups, sorted.length, { setCursor: [point] }), [sorted.map((one) => one.x), ...columns], room.current);
    };
    draw();
    const sized = new ResizeObserver(() => plot?.setSize(size()));
    sized.observe(room.current);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      ended = true;
      sized.disconnect();
      themed.disconnect();
      plot?.destroy();
    };
  }, [points, groups]);
  return html`<div class="scatter" ref=${room} role="img" aria-label=${label}></div>
    <p class="keys">${groups.map((name, index) => html`<small key=${name}>
      <i class="dot" style=${{ background: COLOURS[index % COLOURS.length] }}></i>${name}
    </small>`)}</p>`;
}

/** `points`: [{time, values: {name: number}}]; `unit`: number → text. */
export function Chart({ points, names, unit, label }) {
  const room = useRef(null);
  const plot = useRef(null);
  const shown = names.slice(0, LINES_MAX);
  const data = useRef(null);
  data.current = [
    points.map((one) => one.time),
    ...shown.map((name) => points.map((one) => one.values[name] ?? null)),
  ];
  useEffect(() => {
    let ended = false;
    const draw = async () => {
      const UPlot = await library();
      if (ended) return;
      plot.current?.destroy();
      const width = room.current.clientWidth;
      plot.current = new UPlot(options(width, shown, unit), data.current, room.current);
    };
    draw();
    const sized = new ResizeObserver(([{ contentRect: { width } }]) =>
      plot.current?.setSize({ width, height: HEIGHT }));
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
  }, [shown.join()]);
  useEffect(() => plot.current?.setData(data.current), [points]);
  const last = points.at(-1)?.values ?? {};
  return html`<div class="chart" ref=${room} role="img" aria-label=${label}></div>
    <p class="keys">${shown.map((name, index) => html`<small key=${name}>
      <i class="dot" style=${{ background: COLOURS[index] }}></i>${name}
      <b>${last[name] === undefined ? "" : unit(last[name])}</b>
    </small>`)}</p>`;
}
