import { at, get, seg } from "/api.js";
import { html, Loaded, Panel, Table, Title, useLoad, When } from "/ui.js";

const EVERY_MS = 30_000;

export default function Cron() {
  const now = useLoad(() => get(at("/workers/schedules/upcoming")), "cron", EVERY_MS);
  const later = (one) => one.next.slice(1).map((time) => new Date(time).toLocaleString([], { dateStyle: "short", timeStyle: "short" })).join(" · ");
  return html`<${Title} text="Cron" sub="times are UTC in expressions, yours in the list" />
    <${Panel} flush><${Loaded} of=${now}>${(rows) => html`<${Table}
      label="Schedules"
      rows=${rows}
      empty="No Worker has a schedule."
      columns=${[
        ["Expression", (one) => html`<code>${one.cron}</code>`],
        ["Worker", (one) => html`<a href=${`#/workers/${seg(one.script)}`}>${one.script}</a>`],
        ["Next", (one) => (one.next.length ? html`<${When} at=${one.next[0]} />` : "never")],
        ["Then", later, "grow"],
      ]}
    />`}<//><//>`;
}
