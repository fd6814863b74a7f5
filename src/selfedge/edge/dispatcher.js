// Hands events that no client sends to a Worker in the same process: batches of a
// queue, and times of a schedule. Reached over a private socket only.
//
// A request is a frame: the length of a head of JSON (4 bytes, little-endian), the
// head, then the bodies of the messages. The answer begins with an empty line when
// the event begins; the Worker's outcome follows when it has ended.
const text = new TextDecoder();

export default {
  async fetch(request, env, ctx) {
    const frame = await request.arrayBuffer();
    const { readable, writable } = new IdentityTransformStream();
    ctx.waitUntil(answer(frame, env.WORKER, writable.getWriter()));
    return new Response(readable);
  },
};

async function answer(frame, worker, writer) {
  const encoder = new TextEncoder();
  await writer.write(encoder.encode("\n"));
  await new Promise((written) => setTimeout(written, 0));
  let outcome;
  try {
    outcome = await hand(frame, worker);
  } catch (error) {
    outcome = { outcome: "exception", error: String(error) };
  }
  await writer.write(encoder.encode(JSON.stringify(outcome)));
  await writer.close();
}

function hand(frame, worker) {
  const size = new DataView(frame).getUint32(0, true);
  const head = JSON.parse(text.decode(new Uint8Array(frame, 4, size)));
  if (head.cron !== undefined) {
    return worker.scheduled({ cron: head.cron, scheduledTime: new Date(head.time) });
  }
  return worker.queue(head.queue, messages(head, frame, 4 + size), {
    metrics: head.metrics,
  });
}

function messages(head, frame, start) {
  let offset = start;
  return head.messages.map(({ id, timestamp, attempts, type, size }) => {
    const bytes = new Uint8Array(frame, offset, size);
    offset += size;
    const body = type === "v8" ? { serializedBody: bytes } : { body: read(type, bytes) };
    return { id, timestamp: new Date(timestamp), attempts, ...body };
  });
}

function read(type, bytes) {
  if (type === "json") return JSON.parse(text.decode(bytes));
  return type === "text" ? text.decode(bytes) : bytes.slice().buffer;
}
