import { render } from 'preact-render-to-string';

import { RouterProvider } from '../shared/router';
import { Intro } from './Intro';
import { Masthead } from './Masthead';
import { SkipLink } from './SkipLink';

/**
 * What the build writes into index.html, so that there is something to read before any script has arrived.
 *
 * It is made of the page's own parts, and the page takes its elements over where they are. Nothing in it needs a
 * script: what does, such as the prompt, is left out rather than shown without effect, and the one button sends a form
 * that has no fields, which loads the address again. It has to fit every address,
 * because the host answers each with the same file: so no link says that it is the present page, and `early.ts`
 * hides the first page's words where they do not belong.
 */
export function openingMarkup(): string {
  return render(
    <RouterProvider at="/any-address">
      <SkipLink />
      <Masthead />
      <div role="status" />
      <main id="main" class="page" tabIndex={-1}>
        <Intro />
        <div class="boot">
          <p class="boot__wait">Pixel Prompt is loading.</p>
          <form class="boot__wait boot__late">
            <p>This takes long.</p>
            <button class="button">Load the page again</button>
          </form>
          <noscript>
            <p>Pixel Prompt needs JavaScript to make and show images. Allow it for this page, then reload.</p>
          </noscript>
        </div>
      </main>
    </RouterProvider>,
  );
}
