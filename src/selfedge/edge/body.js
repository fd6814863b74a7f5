// Bodies that nobody reads: the engine breaks the connection of an answer that comes
// before the request's body was read, and the client would lose the answer.
const READ_FIRST_MAX_BYTES = 65536; // before a static file answers
const TAKEN_IN_MAX_BYTES = 10 * 1024 * 1024; // of a body that the Worker did not read

/** Read a small body now: a static file answers before it has read any. */
export async function readFirst(request) {
  const size = Number(request.headers.get("content-length") ?? 0);
  if (size === 0 || size > READ_FIRST_MAX_BYTES) return request;
  return new Request(request, { body: await request.arrayBuffer() });
}

/**
 * Read what the handler left of the body. Not where the handler may still want it, or
 * where the client waits to be told to send it.
 */
export async function takeIn(request, response) {
  const { body } = request;
  if (request.bodyUsed || body.locked || body === response.body) return;
  if (request.headers.has("expect")) return;
  try {
    const reader = body.getReader();
    let left = TAKEN_IN_MAX_BYTES;
    while (left > 0) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
  } catch {
    // the client went away
  }
}
