import './styles/tokens.css';
import './styles/base.css';
import './styles/page.css';

import { start } from './app/start';

const root = document.getElementById('app');
if (root === null) {
  throw new Error('index.html has no element with the id "app"');
}
// One by one: reading `import.meta.env` whole would put every VITE_ variable of the build machine into the bundle.
start(root, {
  VITE_API_ENDPOINT: import.meta.env.VITE_API_ENDPOINT,
  VITE_CLOUDFRONT_DOMAIN: import.meta.env.VITE_CLOUDFRONT_DOMAIN,
  VITE_ENVIRONMENT: import.meta.env.VITE_ENVIRONMENT,
});
