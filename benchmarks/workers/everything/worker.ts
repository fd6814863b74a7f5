import { DurableObject } from "cloudflare:workers";

export class Counter extends DurableObject {
  async increment(): Promise<number> {
    const count = ((await this.ctx.storage.get<number>("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}

export default {
  async fetch(request: Request, env: any): Promise<Response> {
    await env.KV.put("key", "value");
    await caches.default.put(
      "http://cached.example/",
      new Response("cached", { headers: { "Cache-Control": "max-age=600" } }),
    );
    const values = Array.from({ length: 384 }, (_, index) => index % 7);
    await env.VECTORS.upsert([{ id: "one", values, metadata: { n: 1 } }]);
    return Response.json({
      cache: await (await caches.default.match("http://cached.example/"))?.text(),
      count: await env.COUNTER.getByName("one").increment(),
      country: request.cf?.country,
      value: await env.KV.get("key"),
      vectors: (await env.VECTORS.query(values, { topK: 1 })).count,
    });
  },
};
