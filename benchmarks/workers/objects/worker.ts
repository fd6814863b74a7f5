import { DurableObject } from "cloudflare:workers";

export class Counter extends DurableObject {
  async increment(): Promise<number> {
    const count = ((await this.ctx.storage.get<number>("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}

export default {
  async fetch(_: Request, env: { COUNTER: any }): Promise<Response> {
    const count = await env.COUNTER.getByName("one").increment();
    return new Response(String(count));
  },
};
