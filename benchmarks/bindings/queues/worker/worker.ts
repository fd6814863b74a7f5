// Counts what was accepted and what comes back: all that was accepted must come.
interface Env {
  Q: Queue<Job>;
}
interface Job {
  id: number;
  text: string;
}

let made = 0;
let sent = 0; // accepted
let seen = 0;
let wrong = 0;
const text = "x".repeat(100);

const job = (): Job => ({ id: (made += 1), text });

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/one") {
      await env.Q.send(job());
      sent += 1;
    }
    if (pathname === "/many") {
      await env.Q.sendBatch(Array.from({ length: 100 }, () => ({ body: job() })));
      sent += 100;
    }
    if (pathname === "/counts") return Response.json({ sent, seen, wrong });
    return new Response("ok");
  },

  async queue(batch: MessageBatch<Job>): Promise<void> {
    for (const { body } of batch.messages) {
      seen += 1;
      if (body.text !== text) wrong += 1;
    }
  },
};
