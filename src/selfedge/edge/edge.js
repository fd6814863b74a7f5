// The edge of a Worker. It runs in the Worker's own isolate, before the user's
// handler: sets request.cf and the CF-* headers, counts what is under way so that
// the supervisor knows when the process may stop, and answers uncaught exceptions.
// It is evaluated before the user's modules and takes its bindings out of `env`.
import { env, WorkerEntrypoint } from "cloudflare:workers";
import { readFirst, takeIn } from "./selfedge-body.js";
import { handlers } from "./selfedge-handlers.js";

const { debug } = console;
const FAILURE = Symbol("failure"); // of a page that explains an exception
const PLACES_MAX = 1000;
const GATE_TICK_MS = 5;
const LOCAL_PEER = "127.0.0.1:0"; // over a unix socket
const WALL_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000];
const LOOPBACK = /^(127\.|::1$)/;
const config = take("config"); // { colo, loopback, place: { ip?, country? } }
const service = take("service"); // our Python side: places, exceptions
const next = take("next"); // the process that takes over from this one
const assets = take("assets"); // static files; undefined: the Worker has none

const places = new Map(); // what a client is known by → its request.cf
let usual = { init: undefined, peer: "nobody" }; // the client of the latest request
let requests = 0; // being handled
let total = 0; // handled since the start, calls of other processes included
let background = 0; // waitUntil promises that are pending
let webSockets = 0; // accepted since the start; their end cannot be seen
let forwarding = false; // a newer process runs: pass requests on to it
let held = false; // the process is about to be stopped: requests wait at the gate
let waiting = 0; // at the gate
let counted = false; // ExecutionContext.prototype.waitUntil counts
let rays = 0;
// For metrics, since the start; a request is counted when its answer begins.
const counts = {
  statuses: [0, 0, 0, 0, 0, 0], // by the first digit
  exceptions: 0, // that no handler caught
  events: 0,
  eventFailures: 0,
  walls: [...WALL_MS, Infinity].map(() => 0),
  wallMs: 0,
};
let rayPrefix;

/** The entrypoint that the client socket names: `fetch` for `handler`. */
export function entrypoint(handler) {
  const worker = typeof handler === "function" ? instantiating(handler) : handler;
  return {
    async fetch(request, env, ctx) {
      if (!counted) countBackground(ctx);
      if (held) await gate();
      if (forwarding) return next.fetch(request);
      requests += 1;
      total += 1;
      try {
        if (config.loopback && request.url.includes("/cdn-cgi/")) {
          const answer = await trigger(worker, request, env, ctx);
          if (answer !== undefined) return answer;
        }
        const started = Date.now();
        let client = usual;
        let inner = new Request(request, client.init);
        if (!isFrom(client, request, inner.headers)) {
          client = await identify(request, inner.headers);
          inner = new Request(inner, client.init);
          usual = client;
        }
        const ray = nextRay();
        adorn(inner.headers, client, ray);
        const response =
          assets === undefined
            ? await answered(worker, inner, env, ctx, request)
            : await routed(inner, request);
        if (response.webSocket) webSockets += 1;
        if (inner.body !== null) await takeIn(inner, response);
        count(response.status, Date.now() - started);
        if (config.tailed && assets === undefined) tell(inner, response, ray, started);
        return withRay(response, ray);
      } finally {
        requests -= 1;
      }
    },
    queue: event(worker, "queue"),
    scheduled: event(worker, "scheduled"),
  };
}

/** An event that our dispatcher sends: under way, like a request, until it ends. */
function event(worker, name) {
  return async (given, env, ctx) => {
    if (!counted) countBackground(ctx);
    if (held) await gate();
    requests += 1;
    total += 1;
    counts.events += 1;
    try {
      if (typeof worker?.[name] !== "function") {
        console.error(`This Worker has no ${name} handler: an event is lost on it.`);
        throw new TypeError("no handler");
      }
      return await worker[name](given, env, ctx);
    } catch (error) {
      counts.eventFailures += 1;
      throw error;
    } finally {
      requests -= 1;
    }
  };
}

/** The entrypoint for what no static file answers: `fetch` for `handler`. */
export function inner(handler) {
  const worker = typeof handler === "function" ? instantiating(handler) : handler;
  return {
    async fetch(request, env, ctx) {
      const started = Date.now();
      const response = await answered(worker, request, env, ctx, request);
      if (config.tailed) tell(request, response, request.headers.get("cf-ray"), started);
      return response;
    },
  };
}

/** An entrypoint as other processes call it: its calls count as under way. */
export function entrance(value) {
  if (!(value?.prototype instanceof WorkerEntrypoint)) return value;
  class Entrance extends value {}
  for (const name of methods(value.prototype)) {
    Entrance.prototype[name] = async function counted(...given) {
      background += 1;
      total += 1;
      try {
        return await value.prototype[name].apply(this, given);
      } finally {
        background -= 1;
      }
    };
  }
  return Entrance;
}

/** What the supervisor asks of this isolate, whose Worker exports `user`. */
export const control = (user) => ({
  async fetch(request, env, ctx) {
    if (!counted) countBackground(ctx);
    const { pathname } = new URL(request.url);
    if (pathname === "/counts") return Response.json(counts);
    if (pathname === "/handlers") return Response.json(handlers(user));
    if (pathname === "/forward") forwarding = true;
    if (pathname === "/hold") await hold(request);
    return Response.json({ requests, total, background, webSockets, held, waiting });
  },
});

/** Whether the request is from `client` again, as most are: it costs least. */
function isFrom(client, request, headers) {
  return (
    (request.cf?.clientIp ?? LOCAL_PEER).startsWith(client.peer) &&
    headers.get("accept-encoding") === client.encoding &&
    (!config.loopback ||
      (headers.get("selfedge-client-ip") === client.chosenIp &&
        headers.get("selfedge-country") === client.chosenCountry))
  );
}

/** Who asks, as far as the connection and, on a loopback listener, the request say. */
async function identify(request, headers) {
  const socket = request.cf?.clientIp ?? LOCAL_PEER; // "address:port"
  const peer = socket.slice(0, socket.lastIndexOf(":") + 1);
  const encoding = headers.get("accept-encoding");
  const chosenIp = headers.get("selfedge-client-ip");
  const chosenCountry = headers.get("selfedge-country");
  let ip = null;
  let country = null;
  if (config.loopback) {
    ip = chosenIp ?? config.place.ip ?? null;
    country = chosenCountry ?? config.place.country ?? null;
  }
  ip ??= peer.replace(/^\[|\]?:$/g, "");
  const cf = await place(ip, country, encoding);
  const pretends = chosenIp !== null || chosenCountry !== null;
  return { init: { cf }, peer, ip, encoding, chosenIp, chosenCountry, pretends };
}

/** Set what the user's handler sees of the client. */
function adorn(headers, client, ray) {
  headers.set("cf-connecting-ip", client.ip);
  headers.set("cf-ipcountry", client.init.cf.country ?? "XX");
  headers.set("cf-ray", ray);
  headers.set("x-real-ip", client.ip);
  headers.append("x-forwarded-for", client.ip);
  if (client.pretends) {
    headers.delete("selfedge-client-ip");
    headers.delete("selfedge-country");
  }
}

/** Have a static file answer, or the Worker, as the engine's router decides. */
async function routed(inner, request) {
  try {
    const response = await assets.fetch(await readFirst(inner));
    return new Response(response.body, response); // its headers can be set
  } catch (error) {
    return explain(error, request);
  }
}

async function answered(worker, inner, env, ctx, request) {
  try {
    if (typeof worker?.fetch !== "function") throw new TypeError(NO_FETCH);
    const response = await worker.fetch(inner, env, ctx);
    if (response instanceof Response) return response;
    throw new TypeError(NO_RESPONSE);
  } catch (error) {
    return explain(error, request, inner.headers.get("cf-ray"));
  }
}

function count(status, took) {
  let bucket = 0;
  while (took > WALL_MS[bucket]) bucket += 1;
  counts.walls[bucket] += 1;
  counts.wallMs += took;
  counts.statuses[(status / 100) | 0] += 1;
}

/** Tell the tail what the engine does not know; the entry is not the user's log. */
function tell(request, response, ray, started) {
  const error = response[FAILURE];
  const { status } = response;
  const told = {
    ray,
    wallTime: Date.now() - started,
    headers: Object.fromEntries(request.headers),
    cf: request.cf,
    response: { status },
  };
  if (error !== undefined) {
    const { name, message, stack } = error ?? {};
    const timestamp = Date.now();
    told.outcome = "exception";
    told.exceptions = [{ name, message: message ?? String(error), stack, timestamp }];
  }
  debug.call(console, "selfedge:request", told);
}

const NO_FETCH =
  "This Worker has no fetch handler: export default { fetch(request, env, ctx) { … } }";
const NO_RESPONSE = "The fetch handler did not return a Response.";

/** Names of the methods of a class, its ancestors' included, below WorkerEntrypoint. */
function methods(prototype) {
  const names = new Set();
  while (prototype !== null && prototype !== WorkerEntrypoint.prototype) {
    for (const [name, { value }] of Object.entries(
      Object.getOwnPropertyDescriptors(prototype),
    )) {
      if (typeof value === "function" && name !== "constructor") names.add(name);
    }
    prototype = Object.getPrototypeOf(prototype);
  }
  return names;
}

function take(name) {
  const key = `selfedge:${name}`;
  const value = env[key];
  delete env[key];
  return value;
}

function instantiating(Entrypoint) {
  return {
    fetch: (request, env, ctx) => new Entrypoint(ctx, env).fetch(request),
    scheduled: (event, env, ctx) => new Entrypoint(ctx, env).scheduled(event),
    queue: (batch, env, ctx) => new Entrypoint(ctx, env).queue(batch),
  };
}

/** Count pending waitUntil promises, of every handler of this isolate. */
function countBackground(ctx) {
  counted = true;
  const prototype = Object.getPrototypeOf(ctx);
  const native = prototype.waitUntil;
  const done = () => {
    background -= 1;
  };
  prototype.waitUntil = function waitUntil(promise) {
    background += 1;
    native.call(this, promise);
    Promise.resolve(promise).then(done, done);
  };
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

async function place(ip, country, encoding) {
  const key = `${ip}\n${country}\n${encoding}`;
  const known = places.get(key);
  if (known !== undefined) return known;
  const found = {
    ...(await lookUp(ip, country)),
    colo: config.colo,
    httpProtocol: "HTTP/1.1",
  };
  if (encoding !== null) found.clientAcceptEncoding = encoding;
  if (places.size >= PLACES_MAX) places.clear();
  places.set(key, found);
  return found;
}

async function lookUp(ip, country) {
  if (country === null && LOOPBACK.test(ip)) return {}; // it is in no country
  const query = new URLSearchParams({ ip });
  if (country !== null) query.set("country", country);
  const answer = await service.fetch(`http://edge/place?${query}`);
  return answer.json();
}

function nextRay() {
  rayPrefix ??= crypto.randomUUID().slice(0, 8);
  rays = (rays + 1) >>> 0;
  return `${rayPrefix}${rays.toString(16).padStart(8, "0")}-${config.colo}`;
}

function withRay(response, ray) {
  try {
    response.headers.set("cf-ray", ray);
    return response;
  } catch {
    const copy = new Response(response.body, response); // headers were immutable
    copy.headers.set("cf-ray", ray);
    return copy;
  }
}

/** Report an uncaught exception; the answer is the page that explains it. */
async function explain(error, request, ray) {
  counts.exceptions += 1;
  const report = {
    name: String(error?.name ?? "Error"),
    message: String(error?.message ?? error),
    stack: String(error?.stack ?? error),
    method: request.method,
    url: request.url,
    accept: request.headers.get("accept") ?? "",
    ray: ray ?? "",
  };
  const page = await service.fetch("http://edge/exception", {
    method: "POST",
    body: JSON.stringify(report),
  });
  const answer = new Response(page.body, page);
  answer[FAILURE] = error;
  return answer;
}

/** `/cdn-cgi/handler/scheduled?cron=…` fires the Worker's scheduled(). */
async function trigger(worker, request, env, ctx) {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname !== "/cdn-cgi/handler/scheduled") return undefined;
  if (typeof worker?.scheduled !== "function") {
    return new Response("This Worker has no scheduled() handler.\n", { status: 404 });
  }
  const time = Number(searchParams.get("time")) || Date.now();
  const event = {
    type: "scheduled",
    cron: searchParams.get("cron") ?? "",
    scheduledTime: time,
    noRetry() {},
  };
  try {
    await worker.scheduled(event, env, ctx);
  } catch (error) {
    return explain(error, request);
  }
  return new Response("ok\n");
}
