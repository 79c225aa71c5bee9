import { type Decoder, text } from '../api/decode';
import { MalformedAnswer } from '../api/errors';
import { isLoopback } from '../config/env';

/**
 * Accepts an image's address only when it lies on the deployment's own distribution.
 *
 * The page's security policy would block any other without a word; this way the reason is shown.
 */
export function imageUrlOn(host: string): Decoder<string> {
  return (value, path) => {
    const url = URL.parse(text(value, path));
    const secure = url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)));
    if (!secure || url.host !== host) {
      throw new MalformedAnswer(path, `an address on ${host}`, value);
    }
    return url.href;
  };
}
