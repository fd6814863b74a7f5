// What pages are made of.

import {
  html,
  useCallback,
  useEffect,
  useRef,
  useState,
} from "/vendor/preact/standalone.module.js";

export * from "/vendor/preact/standalone.module.js";

/** Ask when `key` changes; `again` asks anew and keeps what is shown meanwhile. */
export function useLoad(ask, key, everyMs = 0) {
  const [state, set] = useState({ key: null });
  const newest = useRef(0);
  const again = useCallback(async () => {
    const mine = ++newest.current;
    try {
      const data = await ask();
      if (mine === newest.current) set({ data, key });
    } catch (error) {
      if (mine === newest.current) set((old) => ({ ...old, error, key }));
    }
  }, [key]);
  useEffect(() => {
    set({ key });
    again();
    const timer = everyMs && setInterval(() => document.hidden || again(), everyMs);
    return () => {
      newest.current++;
      clearInterval(timer);
    };
  }, [key, everyMs]);
  return { ...(state.key === key ? state : {}), again };
}

let tell = () => {};

/** Do something that may fail; say what came of it. */
export async function attempt(doing, done) {
  try {
    const result = await doing();
    if (done) tell({ text: done, good: true });
    return result ?? true;
  } catch (error) {
    if (error.name !== "AbortError") tell({ text: error.message });
    return undefined;
  }
}

export function Notices() {
  const [notice, set] = useState(null);
  tell = set;
  useEffect(() => {
    if (!notice?.good) return undefined;
    const timer = setTimeout(() => set(null), 4000);
    return () => clearTimeout(timer);
  }, [notice]);
  return html`<div class="notices" role="status" aria-live="polite">
    ${notice &&
    html`<p class=${notice.good ? "notice good" : "notice bad"}>
      <span>${notice.text}</span>
      <button class="plain" aria-label="Close" onClick=${() => set(null)}>×</button>
    </p>`}
  </div>`;
}

export function Title({ text, sub, children }) {
  useEffect(() => {
    document.title = `${text} · selfedge`;
  }, [text]);
  return html`<header class="title">
    <h1>${text}</h1>
    ${sub && html`<p class="muted">${sub}</p>`}
    <div class="actions">${children}</div>
  </header>`;
}

export function Panel({ title, side, children, flush }) {
  return html`<section class=${flush ? "panel flush" : "panel"}>
    ${title && html`<header><h2>${title}</h2><div>${side}</div></header>`}
    ${children}
  </section>`;
}

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

/** Show what `useLoad` has: an error, the wait, or the page. */
export function Loaded({ of, children }) {
  if (of.error && of.data === undefined) {
    return html`<p class="notice bad" role="alert">${of.error.message}</p>`;
  }
  if (of.data === undefined) return html`<p class="empty" aria-busy="true">…</p>`;
  return children(of.data);
}

/** `columns`: [heading, row → cell, class?]. */
export function Table({ columns, rows, empty = "Nothing here yet.", label }) {
  if (!rows.length) return html`<${Empty}>${empty}<//>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
    <table>
      <thead>
        <tr>${columns.map(([name, , kind]) => html`<th scope="col" class=${kind}>
          ${name || html`<span class="hidden">Actions</span>`}
        </th>`)}</tr>
      </thead>
      <tbody>
        ${rows.map((row) => html`<tr>
          ${columns.map(([, cell, kind]) => html`<td class=${kind}>${cell(row)}</td>`)}
        </tr>`)}
      </tbody>
    </table>
  </div>`;
}

/** A value of a database: null, a number, a text, or what says that it is more. */
export function Cell({ value }) {
  if (value === null) return html`<span class="null">null</span>`;
  if (typeof value !== "object") return String(value);
  if (value.blob !== undefined && value.bytes !== undefined) {
    return html`<code>${value.blob}</code> <small>${bytes(value.bytes)}</small>`;
  }
  if (value.text !== undefined && value.chars !== undefined) {
    return html`${value.text}… <small>${number(value.chars)} characters</small>`;
  }
  return JSON.stringify(value);
}

export function Field({ label, children, wide, hint }) {
  return html`<label class=${wide ? "field wide" : "field"}>
    <span>${label}${hint && html` <small>${hint}</small>`}</span>${children}
  </label>`;
}

/** A form that does not leave the page; `onSubmit` gets its fields. */
export function Form({ onSubmit, children, ...rest }) {
  const [busy, set] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    const form = event.target;
    set(true);
    try {
      await onSubmit(Object.fromEntries(new FormData(form)), form);
    } finally {
      set(false);
    }
  };
  return html`<form ...${rest} onSubmit=${submit} aria-busy=${busy}>${children}</form>`;
}

/** A button that wants to be pressed twice. */
export function Twice({ text = "Delete", sure = "Really delete?", onSure, label }) {
  const [asked, set] = useState(false);
  const press = () => (asked ? (set(false), onSure()) : set(true));
  return html`<button
    type="button"
    class=${asked ? "danger asked" : "danger"}
    aria-label=${label && `${asked ? sure : text} ${label}`}
    onClick=${press}
    onBlur=${() => set(false)}
  >${asked ? sure : text}</button>`;
}

/** One of several: [[value, text], …]. */
export function Switch({ label, value, options, onChange }) {
  return html`<div class="switch" role="group" aria-label=${label}>
    ${options.map(([key, text]) => html`<button
      type="button"
      aria-pressed=${key === value}
      onClick=${() => onChange(key)}
    >${text}</button>`)}
  </div>`;
}

/** Names on the left, the chosen one on the right. */
export function Choice({ label, items, chosen, href, children, more }) {
  return html`<div class="choice">
    <nav class="panel flush list" aria-label=${label}>
      ${items.length ? "" : html`<${Empty}>None yet.<//>`}
      <ul>
        ${items.map(([id, name, note]) => html`<li key=${id}>
          <a href=${href(id)} aria-current=${id === chosen ? "page" : undefined}>
            <span>${name}</span>${note && html`<small>${note}</small>`}
          </a>
        </li>`)}
      </ul>
      ${more}
    </nav>
    <div class="chosen">${children}</div>
  </div>`;
}

/** The small form below a list that makes one more. */
export function Adder({ label, onAdd, placeholder }) {
  const submit = async ({ name }, form) => {
    if (await onAdd(name.trim())) form.reset();
  };
  return html`<${Form} class="adder" onSubmit=${submit}>
    <input name="name" required aria-label=${label} placeholder=${placeholder ?? label} />
    <button>Add</button>
  <//>`;
}

export const Badge = ({ kind, children }) =>
  html`<span class=${`badge ${kind ?? ""}`}>${children}</span>`;

export function bytes(count) {
  if (count === null || count === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [Number(count), 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value < 10 && unit ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export const count = (size, one, many = `${one}s`) =>
  `${number(size)} ${size === 1 ? one : many}`;

export const number = (value) => Number(value).toLocaleString("en");

export const short = (id) => html`<code title=${id}>${id.slice(0, 8)}</code>`;

/** A point of time as people say it; the whole of it on hover. */
export function When({ at }) {
  if (!at) return "–";
  const time = new Date(at);
  const s = (Date.now() - time) / 1000;
  const steps = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [2592000, 86400, "d"]];
  const [, size, unit] = steps.find(([most]) => Math.abs(s) < most) ?? [];
  const ago = Math.round(Math.abs(s) / (size ?? 1));
  const text = size ? (s < 0 ? `in ${ago} ${unit}` : `${ago} ${unit} ago`) : at.slice(0, 10);
  return html`<time datetime=${at} title=${time.toLocaleString()}>${text}</time>`;
}
