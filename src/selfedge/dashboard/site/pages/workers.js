import { at, call, get, seg } from "/api.js";
import { attempt, Badge, Field, Form, html, Loaded, Panel, short, Switch, Table, Title, Twice, useLoad, useState, When } from "/ui.js";

const script = (name, rest = "") => at(`/workers/scripts/${seg(name)}${rest}`);

function List() {
  const now = useLoad(() => get(at("/workers/scripts")), "workers");
  return html`<${Title} text="Workers" />
    <${Panel} flush><${Loaded} of=${now}>${(rows) => html`<${Table}
      label="Workers"
      rows=${rows}
      empty="No Worker is deployed. Run selfedge deploy, or wrangler deploy."
      columns=${[
        ["Worker", (one) => html`<a href=${`#/workers/${seg(one.id)}`}>${one.id}</a>`, "grow"],
        ["Changed", (one) => html`<${When} at=${one.modified_on} />`],
        ["Compatibility", (one) => one.compatibility_date],
        ["Assets", (one) => (one.has_assets ? "yes" : "–")],
        ["Start", (one) => `${one.startup_time_ms} ms`, "num"],
        ["", (one) => html`<a href=${`#/logs/${seg(one.id)}`} aria-label=${`Logs of ${one.id}`}>Logs</a>`],
      ]}
    />`}<//><//>`;
}

async function all(name) {
  const [versions, deployments, settings, routes, schedules, subdomain] = await Promise.all(
    ["/versions?per_page=100", "/deployments", "/settings", "/routes", "/schedules", "/subdomain"].map((rest) => get(script(name, rest))),
  );
  return {
    versions: versions.items,
    deployments: deployments.deployments,
    settings,
    routes,
    schedules: schedules.schedules,
    subdomain,
  };
}

const deploy = (name, versions) =>
  call("POST", script(name, "/deployments?force=true"), {
    json: { strategy: "percentage", versions },
  });

function Versions({ name, versions, shares, again }) {
  const roll = (one) =>
    attempt(async () => {
      await deploy(name, [{ version_id: one.id, percentage: 100 }]);
      await again();
    }, `Version ${one.number} is deployed.`);
  const newest = Math.max(...versions.filter((one) => shares.has(one.id)).map((one) => one.number));
  const share = (one) => {
    const part = shares.get(one.id);
    const word = one.number < newest ? "Roll back" : "Deploy";
    return html`${part && html`<${Badge} kind="good">${part} %<//> `}
      ${part !== 100 && html`<${Twice} text=${word} sure=${`${word} to 100 %?`}
        label=${`version ${one.number}`} onSure=${() => roll(one)} />`}`;
  };
  return html`<${Table}
    label="Versions"
    rows=${versions}
    columns=${[
      ["No.", (one) => one.number, "num"],
      ["Version", (one) => short(one.id)],
      ["Traffic", share],
      ["Made", (one) => html`<${When} at=${one.metadata.created_on} />`],
      ["By", (one) => one.metadata.author_email || "–"],
      ["Message", (one) => one.annotations?.["workers/message"] ?? one.annotations?.["workers/tag"] ?? "", "grow"],
    ]}
  />`;
}

function Split({ name, versions, shares, again }) {
  const [part, set] = useState(50);
  if (versions.length < 2) return null;
  const current = [...shares.keys()];
  const numbered = (one) => html`<option value=${one.id}>${one.number} · ${one.id.slice(0, 8)}</option>`;
  const submit = ({ one, other }) =>
    attempt(async () => {
      if (one === other) throw new Error("Choose two different versions.");
      await deploy(name, [
        { version_id: one, percentage: part },
        { version_id: other, percentage: 100 - part },
      ]);
      await again();
    }, "The traffic is split.");
  return html`<${Panel} title="Split traffic">
    <${Form} onSubmit=${submit}>
      <div class="row">
        <${Field} label=${`${part} % to`}><select name="one">
          ${versions.map(numbered)}
        </select><//>
        <${Field} wide label="Share of the first">
          <input type="range" min="1" max="99" value=${part} onInput=${(event) => set(Number(event.target.value))} />
        <//>
        <${Field} label=${`${100 - part} % to`}><select name="other" value=${current.find((id) => id !== versions[0].id) ?? versions[1].id}>
          ${versions.map(numbered)}
        </select><//>
        <button>Split</button>
      </div>
    <//>
  <//>`;
}

/** What a binding leads to, whatever its type calls it. */
function target({ type, name, text, ...rest }) {
  if (type === "secret_text") return html`<span class="muted">hidden</span>`;
  if (type === "plain_text") return html`<code>${text}</code>`;
  if (type === "json") return html`<code>${JSON.stringify(rest.json)}</code>`;
  const shown = Object.values(rest).filter((value) => typeof value === "string");
  return html`<code>${shown.join(" · ") || "–"}</code>`;
}

function Bindings({ rows }) {
  return html`<${Table}
    label="Bindings"
    rows=${rows}
    empty="None."
    columns=${[
      ["Name", (one) => html`<code>${one.name}</code>`],
      ["Type", (one) => one.type.replaceAll("_", " ")],
      ["Leads to", target, "grow"],
    ]}
  />`;
}

const on = (flag) => (flag ? "on" : "off");

function Settings({ name, settings, subdomain, again }) {
  const observe = () =>
    attempt(async () => {
      const body = new FormData();
      const observability = { enabled: !settings.observability.enabled };
      body.append("settings", JSON.stringify({ observability }));
      await call("PATCH", script(name, "/settings"), { body });
      await again();
    }, "Changed.");
  return html`<${Panel} title="Settings">
    <dl class="facts">
      <dt>Compatibility date</dt><dd>${settings.compatibility_date}</dd>
      <dt>Flags</dt><dd>${settings.compatibility_flags.join(", ") || "none"}</dd>
      <dt>By its name</dt><dd>${on(subdomain.enabled)}</dd>
      <dt>Previews</dt><dd>${on(subdomain.previews_enabled)}</dd>
      <dt>Observability</dt><dd>${on(settings.observability?.enabled)}
        <button class="plain inline" onClick=${observe}>Turn ${on(!settings.observability?.enabled)}</button></dd>
      <dt>Tags</dt><dd>${settings.tags.join(", ") || "none"}</dd>
    </dl>
  <//>`;
}

function Deployments({ rows, versions }) {
  const numbers = new Map(versions.map((one) => [one.id, one.number]));
  const shares = (one) =>
    one.versions.map((part) => `${numbers.get(part.version_id) ?? part.version_id.slice(0, 8)} at ${part.percentage} %`).join(", ");
  return html`<${Table}
    label="Deployments"
    rows=${rows}
    columns=${[
      ["When", (one) => html`<${When} at=${one.created_on} />`],
      ["Versions", shares, "grow"],
      ["By", (one) => one.author_email],
      ["Why", (one) => one.annotations?.["workers/message"] ?? one.annotations?.["workers/triggered_by"] ?? ""],
    ]}
  />`;
}

function Triggers({ routes, schedules }) {
  const rows = [
    ...routes.map((one) => ["Route", one.pattern]),
    ...schedules.map((one) => ["Cron", one.cron]),
  ];
  return html`<${Table}
    label="Routes and schedules"
    rows=${rows}
    empty="No route, no schedule: it is reached by its name."
    columns=${[["Kind", ([kind]) => kind], ["Pattern", ([, text]) => html`<code>${text}</code>`, "grow"]]}
  />`;
}

function One({ name }) {
  const [view, show] = useState("versions");
  const now = useLoad(() => all(name), `worker ${name}`);
  return html`<${Title} text=${name} sub=${html`<a href="#/workers">Workers</a>`}>
      <a class="button" href=${`#/logs/${seg(name)}`}>Logs</a>
    <//>
    <${Loaded} of=${now}>${(it) => {
      const shares = new Map((it.deployments[0]?.versions ?? []).map((one) => [one.version_id, one.percentage]));
      const secrets = it.settings.bindings.filter((one) => one.type.startsWith("secret"));
      const bindings = it.settings.bindings.filter((one) => !one.type.startsWith("secret"));
      const tab = html`<${Switch} label="What to show" value=${view} onChange=${show}
        options=${[["versions", "Versions"], ["deployments", "Deployments"]]} />`;
      return html`
        <${Panel} flush title=${view === "versions" ? "Versions" : "Deployments"} side=${tab}>
          ${view === "versions"
            ? html`<${Versions} name=${name} versions=${it.versions} shares=${shares} again=${now.again} />`
            : html`<${Deployments} rows=${it.deployments} versions=${it.versions} />`}
        <//>
        <${Split} name=${name} versions=${it.versions} shares=${shares} again=${now.again} />
        <div class="columns">
          <div>
            <${Panel} title="Bindings" flush><${Bindings} rows=${bindings} /><//>
            <${Panel} title="Secrets" flush><${Bindings} rows=${secrets} /><//>
          </div>
          <div>
            <${Panel} title="Routes and schedules" flush><${Triggers} routes=${it.routes} schedules=${it.schedules} /><//>
            <${Settings} name=${name} settings=${it.settings} subdomain=${it.subdomain} again=${now.again} />
          </div>
        </div>`;
    }}<//>`;
}

export default function Workers({ parts: [name] }) {
  return name ? html`<${One} key=${name} name=${name} />` : html`<${List} />`;
}
