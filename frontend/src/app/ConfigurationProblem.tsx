import { NEXT_STEP, type SettingProblem } from '../config/env';
import '../shared/notice.css';
import { Brand } from './Masthead';

/** Stands in the page's place when it does not know its deployment. */
export function ConfigurationProblem({ problems }: { readonly problems: readonly SettingProblem[] }) {
  return (
    <>
      <header class="masthead">
        <Brand />
      </header>
      <main class="page">
        <section class="notice notice--region" role="alert" aria-labelledby="configuration-title">
          <h1 id="configuration-title" class="notice__title">
            Pixel Prompt is not configured
          </h1>
          <p>This page was put up without the settings of its deployment, so it cannot generate images.</p>
          <dl class="settings">
            {problems.map(({ name, expected, found }) => (
              <div key={name}>
                <dt>
                  <code>{name}</code>
                </dt>
                <dd>
                  Expected {expected}; found <code>{found}</code>.
                </dd>
              </div>
            ))}
          </dl>
          <p>{NEXT_STEP}</p>
        </section>
      </main>
    </>
  );
}
