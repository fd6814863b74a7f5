// Cases of what a producer and a consumer of a queue see. /<case> sends, waits until
// the consumer has seen all, and answers with what it saw; / lists the cases.
const seen = new Map(); // case → [{ body, attempts }] in the order of deliveries

const cases = {
  async types(env) {
    await env.Q.sendBatch([
      job("types", { json: [1, "ü", null] }),
      { body: "types", contentType: "text" },
      { body: new TextEncoder().encode("types"), contentType: "bytes" },
      { body: new Map([["name", "types"]]), contentType: "v8" },
    ]);
    return until("types", 4);
  },
  async retry_one_of_two(env) {
    const name = "retry_one_of_two";
    await env.Q.sendBatch([job(name, { once: "retry" }), job(name, { n: 2 })]);
    return until(name, 3);
  },
  async throwing_retries_the_whole_batch(env) {
    const name = "throwing_retries_the_whole_batch";
    await env.Q.sendBatch([job(name, { once: "throw" }), job(name, { n: 2 })]);
    return until(name, 4);
  },
  async an_acked_message_of_a_throwing_batch(env) {
    const name = "an_acked_message_of_a_throwing_batch";
    await env.Q.sendBatch([job(name, { once: "ack" }), job(name, { once: "throw" })]);
    return until(name, 3);
  },
  async retry_all(env) {
    const name = "retry_all";
    await env.Q.sendBatch([job(name, { once: "retryAll" }), job(name, { n: 2 })]);
    return until(name, 4);
  },
  async ack_all_and_throw(env) {
    const name = "ack_all_and_throw";
    await env.Q.sendBatch([job(name, { once: "ackAllThrow" }), job(name, { n: 2 })]);
    return until(name, 2);
  },
  async dead_letters_keep_their_body(env) {
    const name = "dead_letters_keep_their_body";
    await env.Q.send(job(name, { always: "retry" }).body);
    return until(name, 4);
  },
  async too_large(env) {
    return failing(() => env.Q.send("x".repeat(129_000), { contentType: "text" }));
  },
  async too_many(env) {
    return failing(() => env.Q.sendBatch(Array.from({ length: 101 }, () => ({ body: 1 }))));
  },
  async too_late(env) {
    return failing(() => env.Q.send(1, { delaySeconds: 90_000 }));
  },
  async a_format_that_is_none(env) {
    return failing(() => env.Q.send(1, { contentType: "xml" }));
  },
  async nothing_to_send(env) {
    return failing(() => env.Q.sendBatch([]));
  },
};

const job = (name, more) => ({ body: { name, ...more } });

async function until(name, count) {
  const deadline = Date.now() + 9000;
  while ((seen.get(name)?.length ?? 0) < count && Date.now() < deadline) await wait(20);
  await wait(300); // what comes more than once
  return seen.get(name) ?? [];
}

async function failing(send) {
  try {
    await send();
    return "sent";
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export default {
  async fetch(request, env) {
    const name = new URL(request.url).pathname.slice(1);
    if (name === "") return Response.json(Object.keys(cases));
    return Response.json(await cases[name](env));
  },

  async queue(batch) {
    let failed = false;
    for (const message of batch.messages) {
      const { name, shown } = read(message.body);
      if (!seen.has(name)) seen.set(name, []);
      const entry = { body: shown, attempts: message.attempts };
      if (batch.queue === "dead") entry.queue = "dead";
      seen.get(name).push(entry);
      const does = message.attempts === 1 ? message.body?.once : undefined;
      const always = batch.queue === "jobs" ? message.body?.always : undefined;
      if (does === "retry" || always === "retry") message.retry();
      if (does === "ack") message.ack();
      if (does === "retryAll") batch.retryAll();
      if (does === "ackAllThrow") batch.ackAll();
      if (does === "throw" || does === "ackAllThrow") failed = true;
    }
    if (failed) throw new Error("as it was told");
  },
};

function read(body) {
  if (body instanceof Map) return { name: body.get("name"), shown: "a Map" };
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    const name = new TextDecoder().decode(body);
    return { name, shown: Object.prototype.toString.call(body) };
  }
  if (typeof body === "string") return { name: body, shown: body };
  const { name, ...shown } = body;
  return { name, shown };
}
