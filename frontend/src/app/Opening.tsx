import { render } from 'preact-render-to-string';

import { RouterProvider } from '../shared/router';
import { Intro } from './Intro';
import { Masthead } from './Masthead';
import { SkipLink } from './SkipLink';

/**
 * What the build writes into index.html, so that there is something to read before any script has arrived.
 *
 * It is made of the page's own parts, and the page takes its elements over where they are. Nothing in it needs a
 * script: what does, such as the form, is left out rather than shown without effect. It has to fit every address,
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
          <p class="boot__wait boot__late">
            {/* eslint-disable-next-line jsx-a11y-x/anchor-is-valid -- an empty address is the one that was opened */}
            This takes long. <a href="">Load the page again</a>
          </p>
          <noscript>
            <p>Pixel Prompt needs JavaScript to make and show images. Allow it for this page, then reload.</p>
          </noscript>
        </div>
      </main>
    </RouterProvider>,
  );
}
