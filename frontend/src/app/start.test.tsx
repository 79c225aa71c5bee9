import { screen, within } from '@testing-library/preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  accepted,
  done,
  FakeService,
  IMAGE_HOST,
  imageUrl,
  job,
  JOB_ID,
  json,
} from '../testing/fakeService';
import { hurriedUser, pass } from '../testing/page';
import { start } from './start';

const SETTINGS = {
  VITE_API_ENDPOINT: 'https://api.example.com',
  VITE_CLOUDFRONT_DOMAIN: IMAGE_HOST,
  VITE_ENVIRONMENT: 'staging',
};

let root: HTMLElement;
let stop: () => void = () => undefined;

beforeEach(() => {
  root = document.createElement('div');
  root.innerHTML = '<p>Pixel Prompt is loading.</p>';
  document.body.append(root);
});

afterEach(() => {
  stop();
  root.remove();
});

function open(service: FakeService, settings: Parameters<typeof start>[1] = SETTINGS): void {
  vi.stubGlobal('fetch', service.fetch);
  stop = start(root, settings);
}

describe('start', () => {
  it('shows what is missing instead of a blank page', () => {
    open(new FakeService(), { ...SETTINGS, VITE_API_ENDPOINT: '' });

    expect(screen.getByRole('heading', { level: 1, name: 'Pixel Prompt is not configured' })).toBeVisible();
    expect(screen.getByText('VITE_API_ENDPOINT')).toBeVisible();
    expect(screen.queryByText('VITE_ENVIRONMENT')).toBeNull();
    expect(screen.getByText(/deploy\.sh/)).toBeVisible();
    expect(screen.queryByText(/is loading/)).toBeNull();
  });

  it('has the landmarks, one first heading and the name of its environment', async () => {
    open(new FakeService());

    expect(screen.getByRole('banner')).toHaveTextContent('staging');
    expect(screen.getByRole('main')).toBeVisible();
    expect(screen.getByRole('contentinfo')).toBeVisible();
    expect(screen.getAllByRole('heading', { level: 1 })).toHaveLength(1);
    expect(screen.getByRole('link', { name: 'Skip to the prompt' })).toHaveAttribute('href', '#main');
    expect(await screen.findByText(/Nothing here yet/)).toBeVisible();
  });

  it('does not name production', () => {
    open(new FakeService(), { ...SETTINGS, VITE_ENVIRONMENT: 'prod' });

    expect(screen.getByRole('banner')).not.toHaveTextContent('prod');
  });

  it('shows new images in the gallery as soon as their job has ended', async () => {
    const user = hurriedUser();
    const made = { id: JOB_ID, createdAt: '2026-01-31T12:00:00Z', prompt: 'a fox', previewUrl: imageUrl('dall-e-3'), imageCount: 1 };
    open(
      new FakeService()
        .on('POST /generate', accepted)
        .on(`GET /status/${JOB_ID}`, job('completed', [done('dall-e-3')]))
        .on('GET /gallery/list', json(200, { galleries: [] }), json(200, { galleries: [made] })),
    );
    await user.type(screen.getByRole('textbox', { name: 'Prompt' }), 'a fox');
    await user.click(screen.getByRole('button', { name: 'Generate' }));
    await pass(0);

    const gallery = within(screen.getByRole('region', { name: 'Recent gallery' }));
    expect(await gallery.findByRole('heading', { name: 'a fox' })).toBeVisible();
  });

  it('keeps the generator when the gallery cannot be drawn, and reports it', async () => {
    const service = new FakeService().on(
      'GET /gallery/list',
      json(200, { galleries: [{ id: 'a', createdAt: '2026-01-31T12:00:00Z', prompt: 'p', previewUrl: imageUrl('x'), imageCount: 1 }] }),
    );
    vi.stubGlobal('Intl', {
      DateTimeFormat: function BrokenFormat(): never {
        throw new RangeError('no such calendar');
      },
    });
    open(service);

    expect(await screen.findByRole('heading', { name: 'The gallery stopped working' })).toBeVisible();
    expect(screen.getByRole('button', { name: 'Generate' })).toBeVisible();
    const [report] = service.asked('POST /log');
    expect(report?.body).toMatchObject({ message: 'RangeError: no such calendar', context: { region: 'The gallery' } });
    expect(screen.getByText(report?.correlationId ?? 'none')).toBeVisible();
  });
});
