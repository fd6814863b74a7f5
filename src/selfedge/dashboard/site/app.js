// The frame of all pages: who is signed in, where one is, what there is.

import { chooseAccount, enter, mayBeIn, session, signIn, signOut } from "/api.js";
import { Field, Form, html, Notices, render, useEffect, useState } from "/ui.js";

// name, heading, whether only `selfedge serve` has it
const PAGES = [
  ["overview", "Overview", true],
  ["workers", "Workers", true],
  ["logs", "Logs", true],
  ["kv", "KV"],
  ["objects", "Durable Objects"],
  ["d1", "D1"],
  ["r2", "R2"],
  ["vectorize", "Vectorize"],
  ["ai", "AI"],
  ["queues", "Queues"],
  ["cron", "Cron", true],
];

const shown = () => PAGES.filter(([, , serves]) => !serves || session.serves);

/** The address bar's part after #: a page and what it looks at. */
function place() {
  const [page, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const known = shown().find(([name]) => name === page) ?? shown()[0];
  const parts = rest.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { page: known[0], parts: known[0] === page ? parts : [] };
}

function usePlace() {
  const [now, set] = useState(place);
  useEffect(() => {
    const moved = () => set(place());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return now;
}

function ThemeButton() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const [theme, set] = useState(document.documentElement.dataset.theme ?? system);
  const other = theme === "dark" ? "light" : "dark";
  const press = () => {
    document.documentElement.dataset.theme = other;
    localStorage.setItem("selfedge-theme", other);
    set(other);
  };
  return html`<button class="plain" onClick=${press} aria-label=${`Use the ${other} theme`}>
    ${theme === "dark" ? "☀" : "☾"}
  </button>`;
}

function AccountSwitch({ onChange }) {
  if (session.accounts.length < 2) return null;
  const choose = (event) => {
    chooseAccount(event.target.value);
    location.hash = `#/${place().page}`;
    onChange();
  };
  return html`<select aria-label="Account" value=${session.account} onChange=${choose}>
    ${session.accounts.map((one) => html`<option value=${one.id}>${one.name}</option>`)}
  </select>`;
}

function SignIn({ onDone }) {
  const [error, set] = useState("");
  useEffect(() => {
    document.title = "Sign in · selfedge";
  }, []);
  const submit = async ({ token }) => {
    set("");
    try {
      await signIn(token.trim());
      await onDone();
    } catch (problem) {
      set(problem.message);
    }
  };
  return html`<main class="sign-in">
    <${Form} class="panel" onSubmit=${submit}>
      <h1><img src="/icon.svg" alt="" width="26" height="26" /> selfedge</h1>
      <${Field} label="API token">
        <input
          name="token"
          type="password"
          required
          autofocus
          autocomplete="off"
          spellcheck="false"
          aria-describedby="sign-in-hint"
        />
      <//>
      ${error && html`<p class="notice bad" role="alert">${error}</p>`}
      <button class="primary">Sign in</button>
      <p class="muted" id="sign-in-hint">
        The node printed a token at its first start; <code>selfedge token create</code>
        makes more. <code>selfedge dev</code> prints one at each start.
      </p>
    <//>
  </main>`;
}

function Page({ page, parts, account }) {
  const [view, set] = useState(null);
  useEffect(() => {
    let wanted = true;
    import(`/pages/${page}.js`).then((loaded) => wanted && set({ page, of: loaded.default }));
    return () => {
      wanted = false;
    };
  }, [page]);
  if (view?.page !== page) return null;
  return html`<${view.of} key=${`${account}/${page}`} parts=${parts} />`;
}

function Frame({ onLeave }) {
  const { page, parts } = usePlace();
  const [, redraw] = useState(0);
  useEffect(() => {
    scrollTo(0, 0);
    const here = document.querySelector(".side [aria-current]");
    here?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [page]);
  const leave = async () => {
    await signOut();
    onLeave();
  };
  return html`<div class="frame">
    <a class="skip" href="#main" onClick=${(event) => {
      event.preventDefault();
      document.getElementById("main").focus();
    }}>Skip to the page</a>
    <div class="side">
      <a class="brand" href="#/"><img src="/icon.svg" alt="" width="22" height="22" /> selfedge</a>
      <nav aria-label="Pages">
        <ul>${shown().map(([name, heading]) => html`<li>
          <a href=${`#/${name}`} aria-current=${name === page ? "page" : undefined}>${heading}</a>
        </li>`)}</ul>
      </nav>
      <div class="foot">
        <${AccountSwitch} onChange=${() => redraw((count) => count + 1)} />
        <span class="muted who">${session.who.name} · ${session.who.scope}</span>
        <${ThemeButton} />
        <button class="plain" onClick=${leave}>Sign out</button>
      </div>
    </div>
    <main id="main" tabindex="-1">
      <${Page} page=${page} parts=${parts} account=${session.account} />
    </main>
    <${Notices} />
  </div>`;
}

function App() {
  const [state, set] = useState("asking");
  const begin = async () => {
    await enter();
    set("in");
  };
  useEffect(() => {
    (mayBeIn() ? begin() : Promise.reject()).catch(() => set("out"));
    const out = () => set("out");
    addEventListener("signed-out", out);
    return () => removeEventListener("signed-out", out);
  }, []);
  if (state === "asking") return null;
  if (state === "out") return html`<${SignIn} onDone=${begin} />`;
  return html`<${Frame} onLeave=${() => set("out")} />`;
}

render(html`<${App} />`, document.getElementById("app"));
