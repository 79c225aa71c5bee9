import { PageHeading } from '../shared/router';

/** What the first page says of itself; the largest thing on it until there are images. */
export function Intro() {
  return (
    <div class="intro">
      <PageHeading>Say it once. See it many ways.</PageHeading>
      <p class="intro__text">One prompt goes to every image model at the same time. Compare what each makes of it.</p>
    </div>
  );
}
