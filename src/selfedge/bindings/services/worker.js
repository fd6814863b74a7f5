// Stands in for a Worker that a service binding names but that does not run here.
export default {
  fetch(request, env) {
    throw new Error(env.message);
  },
};
