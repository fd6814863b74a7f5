// The way out for a Worker's global fetch: mapped origins first, then the public
// internet. What cannot be reached throws an Error that names host, rule and remedy.
export default {
  async fetch(request, env) {
    const { routes, ownHosts } = env.config;
    const target = new URL(request.url);
    if (env.front !== undefined && isServed(target.hostname, env.config.served)) {
      return env.front.fetch(request); // the node's own host: no detour by the network
    }
    const route = routes[target.host] ?? routes[target.hostname];
    if (route !== undefined) return toOrigin(request, target, route, env);
    if (ownHosts.includes(target.host)) throw new Error(ownHost(target));
    try {
      return await env.internet.fetch(request);
    } catch (error) {
      throw new Error(unreachable(target, error, env), { cause: error });
    }
  },
};

async function toOrigin(request, target, route, env) {
  const url = route.url + target.pathname + target.search;
  const forwarded = new Request(url, request);
  forwarded.headers.set("x-forwarded-host", target.host);
  try {
    return await env[route.service].fetch(forwarded);
  } catch (error) {
    const why = `fetch to ${target.host} failed: its origin ${route.url} cannot be reached`;
    throw new Error(`${why}. Is it running?`, { cause: error });
  }
}

function ownHost(target) {
  return (
    `fetch to ${target.host} failed: that is this Worker's own host, and no origin ` +
    "stands behind it. Start selfedge dev with --upstream http://HOST:PORT to name one."
  );
}

function isServed(hostname, domains) {
  return domains.some((domain) => hostname === domain || hostname.endsWith(`.${domain}`));
}

function unreachable(target, error, env) {
  const reason = isPrivate(target.hostname)
    ? "a Worker reaches public addresses only, and this one is private"
    : "it cannot be reached, or its address is not public";
  const detail = /^internal error|Network connection lost/.test(error?.message ?? "")
    ? ""
    : ` (${error.message})`;
  const failed = `fetch to ${target.host} failed: ${reason}${detail}.`;
  if (env.front !== undefined) return failed;
  return (
    `${failed} To send it to a server of yours, start selfedge dev ` +
    `with --origin ${target.host}=http://HOST:PORT.`
  );
}

function isPrivate(hostname) {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    /^(127|10|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|0)\./.test(hostname) ||
    /^\[(::1?|f[cd][0-9a-f]{2}:.*|fe[89ab][0-9a-f]:.*)\]$/.test(hostname)
  );
}
