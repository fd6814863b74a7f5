// Asking Workers AI.
import type { Env } from "./env";

/**
 * Return the Response of a model: unlike the bare answer it has headers.
 *
 * All calls go through here, with the same options. They must not differ, for the
 * engine's client keeps the options of the latest call only: of two calls at the same
 * time, one would get its answer in the form that the other asked for.
 */
export async function run(ai: Env["AI"], model: keyof AiModels, inputs: object): Promise<Response> {
  const answer = await ai.run(model, inputs as never, { returnRawResponse: true });
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}
