/** A large image over a bad network takes a while; for ever is too long. */
const DEADLINE_MS = 60_000;

/**
 * Saves an image under a name of its own.
 *
 * It lies on another origin, where a link's `download` is ignored, so it is fetched first: anew, because the copy that
 * the browser kept for showing it may lack the headers that allow this. Raises when it cannot be fetched.
 */
export async function download(url: string, filename: string, send: typeof fetch = fetch): Promise<void> {
  const response = await send(url, {
    mode: 'cors',
    credentials: 'omit',
    cache: 'no-store',
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (!response.ok) {
    throw new Error(`The image answered with status ${String(response.status)}.`);
  }
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = filename;
  link.click();
  // The browser has taken the address over by the next turn.
  setTimeout(() => {
    URL.revokeObjectURL(address);
  }, 0);
}

/** A file's name that says what it is: «pixel-prompt-gpt-image-2-0198c0de.png». */
export function imageFilename(url: string, model: string): string {
  const path = new URL(url).pathname;
  const kind = /\.(png|jpe?g|webp)$/i.exec(path)?.[0].toLowerCase() ?? '.png';
  const job = /([0-9a-f]{8})-[0-9a-f]{4}-/.exec(path)?.[1];
  const safe = model.toLowerCase().replace(/[^a-z0-9.]+/g, '-').replace(/^-|-$/g, '');
  return `pixel-prompt-${[safe, job].filter((part) => part !== undefined && part !== '').join('-')}${kind}`;
}
