import { fireEvent, screen, within } from '@testing-library/preact';
import { userEvent } from '@testing-library/user-event';
import axe from 'axe-core';
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
  refusal,
} from '../testing/fakeService';
import { hurriedUser, pass } from '../testing/page';
import { openingMarkup } from './Opening';
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

  it('takes over what stood there before it, where it stands', () => {
    root.innerHTML = openingMarkup();
    const heading = screen.getByRole('heading', { level: 1 });
    const link = screen.getByRole('link', { name: 'Gallery' });
    link.focus();
    open(new FakeService());

    expect(screen.getByRole('heading', { level: 1 })).toBe(heading);
    expect(screen.getByRole('link', { name: 'Gallery' })).toBe(link);
    expect(link).toHaveFocus();
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toBeVisible();
    expect(screen.queryByText(/is loading|needs JavaScript/)).toBeNull();
  });

  it.each([
    ['The header', () => vi.spyOn(window, 'matchMedia')],
    ['The page', () => vi.spyOn(navigator, 'onLine', 'get')],
  ])('says that a part cannot be drawn (%s), and no longer that it is loading', async (region, part) => {
    root.innerHTML = openingMarkup();
    part().mockImplementation(() => {
      throw new Error('not here');
    });
    open(new FakeService());

    expect(await screen.findByRole('heading', { name: `${region} stopped working` })).toBeVisible();
    expect(screen.queryByText(/is loading/)).toBeNull();
    expect(screen.getAllByRole('alert')).toHaveLength(1);
  });

  it.each(['/gallery', '/elsewhere'])('leaves nothing of the first page at %s', async (path) => {
    root.innerHTML = openingMarkup();
    history.replaceState(null, '', path);
    open(new FakeService());

    expect(await screen.findByRole('heading', { level: 1, name: /^(Gallery|There is no such page)$/ })).toBeVisible();
    expect(screen.queryByText(/Say it once|One prompt goes|is loading/)).toBeNull();
  });

  it('has the landmarks, one first heading and the name of its environment', async () => {
    open(new FakeService());

    expect(screen.getByRole('banner')).toHaveTextContent('staging');
    expect(screen.getByRole('main')).toBeVisible();
    expect(screen.getByRole('contentinfo')).toBeVisible();
    expect(screen.getAllByRole('heading', { level: 1 })).toHaveLength(1);
    expect(screen.getByRole('link', { name: 'Skip to the content' })).toHaveAttribute('href', '#main');
    expect(await screen.findByText(/Nothing here yet/)).toBeVisible();
  });

  it('does not name production', () => {
    open(new FakeService(), { ...SETTINGS, VITE_ENVIRONMENT: 'prod' });

    expect(screen.getByRole('banner')).not.toHaveTextContent('prod');
  });

  it('shows new images in the gallery as soon as their job has ended', async () => {
    const user = hurriedUser();
    const made = { id: JOB_ID, createdAt: '2026-01-31T12:00:00Z', prompt: 'a fox', previewUrl: imageUrl('gpt-image-2'), imageCount: 1 };
    open(
      new FakeService()
        .on('POST /generate', accepted)
        .on(`GET /status/${JOB_ID}`, job('completed', [done('gpt-image-2')]))
        .on('GET /gallery/list', json(200, { galleries: [] }), json(200, { galleries: [made] })),
    );
    await user.type(screen.getByRole('textbox', { name: 'Prompt' }), 'a fox');
    await user.click(screen.getByRole('button', { name: 'Generate' }));
    await pass(0);

    const gallery = within(screen.getByRole('region', { name: 'Recent gallery' }));
    expect(await gallery.findByRole('heading', { name: 'a fox' })).toBeVisible();
  });

  it('keeps the rest when a region cannot be drawn, and reports it', async () => {
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

    expect(await screen.findByRole('heading', { name: 'The recent gallery stopped working' })).toBeVisible();
    expect(screen.getByRole('button', { name: 'Generate' })).toBeVisible();
    const [report] = service.asked('POST /log');
    expect(report?.body).toMatchObject({ message: 'RangeError: no such calendar', context: { region: 'The recent gallery' } });
    expect(screen.getByText(report?.correlationId ?? 'none')).toBeVisible();
  });
});

describe('the pages', () => {
  const entry = {
    id: JOB_ID,
    createdAt: '2026-01-31T12:00:00Z',
    prompt: 'a fox',
    previewUrl: imageUrl('gpt-image-2'),
    imageCount: 1,
    images: [{ model: 'gpt-image-2', imageUrl: imageUrl('gpt-image-2') }],
  };
  const service = () =>
    new FakeService()
      .on('GET /gallery/list', json(200, { galleries: [entry] }))
      .on(`GET /gallery/${JOB_ID}`, json(200, entry));
  const pages: [string, string, string, string][] = [
    ['/', 'Say it once. See it many ways.', 'Pixel Prompt: one prompt, an image from every model', 'Create'],
    ['/gallery', 'Gallery', 'Gallery · Pixel Prompt', 'Gallery'],
    [`/gallery/${JOB_ID}`, 'a fox', 'a fox · Pixel Prompt', 'Gallery'],
    ['/elsewhere', 'There is no such page', 'Not found · Pixel Prompt', ''],
  ];

  it.each(pages)('at %s: a heading, a title, its place, and nothing that axe objects to', async (path, heading, title, current) => {
    history.replaceState(null, '', path);
    open(service());

    expect(await screen.findByRole('heading', { level: 1, name: heading })).toBeVisible();
    expect(document.title).toBe(title);
    expect(screen.queryByRole('link', { current: 'page' })?.textContent ?? '').toBe(current);
    if (path.startsWith('/gallery')) {
      await screen.findAllByRole('listitem');
    }
    expect(await objections()).toEqual([]);
  });

  it.each(['/', '/gallery', `/gallery/${JOB_ID}`])('at %s: a prompt keeps its direction to itself', async (path) => {
    history.replaceState(null, '', path);
    const arabic = { ...entry, prompt: 'منارة في عاصفة' };
    open(
      new FakeService()
        .on('GET /gallery/list', json(200, { galleries: [arabic] }))
        .on(`GET /gallery/${JOB_ID}`, json(200, arabic)),
    );

    for (const shown of await screen.findAllByText(arabic.prompt)) {
      expect(shown.closest('bdi')).not.toBeNull();
    }
    if (path.endsWith(JOB_ID)) {
      expect(document.title).toBe(`\u2068${arabic.prompt}\u2069 · Pixel Prompt`);
    }
  });

  it('are reached by links and history, and take the focus to their heading', async () => {
    const user = userEvent.setup();
    open(service());
    await user.click(screen.getByRole('link', { name: 'Gallery' }));
    const heading = await screen.findByRole('heading', { level: 1, name: 'Gallery' });
    expect(heading).toHaveFocus();
    expect(location.pathname).toBe('/gallery');

    await user.click(await screen.findByRole('link', { name: 'a fox' }));
    expect(await screen.findByRole('heading', { level: 1, name: 'a fox' })).toHaveFocus();

    history.back();
    expect(await screen.findByRole('heading', { level: 1, name: 'Gallery' })).toHaveFocus();
    expect(screen.getByRole('link', { name: 'a fox' })).toBeVisible();
  });

  it('take a prompt from the gallery back to the form', async () => {
    const user = userEvent.setup();
    history.replaceState(null, '', `/gallery/${JOB_ID}`);
    open(service());
    await user.click(await screen.findByRole('link', { name: 'Use this prompt' }));

    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveValue('a fox');
  });

  it('show an image whose model the service no longer knows, under its id', async () => {
    const old = imageUrl('model-of-2024').replace('.png', '.jpg');
    const entryOfThen = { ...entry, previewUrl: old, images: [{ model: 'model-of-2024', imageUrl: old }] };
    history.replaceState(null, '', `/gallery/${JOB_ID}`);
    open(service().on(`GET /gallery/${JOB_ID}`, json(200, entryOfThen)));

    expect(await screen.findByRole('img', { name: 'a fox. Image by model-of-2024.' })).toHaveAttribute('src', old);
  });

  it('say when an entry is gone, and load it again', async () => {
    const user = userEvent.setup();
    history.replaceState(null, '', `/gallery/${JOB_ID}`);
    open(service().on(`GET /gallery/${JOB_ID}`, refusal(404, 'not_found', 'no'), json(200, entry)));
    expect(await screen.findByText('Nothing was found there')).toBeVisible();

    await user.click(screen.getByRole('button', { name: 'Load again' }));
    await user.click(await screen.findByRole('button', { name: /Image by GPT Image 2/ }));
    expect(await screen.findByRole('dialog', { name: 'Large view' })).toBeVisible();
    expect(await objections()).toEqual([]);
  });
});

describe('the frame', () => {
  it('remembers the theme', async () => {
    const user = userEvent.setup();
    open(new FakeService());
    const dark = screen.getByRole('switch', { name: 'Dark theme' });
    expect(dark).not.toBeChecked();
    await user.click(dark);
    expect(dark).toBeChecked();
    expect(document.documentElement).toHaveAttribute('data-theme', 'dark');

    stop();
    delete document.documentElement.dataset['theme'];
    open(new FakeService());
    expect(document.documentElement).toHaveAttribute('data-theme', 'dark');
    await user.click(screen.getByRole('switch', { name: 'Dark theme' }));
    expect(document.documentElement).toHaveAttribute('data-theme', 'light');
  });

  it('acts on single keys, but not in a text field, and not when they are off', async () => {
    const user = userEvent.setup();
    open(new FakeService());
    const field = screen.getByRole('textbox', { name: 'Prompt' });
    await user.keyboard('/');
    expect(field).toHaveFocus();
    await user.keyboard('gr?');
    expect(field).toHaveValue('gr?');
    field.blur();

    await user.keyboard('r');
    expect(field).not.toHaveValue('gr?');
    await user.keyboard('?');
    const help = within(await screen.findByRole('dialog', { name: 'Keyboard shortcuts' }));
    await user.keyboard('g');
    expect(location.pathname).toBe('/');
    await user.click(help.getByRole('switch', { name: 'Single-key shortcuts' }));
    await user.click(help.getByRole('button', { name: 'Close' }));
    await user.keyboard('g');
    expect(location.pathname).toBe('/');

    await user.click(screen.getByRole('button', { name: 'Keyboard shortcuts' }));
    await user.click(await screen.findByRole('switch', { name: 'Single-key shortcuts' }));
    fireEvent(screen.getByRole('dialog'), new Event('cancel'));
    expect(screen.queryByRole('dialog')).toBeNull();
    await user.keyboard('g');
    expect(await screen.findByRole('heading', { level: 1, name: 'Gallery' })).toBeVisible();
    await user.keyboard('c');
    expect(await screen.findByRole('textbox', { name: 'Prompt' })).toBeVisible();
  });

  it('says when the connection is gone, for as long as it is', () => {
    open(new FakeService());
    const line = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    fireEvent(window, new Event('offline'));
    expect(screen.getByText(/You are offline/)).toBeVisible();

    line.mockReturnValue(true);
    fireEvent(window, new Event('online'));
    expect(screen.queryByText(/You are offline/)).toBeNull();
  });
});

/** What axe finds; colours are looked at in a real browser, which alone knows them. */
async function objections(): Promise<string[]> {
  const { violations } = await axe.run(root, { rules: { 'color-contrast': { enabled: false } } });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
