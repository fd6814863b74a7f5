// Does what the test asks of its cache, and says what came of it.
async function content(value) {
  if (typeof value === "string" || value === undefined || value === null) return value;
  if (value.chunks) {  // a stream of unknown length
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    (async () => {
      for (let i = 0; i < value.chunks; i++) {
        await writer.write(new Uint8Array(value.size).fill(i % 251));
      }
      if (value.fail) await writer.abort(new Error("cut")); else await writer.close();
    })().catch(() => {});
    return readable;
  }
  return new Uint8Array(value.size).fill(7);
}

async function told(response) {
  if (response === undefined) return null;
  const body = new Uint8Array(await response.arrayBuffer());
  const hash = await crypto.subtle.digest("SHA-256", body);
  const hex = [...new Uint8Array(hash)].map((b) => b.toString(16).padStart(2, "0"));
  return {
    status: response.status, headers: Object.fromEntries(response.headers),
    size: body.length, sha256: hex.join(""),
    text: body.length < 1000 ? new TextDecoder().decode(body) : null,
  };
}

const operations = {
  async put(cache, request, step) {
    const options = { status: step.status ?? 200, headers: step.headers ?? {} };
    if (step.raw) options.encodeBody = "manual";
    const body = step.gzip
      ? new Blob([step.body]).stream().pipeThrough(new CompressionStream("gzip"))
      : await content(step.body);
    await cache.put(request, new Response(body, options));
    return "put";
  },
  async match(cache, request, step) {
    return told(await cache.match(request, step.options));
  },
  async delete(cache, request) {
    return cache.delete(request);
  },
};

export default {
  async fetch(incoming) {
    const results = [];
    for (const step of await incoming.json()) {
      const cache = step.cache === undefined
        ? caches.default : await caches.open(step.cache);
      const request = new Request(step.url ?? "https://example.com/", {
        headers: step.request ?? {}, method: step.method ?? "GET", cf: step.cf,
      });
      try {
        results.push(await operations[step.op](cache, request, step));
      } catch (error) {
        results.push({ error: `${error.name}: ${error.message}` });
      }
    }
    return Response.json(results);
  },
};
