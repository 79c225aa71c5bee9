import './styles/tokens.css';
import './styles/base.css';
import './styles/page.css';

import { start } from './app/start';

const root = document.getElementById('app');
if (root === null) {
  throw new Error('index.html has no element with the id "app"');
}
// Behind the first paint, so that what index.html says is read first. A tab that nobody looks at paints nothing.
if (document.hidden) {
  begin(root);
} else {
  requestAnimationFrame(() => setTimeout(begin, 0, root));
}

function begin(place: Element): void {
  // One by one: reading `import.meta.env` whole would put every VITE_ variable of the build machine into the bundle.
  start(place, {
    VITE_API_ENDPOINT: import.meta.env.VITE_API_ENDPOINT,
    VITE_CLOUDFRONT_DOMAIN: import.meta.env.VITE_CLOUDFRONT_DOMAIN,
    VITE_ENVIRONMENT: import.meta.env.VITE_ENVIRONMENT,
  });
}
