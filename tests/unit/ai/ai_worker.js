// Calls env.AI as the JSON body of the request says, and tells what came back.
export default {
  async fetch(request, env) {
    const { model, inputs, mode, abortMs } = await request.json();
    try {
      if (mode === "models") return Response.json(await env.AI.models(inputs));
      const signal = abortMs ? AbortSignal.timeout(abortMs) : undefined;
      const result = await env.AI.run(model, inputs, {
        signal,
        returnRawResponse: mode === "raw",
      });
      if (mode === "raw") {
        const served = result.headers.get("cf-ai-model-served");
        return Response.json({ status: result.status, served });
      }
      if (result instanceof ReadableStream) {
        const headers = { "content-type": "text/event-stream" };
        return new Response(result, { headers });
      }
      return Response.json({ result, requestId: env.AI.lastRequestId });
    } catch (error) {
      const { name, message } = error;
      const code = env.AI.lastRequestInternalStatusCode;
      return Response.json({ name, message, code }, { status: 500 });
    }
  },
};
