// Runs before anything is painted, in a file of its own: the opening that index.html holds has to look as this visitor
// chose, and must not say at another address what the first page says.
import { chosenTheme } from './app/theme';
import { parseRoute } from './shared/route';

const theme = chosenTheme();
if (theme !== undefined) {
  document.documentElement.dataset['theme'] = theme;
}
if (parseRoute(location.pathname).page !== 'create') {
  document.documentElement.dataset['elsewhere'] = '';
}
