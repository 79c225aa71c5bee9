import { fireEvent, screen, waitFor, within } from '@testing-library/preact';
import { userEvent } from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';

import { FakeService, imageUrl, JOB_ID, json, refusal, silence } from '../../testing/fakeService';
import { renderWith, servicesFor } from '../../testing/page';
import { RouterProvider } from '../../shared/router';
import { ServicesContext } from '../../shared/services';
import { RecentGallery } from './RecentGallery';

function gallery(id: string, prompt: string, createdAt = '2026-01-31T12:00:00.000Z') {
  return { id, createdAt, prompt, previewUrl: imageUrl('gpt-image-2'), imageCount: 9 };
}

const LIST = 'GET /gallery/list';
const region = () => within(screen.getByRole('region', { name: 'Recent gallery' }));

describe('RecentGallery', () => {
  it('lists what the service lists, in its order', async () => {
    const service = new FakeService().on(LIST, json(200, { galleries: [gallery('a', 'newer'), gallery('b', 'older')] }));
    renderWith(service, <RecentGallery version={0} />);

    const headings = await region().findAllByRole('heading', { level: 3 });
    expect(headings.map((heading) => heading.textContent)).toEqual(['newer', 'older']);
    expect(region().getByRole('link', { name: 'newer' })).toHaveAttribute('href', '/gallery/a');
    const [preview] = region().getAllByRole('presentation');
    expect(preview).toHaveAttribute('src', imageUrl('gpt-image-2'));
    expect(preview).toHaveAttribute('loading', 'lazy');
    expect(preview).toHaveAttribute('width');
    expect(preview).toHaveAttribute('height');
    expect(region().getAllByText('9 images')).toHaveLength(2);
    expect(region().getAllByText(/2026/)[0]).toHaveAttribute('datetime', '2026-01-31T12:00:00.000Z');
  });

  it('says that it is loading', () => {
    renderWith(new FakeService().on(LIST, silence), <RecentGallery version={0} />);

    expect(screen.getByRole('region', { name: 'Recent gallery' })).toHaveAttribute('aria-busy', 'true');
    expect(region().getByText('Loading the gallery')).toBeInTheDocument();
  });

  it('invites when there is nothing yet', async () => {
    renderWith(new FakeService(), <RecentGallery version={0} />);

    expect(await region().findByText(/Nothing here yet/)).toBeVisible();
  });

  it('offers to load again after a failure', async () => {
    const service = new FakeService().on(
      LIST,
      refusal(503, 'service_unavailable', 'no'),
      json(200, { galleries: [gallery(JOB_ID, 'a fox')] }),
    );
    renderWith(service, <RecentGallery version={0} />);
    expect(await region().findByRole('alert')).toHaveTextContent('The service has a problem');

    await userEvent.setup().click(region().getByRole('button', { name: 'Load the gallery again' }));
    expect(await region().findByRole('heading', { name: 'a fox' })).toBeVisible();
  });

  it('calls a malformed list malformed', async () => {
    renderWith(new FakeService().on(LIST, json(200, { galleries: [{ id: 1 }] })), <RecentGallery version={0} />);

    expect(await region().findByRole('alert')).toHaveTextContent('could not be understood');
  });

  it('reads the list anew when there is something new, and keeps the old one meanwhile', async () => {
    const service = new FakeService().on(
      LIST,
      json(200, { galleries: [gallery('a', 'first')] }),
      json(200, { galleries: [gallery('b', 'second'), gallery('a', 'first')] }),
    );
    const services = servicesFor(service);
    const page = (version: number) => (
      <ServicesContext.Provider value={services}>
        <RouterProvider>
          <RecentGallery version={version} />
        </RouterProvider>
      </ServicesContext.Provider>
    );
    const { rerender } = renderWith(service, null);
    rerender(page(0));
    await region().findByRole('heading', { name: 'first' });

    rerender(page(1));
    expect(region().getByRole('heading', { name: 'first' })).toBeVisible();
    expect(await region().findByRole('heading', { name: 'second' })).toBeVisible();
  });

  it('keeps what it shows when there is no getting anything newer', async () => {
    const service = new FakeService().on(LIST, json(200, { galleries: [gallery('a', 'first')] }), refusal(500, 'internal_error', 'no'));
    const services = servicesFor(service);
    const page = (version: number) => (
      <ServicesContext.Provider value={services}>
        <RouterProvider>
          <RecentGallery version={version} />
        </RouterProvider>
      </ServicesContext.Provider>
    );
    const { rerender } = renderWith(service, null);
    rerender(page(0));
    await region().findByRole('heading', { name: 'first' });

    rerender(page(1));
    await waitFor(() => {
      expect(service.asked(LIST)).toHaveLength(2);
    });
    expect(region().getByRole('heading', { name: 'first' })).toBeVisible();
    expect(region().queryByRole('alert')).toBeNull();
  });

  it('stands a missing preview and a strange date', async () => {
    const service = new FakeService().on(LIST, json(200, { galleries: [gallery('a', 'a fox', 'yesterday')] }));
    renderWith(service, <RecentGallery version={0} />);
    fireEvent.error(await region().findByRole('presentation'));

    expect(region().getByText('Preview not available')).toBeVisible();
    expect(region().getByText('yesterday')).toBeVisible();
  });
});
