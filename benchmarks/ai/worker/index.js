export default {
  async fetch(request, env) {
    if (request.method === "GET") return new Response("ready");
    const { model, inputs, calls = 1 } = await request.json();
    let answer;
    for (let call = 0; call < calls; call++) answer = await env.AI.run(model, inputs);
    if (answer instanceof ReadableStream) return new Response(answer);
    return Response.json({ shape: answer.shape });
  },
};
