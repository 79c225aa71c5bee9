import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import type { Client } from '../api/client';
import type { Reporter } from '../api/report';
import type { Environment } from '../config/env';

/** What every feature may use, made once at the start and handed down, so that tests can hand down their own. */
export interface Services {
  readonly client: Client;
  readonly report: Reporter;
  readonly environment: Environment;
}

export const ServicesContext = createContext<Services | undefined>(undefined);

/** Raises when no provider stands above: that is a mistake in the page's structure. */
export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === undefined) {
    throw new Error('useServices needs a ServicesContext.Provider above it');
  }
  return services;
}
