import { render } from '@testing-library/preact';
import { userEvent } from '@testing-library/user-event';
import type { ComponentChildren } from 'preact';
import { vi } from 'vitest';

import { createClient } from '../api/client';
import { createReporter } from '../api/report';
import { RouterProvider } from '../shared/router';
import { type Services, ServicesContext } from '../shared/services';
import { ENVIRONMENT, type FakeService } from './fakeService';

export function servicesFor(service: FakeService): Services {
  const client = createClient(ENVIRONMENT.apiEndpoint, service.fetch);
  return { client, report: createReporter(client), environment: ENVIRONMENT };
}

export function renderWith(service: FakeService, children: ComponentChildren) {
  return render(
    <ServicesContext.Provider value={servicesFor(service)}>
      <RouterProvider>{children}</RouterProvider>
    </ServicesContext.Provider>,
  );
}

/** A user whose waiting moves the clock on: polling and counting down take no real time. */
export function hurriedUser() {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  return userEvent.setup({ advanceTimers: (milliseconds) => void vi.advanceTimersByTime(milliseconds) });
}

/** Lets time pass, and everything that it sets off. */
export async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

export function setVisibility(state: DocumentVisibilityState): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}
