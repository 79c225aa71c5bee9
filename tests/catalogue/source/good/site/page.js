async function api(path) {
  return fetch(`/api${path}`);
}

export const all = () => fetch("/api/notes?new=1");
export const one = (id) => api(`/notes/${id}`);
export const words = () => fetch("/words.json");
