const VALUE = "x".repeat(1024);

export default {
  async fetch(request: Request, { R2 }: { R2: any }): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/get") return answer(await (await R2.get("small")).text());
    if (pathname === "/large") {
      if (request.method !== "PUT") return new Response((await R2.get("large")).body);
      return Response.json((await R2.put("large", request.body)).size);
    }
    const key = pathname === "/seed" ? "small" : `key-${Math.floor(Math.random() * 1000)}`;
    await R2.put(key, VALUE);
    return new Response("stored");
  },
};

function answer(value: string): Response {
  return new Response(value, { status: value === VALUE ? 200 : 500 });
}
