export default {
  async fetch(request, env) {
    if (request.method === "GET") return new Response("ready");
    const { model, inputs } = await request.json();
    const answer = await env.AI.run(model, inputs);
    return answer instanceof ReadableStream ? new Response(answer) : Response.json(answer);
  },
};
