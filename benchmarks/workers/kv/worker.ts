const VALUE = JSON.stringify({ name: "Ada", visits: 42, tags: ["a", "b", "c"] });
const KEYS = 1000;

export default {
  async fetch(request: Request, env: { KV: any }): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/get") {
      return answer(await env.KV.get("hot"));
    }
    const key = pathname === "/seed" ? "hot" : `key-${Math.floor(Math.random() * KEYS)}`;
    await env.KV.put(key, VALUE);
    return answer(await env.KV.get(key));
  },
};

function answer(value: string | null): Response {
  return new Response(value, { status: value === VALUE ? 200 : 500 });
}
