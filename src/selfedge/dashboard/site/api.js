// The node's own API. The session's cookie is out of reach of scripts; its second half,
// which proves that a page of this origin asks, lies in localStorage.

const BASE = "/client/v4";
const CSRF = "selfedge-csrf";

export const session = { account: "", accounts: [], who: null, serves: false };

export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The path of something below the account that is looked at. */
export const at = (path) => `/accounts/${session.account}${path}`;

/** A name as one segment of a path. */
export const seg = encodeURIComponent;

export async function send(method, path, { json, body, headers, signal } = {}) {
  const sent = { "X-Selfedge-CSRF": localStorage.getItem(CSRF) ?? "", ...headers };
  if (json !== undefined) {
    sent["Content-Type"] = "application/json";
    body = JSON.stringify(json);
  }
  let response;
  try {
    response = await fetch(BASE + path, { method, body, headers: sent, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, 0, "The node does not answer. Is it running?");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => null);
  const first = told?.errors?.[0];
  const message = first?.message ?? `The node answers ${response.status}.`;
  if (response.status === 401 && !path.startsWith("/node/session")) {
    dispatchEvent(new Event("signed-out"));
  }
  throw new Refused(response.status, first?.code ?? 0, message);
}

export async function call(method, path, options) {
  return (await send(method, path, options)).json();
}

export async function get(path) {
  return (await call("GET", path)).result;
}

/** What `ask` returns, or `other` where the node has no such route. */
export async function ifThere(ask, other = null) {
  try {
    return await ask();
  } catch (error) {
    if (error.status === 404) return other;
    throw error;
  }
}

export async function signIn(token) {
  const { result } = await call("POST", "/node/session", { json: { token } });
  localStorage.setItem(CSRF, result.csrf);
}

export async function signOut() {
  await call("DELETE", "/node/session").catch(() => null);
  localStorage.removeItem(CSRF);
}

/** Whether this browser has signed in, perhaps too long ago. */
export const mayBeIn = () => localStorage.getItem(CSRF) !== null;

/** Learn who is signed in, and what the node has. */
export async function enter() {
  session.who = await get("/node/session");
  const [accounts, status] = await Promise.all([
    get("/accounts?per_page=1000"),
    ifThere(() => get("/node/status")),
  ]);
  session.accounts = accounts;
  session.serves = status !== null;
  session.version = status?.version;
  const kept = localStorage.getItem("selfedge-account");
  const known = accounts.some((one) => one.id === kept);
  session.account = known ? kept : accounts[0]?.id ?? "";
}

export function chooseAccount(id) {
  session.account = id;
  localStorage.setItem("selfedge-account", id);
}

/** The events of a `text/event-stream`, each parsed from JSON. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "";
      if (data && data !== "[DONE]") yield JSON.parse(data);
    }
  }
}
