import type { EnvironmentName } from '../config/env';

/** The page's head; everything but production says where it is, so that nobody mistakes it. */
export function Masthead({ environment }: { readonly environment?: EnvironmentName }) {
  return (
    <header class="masthead">
      <p class="masthead__name">
        <img src="/favicon.svg" alt="" width={32} height={32} />
        Pixel Prompt
      </p>
      {environment === undefined || environment === 'prod' ? null : (
        <p class="masthead__environment">
          <span class="visually-hidden">Environment: </span>
          {environment}
        </p>
      )}
    </header>
  );
}
