// The front of a node: leads each request to the Worker whose route it matches. Its
// table comes from the supervisor, at the first request and whenever it changes.
import { env } from "cloudflare:workers";

const URL_MAX = 16 * 1024; // Cloudflare's, in bytes
const HOSTS_MAX = 10_000;
const GATE_TICK_MS = 5;
const INSIDE_MAX = 512; // requests of Workers to the node's own hosts, at one time
const WORKERS_IP = "2a06:98c0:3600::103"; // what Cloudflare calls a Worker that fetches
const { trusting } = env.config; // whether proxies may tell who the client is

let table; // { exact: {host: [rule]}, wild: [[suffix, [rule]]], missing: page }
let loading; // the promise of the first table
let known = new Map(); // host → the rules that may match it, most specific first
let requests = 0; // being handled
let total = 0; // handled since the start
let inside = 0; // of `requests`, those of Workers
let forwarding = false; // a newer front runs: pass requests on to it
let held = false; // the process is about to be stopped: requests wait at the gate
let waiting = 0; // at the gate

/** What clients reach. */
export default {
  async fetch(request) {
    if (held) await gate();
    if (forwarding) return env.next.fetch(request);
    requests += 1;
    total += 1;
    let rule;
    try {
      if (table === undefined) await load();
      const asked = trusting ? await behindProxy(request) : request;
      const { url } = asked; // each look at it costs
      if (url.length > URL_MAX) return page(table.long);
      rule = find(url);
      if (rule?.only !== undefined) return await rule.only.fetch(asked);
      if (rule === undefined) return missing(asked);
      return await toWorker(rule, asked);
    } catch (error) {
      if (rule === undefined) throw error;
      return await failed(rule, error);
    } finally {
      requests -= 1;
    }
  },
};

/** What Workers reach when they fetch a host that the node itself serves. */
export const subrequests = {
  async fetch(request) {
    if (table === undefined) await load();
    if (inside >= INSIDE_MAX) return page(table.loop);
    inside += 1;
    requests += 1;
    try {
      const caller = request.headers.get("selfedge-caller");
      const asked = new Request(request, { cf: { clientIp: `${WORKERS_IP}:0` } });
      asked.headers.delete("selfedge-caller");
      const rule = find(asked.url);
      if (rule === undefined) return missing(asked);
      if (rule.name !== caller) return await toWorker(rule, asked);
      if (rule.origin === undefined) return page(table.loop);
      return await toOrigin(rule, asked);
    } finally {
      requests -= 1;
      inside -= 1;
    }
  },
};

/** What the supervisor tells and asks over a private socket. */
export const control = {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/table") use(await request.json());
    if (pathname === "/forward") forwarding = true;
    if (pathname === "/hold") await hold(request);
    return Response.json({ requests, total, background: 0, webSockets: 0, held, waiting });
  },
};

async function toWorker(rule, request) {
  if (rule.shares === undefined) return toOrigin(rule, request);
  const share = rule.only ? rule.shares[0] : choose(rule, request);
  try {
    return await env[share.slot].fetch(request);
  } catch (error) {
    return failed(rule, error);
  }
}

async function toOrigin(rule, request) {
  try {
    return await env[rule.origin].fetch(request);
  } catch (error) {
    return page({ ...table.origin, detail: String(error?.message ?? error) });
  }
}

/** Which of several versions: as the client says, by its key, or by chance. */
function choose(rule, request) {
  const wanted = override(rule, request.headers.get("cloudflare-workers-version-overrides"));
  if (wanted !== undefined) return wanted;
  const key = request.headers.get("cloudflare-workers-version-key");
  let left = key === null ? Math.random() * 100 : percentile(key);
  for (const share of rule.shares) {
    left -= share.percentage;
    if (left < 0) return share;
  }
  return rule.shares[0];
}

/** `name="version id"`, several separated by commas. */
function override(rule, header) {
  if (header === null) return undefined;
  for (const [, name, id] of header.matchAll(/([\w-]+)\s*=\s*"([^"]*)"/g)) {
    if (name === rule.script) return rule.shares.find((share) => share.version === id);
  }
  return undefined;
}

/** The same number in [0, 100) for the same key (FNV-1a). */
function percentile(key) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  }
  return ((hash >>> 0) % 10_000) / 100;
}

function find(url) {
  const start = url.indexOf("//") + 2;
  const end = url.indexOf("/", start);
  const host = url.slice(start, end);
  let rules = known.get(host);
  if (rules === undefined) rules = learn(host);
  if (rules.length === 1 && rules[0].path === "/" && rules[0].open) return rules[0];
  if (rules.length === 0) return undefined;
  const path = url.slice(end);
  return rules.find((rule) => matches(rule, path));
}

function matches(rule, path) {
  if (rule.open) return path.startsWith(rule.path);
  return path === rule.path; // as at Cloudflare, the query is a part of it
}

function learn(host) {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  const rules = [...(table.exact[name] ?? [])];
  for (const [suffix, more] of table.wild) if (name.endsWith(suffix)) rules.push(...more);
  if (known.size >= HOSTS_MAX) known.clear();
  known.set(host, rules);
  return rules;
}

function use(given) {
  const lists = [...Object.values(given.exact), ...given.wild.map(([, rules]) => rules)];
  for (const rule of lists.flat()) {
    if (rule.shares?.length === 1) rule.only = env[rule.shares[0].slot];
  }
  table = given;
  known = new Map();
}

async function load() {
  loading ??= (async () => {
    const answer = await env.service.fetch("http://front/table");
    const given = await answer.json();
    table ?? use(given);
  })();
  try {
    await loading;
  } finally {
    loading = undefined;
  }
}

/** The process behind a slot is gone; the supervisor knows why. */
async function failed(rule, error) {
  const why = JSON.stringify({ name: rule.name, message: String(error?.message ?? error) });
  const answer = await env.service.fetch("http://front/failed", { method: "POST", body: why });
  return new Response(answer.body, answer);
}

function missing(request) {
  return page({ ...table.missing, detail: new URL(request.url).host });
}

function page({ status, text, detail }) {
  const shown = text.replace("{detail}", () => escaped(detail ?? ""));
  return new Response(shown, {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** The client and the scheme that a trusted proxy tells of. */
async function behindProxy(request) {
  const peer = request.cf?.clientIp ?? "";
  let ip = peer.slice(0, peer.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  const own = request.url.startsWith("https:") ? "https" : "http";
  let scheme = own;
  if (await trusted(ip)) {
    const told = request.headers.get("x-forwarded-proto");
    if (told === "http" || told === "https") scheme = told;
    const chain = (request.headers.get("x-forwarded-for") ?? "").split(",");
    for (let hop = chain.pop()?.trim(); hop; hop = chain.pop()?.trim()) {
      ip = hop;
      if (!(await trusted(hop))) break;
    }
  }
  const url = scheme === own ? request.url : request.url.replace(/^https?:/, `${scheme}:`);
  const asked = new Request(url, new Request(request, { cf: { clientIp: `${ip}:0` } }));
  asked.headers.set("x-forwarded-proto", scheme);
  asked.headers.set("cf-visitor", JSON.stringify({ scheme }));
  return asked;
}

const proxies = new Map(); // address → whether it is a proxy that may tell

async function trusted(ip) {
  let answer = proxies.get(ip);
  if (answer === undefined) {
    const url = `http://front/trusted?${new URLSearchParams({ ip })}`;
    answer = await (await env.service.fetch(url)).json();
    if (proxies.size >= HOSTS_MAX) proxies.clear();
    proxies.set(ip, answer);
  }
  return answer;
}

/** Shut the gate until the request's body ends, which outlives a SIGTERM. */
async function hold(request) {
  held = true;
  try {
    await request.text();
  } finally {
    held = false;
  }
}

async function gate() {
  waiting += 1;
  while (held) await new Promise((tick) => setTimeout(tick, GATE_TICK_MS));
  waiting -= 1;
}
