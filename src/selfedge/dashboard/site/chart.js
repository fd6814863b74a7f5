// Lines over time, by uPlot, which is loaded when the first chart is drawn.

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
