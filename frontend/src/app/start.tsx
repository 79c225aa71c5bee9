import { render } from 'preact';

import { createClient } from '../api/client';
import { createReporter, reportUncaught } from '../api/report';
import { readEnvironment, type Settings } from '../config/env';
import { App } from './App';
import { ConfigurationProblem } from './ConfigurationProblem';
import { restoreTheme } from './theme';

/**
 * Puts the page, or the reason why there is none, into `root`; what stands there is taken over where it fits, so that
 * nothing moves and the focus stays. Returns how to take it away again.
 */
export function start(root: Element, settings: Settings): () => void {
  restoreTheme();
  const result = readEnvironment(settings);
  if (!result.ok) {
    root.replaceChildren();
    render(<ConfigurationProblem problems={result.problems} />, root);
    return () => {
      render(null, root);
    };
  }
  const client = createClient(result.environment.apiEndpoint);
  const report = createReporter(client);
  const stopReporting = reportUncaught(report);
  render(<App services={{ client, report, environment: result.environment }} />, root);
  return () => {
    stopReporting();
    render(null, root);
  };
}
