async function api(path) {
  return fetch(`/api${path}`);
}

export const all = () => fetch("/api/note?new=1");
export const one = (id) => api(`/shelf/${id}`);
export const words = () => fetch("/words.json");
