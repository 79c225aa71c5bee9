import { fireEvent, screen, within } from '@testing-library/preact';
import { describe, expect, it, vi } from 'vitest';

import {
  accepted,
  type Answer,
  done,
  failed,
  FakeService,
  imageUrl,
  job,
  JOB_ID,
  json,
  refusal,
  RETRY_ID,
  running,
  silence,
  unreachable,
  waiting,
} from '../../testing/fakeService';
import { hurriedUser, pass, renderWith } from '../../testing/page';
import { useRouter } from '../../shared/router';
import { PACE } from './followJob';
import { Generate } from './Generate';

const STATUS = `GET /status/${JOB_ID}`;
const MIDWAY = job('running', [done('gpt-image-2'), running('stable-image-core'), waiting('recraft-v4.1')]);
const COMPLETE = job('completed', [done('gpt-image-2'), done('stable-image-core'), done('recraft-v4.1')]);
const PARTIAL = job('partial', [done('gpt-image-2'), failed('stable-image-core', 'The vendor is down.'), done('recraft-v4.1')]);

/** Follows the address, as the page does. */
function Page({ onEnded }: { readonly onEnded: () => void }) {
  const { route } = useRouter();
  return <Generate jobId={route.page === 'create' ? route.jobId : undefined} onEnded={onEnded} />;
}

function setUp(...statuses: Answer[]) {
  const user = hurriedUser();
  const service = new FakeService().on('POST /generate', accepted).on(STATUS, ...statuses);
  const onEnded = vi.fn();
  const view = renderWith(service, <Page onEnded={onEnded} />);
  return { user, service, onEnded, view };
}

const prompt = () => screen.getByRole('textbox', { name: 'Prompt' });
const button = () => screen.getByRole('button', { name: /^Generat/ });
const progress = () => within(screen.getByRole('region', { name: 'Results' })).getAllByRole('status')[0];
const tile = (name: string) => within(screen.getByRole('heading', { name }).closest('li') ?? document.body);

async function generate(user: ReturnType<typeof hurriedUser>, words = 'a lighthouse in a storm'): Promise<void> {
  await user.type(prompt(), words);
  await user.click(button());
  await pass(0);
}

describe('the prompt', () => {
  it('is sent with its settings, trimmed, under one correlation id', async () => {
    const { user, service } = setUp(MIDWAY);
    fireEvent.input(screen.getByRole('slider', { name: 'Steps' }), { target: { value: '40' } });
    fireEvent.input(screen.getByRole('slider', { name: 'Guidance' }), { target: { value: '9.5' } });
    await generate(user, '  a lighthouse ');

    const [sent] = service.asked('POST /generate');
    expect(sent?.body).toEqual({ prompt: 'a lighthouse', steps: 40, guidance: 9.5 });
    expect(service.asked(STATUS)[0]?.correlationId).toBe(sent?.correlationId);
  });

  it('is not sent when it would turn round what stands beside it', async () => {
    const { user, service } = setUp(MIDWAY);
    await generate(user, 'a fox\u202e');

    expect(screen.getByText(/Remove the invisible character U\+202E/)).toBeVisible();
    expect(prompt()).toBeInvalid();
    expect(service.asked('POST /generate')).toEqual([]);
  });

  it('keeps its direction to itself above its images', async () => {
    const { user } = setUp(MIDWAY);
    await generate(user, 'منارة');

    expect(screen.getByText('منارة', { selector: '.results__prompt *' }).closest('bdi')).not.toBeNull();
    expect(prompt()).toHaveAttribute('dir', 'auto');
  });

  it('is followed by progress before the service has answered', async () => {
    const user = hurriedUser();
    renderWith(new FakeService().on('POST /generate', silence), <Page onEnded={vi.fn()} />);
    await generate(user);

    expect(screen.getByRole('progressbar', { name: 'Handing the prompt over' })).not.toHaveAttribute('value');
  });

  it('keeps the settings within the contract', () => {
    setUp(MIDWAY);

    expect(screen.getByRole('slider', { name: 'Steps' })).toHaveAttribute('min', '25');
    expect(screen.getByRole('slider', { name: 'Steps' })).toHaveAttribute('max', '50');
    expect(screen.getByRole('slider', { name: 'Guidance' })).toHaveAttribute('min', '5');
    expect(screen.getByRole('slider', { name: 'Guidance' })).toHaveAttribute('max', '10');
  });

  it('must not be empty: says so and takes the focus', async () => {
    const { user, service } = setUp(MIDWAY);
    await generate(user, '   ');

    expect(prompt()).toBeInvalid();
    expect(prompt()).toHaveFocus();
    expect(prompt()).toHaveAccessibleDescription(/Write what the picture should show/);
    expect(service.asked('POST /generate')).toHaveLength(0);
  });

  it('counts characters as the service does and refuses too many', async () => {
    const { user, service } = setUp(MIDWAY);
    fireEvent.input(prompt(), { target: { value: '🦊'.repeat(1000) } });
    expect(screen.getByText(/1000 \/ 1000/)).toBeVisible();
    expect(prompt()).toBeValid();

    fireEvent.input(prompt(), { target: { value: '🦊'.repeat(1003) } });
    expect(prompt()).toHaveAccessibleDescription(/Shorten the prompt by 3/);
    await user.click(button());
    expect(service.asked('POST /generate')).toHaveLength(0);
  });

  it('can be made up and sent from the keyboard', async () => {
    const { user, service } = setUp(MIDWAY);
    await user.click(screen.getByRole('button', { name: 'Random prompt' }));
    expect(prompt()).not.toHaveValue('');

    prompt().focus();
    await user.keyboard('{Control>}{Enter}{/Control}');
    expect(service.asked('POST /generate')).toHaveLength(1);
  });
});

describe('a job', () => {
  it('shows every model from waiting to its image, and ends', async () => {
    const { user, service, onEnded } = setUp(MIDWAY, MIDWAY, COMPLETE);
    await generate(user);

    expect(tile('GPT Image 2').getByText(/Done/)).toHaveTextContent('Done 4.2 s');
    expect(tile('Stable Image Core').getByText('Running')).toBeVisible();
    expect(tile('Recraft V4.1').getByText('Waiting')).toBeVisible();
    expect(progress()).toHaveTextContent('1 of 3 images ready');
    expect(screen.getByRole('progressbar', { name: 'Models that have finished' })).toHaveAttribute('value', '1');
    expect(button()).toHaveAttribute('aria-disabled', 'true');

    await pass(PACE.first + PACE.slowest);

    const images = screen.getAllByRole('img');
    expect(images.map((image) => image.getAttribute('src'))).toEqual(
      ['gpt-image-2', 'stable-image-core', 'recraft-v4.1'].map((model) => imageUrl(model)),
    );
    expect(images[0]).toHaveAccessibleName('a lighthouse in a storm. Image by GPT Image 2.');
    expect(progress()).toHaveTextContent(/Finished: 3 of 3 images ready after \d+ seconds?/);
    expect(onEnded).toHaveBeenCalledOnce();
    expect(button()).toHaveAttribute('aria-disabled', 'false');

    const asked = service.asked(STATUS).length;
    await pass(60_000);
    expect(service.asked(STATUS)).toHaveLength(asked);
  });

  it('names every place before the first status arrives', async () => {
    const { user } = setUp(silence);
    await generate(user);

    expect(screen.getAllByText('Waiting')).toHaveLength(3);
    expect(screen.getByRole('heading', { name: 'Recraft V4.1' })).toBeVisible();
  });

  it('shows ids when the names cannot be had', async () => {
    const { user, service, view } = setUp(MIDWAY);
    view.unmount();
    service.on('GET /health', unreachable);
    localStorage.clear();
    history.replaceState(null, '', '/');
    renderWith(service, <Page onEnded={vi.fn()} />);
    await generate(user);

    expect(screen.getByRole('heading', { name: 'stable-image-core' })).toBeVisible();
  });

  it('is not started twice', async () => {
    const { user, service } = setUp(MIDWAY);
    await generate(user);
    await user.click(button());

    expect(service.asked('POST /generate')).toHaveLength(1);
  });

  it('gives the reason of a model that failed, beside the images of the others', async () => {
    const { user } = setUp(PARTIAL);
    await generate(user);

    expect(tile('Stable Image Core').getByText('Failed')).toBeVisible();
    expect(tile('Stable Image Core').getByText('The vendor is down.')).toBeVisible();
    expect(screen.getAllByRole('img')).toHaveLength(2);
    expect(screen.getByText(/2 images of 3 are ready; 1 model failed/)).toBeVisible();
    expect(progress()).toHaveTextContent('1 failed');
  });

  it('says when no model brought an image, and leaves nothing waiting', async () => {
    const { user } = setUp(job('failed', [failed('gpt-image-2', 'Down.'), running('stable-image-core'), waiting('recraft-v4.1')]));
    await generate(user);

    expect(screen.getByText(/No model brought an image/)).toBeVisible();
    expect(screen.getAllByText('Failed')).toHaveLength(3);
    expect(screen.getAllByText('This model brought no image.')).toHaveLength(2);
  });

  it('offers to load a broken image again', async () => {
    const { user } = setUp(COMPLETE);
    await generate(user);
    fireEvent.error(screen.getAllByRole('img')[0] ?? document.body);

    await user.click(screen.getByRole('button', { name: 'Load again the image by GPT Image 2' }));
    expect(screen.getAllByRole('img')).toHaveLength(3);
  });

  it('shortens a long prompt in the text for an image', async () => {
    const { user } = setUp(COMPLETE);
    fireEvent.input(prompt(), { target: { value: 'word '.repeat(100) } });
    await user.click(button());
    await pass(0);

    expect(screen.getAllByRole('img')[0]?.getAttribute('alt')).toMatch(/^.{100,150}… Image by GPT Image 2\.$/);
  });

  it('leaves nothing running when the page goes', async () => {
    const { user, service, view } = setUp(MIDWAY);
    await generate(user);
    const asked = service.requests.length;
    view.unmount();
    await pass(60_000);

    expect(service.requests).toHaveLength(asked);
  });
});

describe('a refusal', () => {
  it('shows the time left, bars the button until then, and lets it go again', async () => {
    const { user, service } = setUp(MIDWAY);
    service.on('POST /generate', refusal(429, 'address_limit', 'The daily limit is used up.', { 'Retry-After': '90' }), accepted);
    await generate(user);

    expect(screen.getByRole('alert')).toHaveTextContent('The daily limit is used up.');
    expect(screen.getByRole('timer')).toHaveTextContent(/1:(30|29)/);
    expect(button()).toHaveAttribute('aria-disabled', 'true');
    await user.click(button());
    expect(service.asked('POST /generate')).toHaveLength(1);

    await pass(91_000);
    expect(screen.getByText('You can try again now.')).toBeVisible();
    await user.click(button());
    expect(service.asked('POST /generate')).toHaveLength(2);
  });

  it.each<[string, Answer, string]>([
    ['a server error', refusal(500, 'internal_error', 'secret detail'), 'The service has a problem'],
    ['blocked content', refusal(422, 'content_blocked', 'The prompt is refused.'), 'The request was not accepted'],
    ['no connection', unreachable, 'The service cannot be reached'],
    ['a malformed answer', json(202, { job: 1 }), 'The answer could not be understood'],
  ])('puts %s into words', async (_name, answer, title) => {
    const { user, service } = setUp(MIDWAY);
    service.on('POST /generate', answer);
    await generate(user);

    expect(screen.getByText(title)).toBeVisible();
    expect(screen.queryByText(/secret detail/)).toBeNull();
    expect(screen.getByText(service.asked('POST /generate')[0]?.correlationId ?? 'none')).toBeVisible();
    expect(button()).toHaveAttribute('aria-disabled', 'false');
  });

  it('is a time-out when the service stays silent', async () => {
    const { user, service } = setUp(MIDWAY);
    service.on('POST /generate', silence);
    await generate(user);
    expect(progress()).toHaveTextContent('Sending the prompt.');
    await pass(20_000);

    expect(screen.getByText('The service took too long to answer')).toBeVisible();
  });
});

describe('trouble on the way', () => {
  it('is told while it is tried again, and forgotten afterwards', async () => {
    const { user } = setUp(unreachable, MIDWAY);
    await generate(user);
    expect(screen.getByText(/cannot be reached\. Trying again by itself\./)).toBeVisible();

    await pass(PACE.afterTrouble);
    expect(screen.queryByText(/Trying again by itself/)).toBeNull();
  });

  it('ends in a way to look again when the job is lost', async () => {
    const { user, onEnded } = setUp(refusal(404, 'not_found', 'No such job.'), COMPLETE);
    await generate(user);
    expect(screen.getByText('Nothing was found there')).toBeVisible();
    expect(progress()).toHaveTextContent('No more news of the job');
    expect(screen.getAllByText('No news')).toHaveLength(3);

    await user.click(screen.getByRole('button', { name: 'Look again' }));
    await pass(0);
    expect(screen.getAllByRole('img')).toHaveLength(3);
    expect(onEnded).toHaveBeenCalledOnce();
  });

  it('says so when a job outlives every worker', async () => {
    const { user } = setUp(MIDWAY);
    await generate(user);
    await pass(PACE.deadline + PACE.slowest);

    expect(screen.getByText('The job takes longer than expected')).toBeVisible();
  });

  it('refuses images from anywhere but the distribution', async () => {
    const stranger = { ...done('gpt-image-2'), imageUrl: 'https://elsewhere.example/a.png' };
    const { user } = setUp(job('completed', [stranger]));
    await generate(user);
    await pass(5 * 60_000);

    expect(screen.queryByRole('img')).toBeNull();
    expect(screen.getByText('The answer could not be understood')).toBeVisible();
  });
});

describe('a link to a job', () => {
  it('is the address while the job runs, and survives a reload', async () => {
    const { user, service, view } = setUp(MIDWAY, COMPLETE);
    await generate(user);
    expect(location.pathname).toBe(`/job/${JOB_ID}`);
    expect(document.title).toBe('1 of 3 ready · Pixel Prompt');
    expect(screen.getByRole('button', { name: 'Copy link' })).toBeVisible();

    view.unmount();
    renderWith(service, <Page onEnded={vi.fn()} />);
    await pass(0);

    expect(service.asked('POST /generate')).toHaveLength(1);
    expect(screen.getAllByRole('img')).toHaveLength(3);
    expect(prompt()).toHaveValue('a lighthouse in a storm');
    expect(screen.getAllByText('a lighthouse in a storm')).not.toHaveLength(0);
  });

  it('opens the job of somebody else, and learns its prompt from the gallery', async () => {
    vi.useFakeTimers();
    history.replaceState(null, '', `/job/${JOB_ID}`);
    const service = new FakeService()
      .on(STATUS, silence, COMPLETE)
      .on(`GET /gallery/${JOB_ID}`, json(200, { id: JOB_ID, prompt: 'a fox' }));
    renderWith(service, <Page onEnded={vi.fn()} />);
    expect(screen.getByText('Opening the job')).toBeVisible();
    expect(screen.getByText('Opened from a link.')).toBeVisible();

    await pass(20_000 + PACE.afterTrouble);
    expect(screen.getByText('a fox')).toBeVisible();
    expect(progress()).toHaveTextContent('Finished: 3 of 3 images ready.');
  });

  it('is offered to somebody who comes back while it runs', async () => {
    const { user, service, view } = setUp(MIDWAY);
    await generate(user);
    view.unmount();
    history.replaceState(null, '', '/');
    renderWith(service, <Page onEnded={vi.fn()} />);

    await user.click(screen.getByRole('link', { name: 'Show the job' }));
    await pass(0);
    expect(progress()).toHaveTextContent('1 of 3 images ready');
  });

  it('leads back to an empty page', async () => {
    const { user } = setUp(COMPLETE);
    await generate(user);
    history.replaceState(null, '', '/');
    window.dispatchEvent(new PopStateEvent('popstate'));
    await pass(50);

    expect(screen.getByText('Your images will appear here')).toBeVisible();
    expect(screen.queryByRole('link', { name: 'Show the job' })).toBeNull();
  });
});

describe('a model that failed', () => {
  const RETRY = `GET /status/${RETRY_ID}`;
  const CORE = 'Stable Image Core';
  const again = (name = CORE) => tile(name).getByRole('button', { name: `Try again with ${name}` });
  const acceptedAgain = json(202, { jobId: RETRY_ID, totalModels: 1 });

  /** A job with one failure on screen; then the answers to its retry. */
  async function failedOnce(...statuses: Answer[]) {
    const page = setUp(PARTIAL);
    await generate(page.user);
    page.service.on('POST /generate', acceptedAgain).on(RETRY, ...statuses);
    return page;
  }

  it('is asked alone for the same picture, which arrives in its place', async () => {
    const page = setUp(PARTIAL);
    fireEvent.input(screen.getByRole('slider', { name: 'Steps' }), { target: { value: '40' } });
    fireEvent.input(screen.getByRole('textbox', { name: 'Seed', hidden: true }), { target: { value: '7' } });
    await generate(page.user);
    page.service
      .on('POST /generate', acceptedAgain)
      .on(RETRY, job('running', [running('stable-image-core')], RETRY_ID), job('completed', [done('stable-image-core', RETRY_ID)], RETRY_ID));
    fireEvent.input(prompt(), { target: { value: 'something else by now' } });

    await page.user.click(again());
    await pass(0);
    const [first, second] = page.service.asked('POST /generate');
    expect(first?.body).toEqual({ prompt: 'a lighthouse in a storm', steps: 40, guidance: 7, seed: 7 });
    expect(second?.body).toEqual({ ...(first?.body as object), models: ['stable-image-core'] });
    expect(page.service.asked(RETRY)[0]?.correlationId).toBe(second?.correlationId);
    expect(tile(CORE).getByText('Running')).toBeVisible();
    expect(screen.getAllByRole('img')).toHaveLength(2);
    expect(progress()).toHaveTextContent('Trying 1 model again: 2 of 3 images ready.');

    await pass(PACE.first);
    expect(screen.getAllByRole('img').map((image) => image.getAttribute('src'))).toEqual([
      imageUrl('gpt-image-2'),
      imageUrl('stable-image-core', RETRY_ID),
      imageUrl('recraft-v4.1'),
    ]);
    expect(progress()).toHaveTextContent('Finished: 3 of 3 images ready.');
    expect(screen.queryByText(/1 model failed/)).toBeNull();
    expect(page.onEnded).toHaveBeenCalledTimes(2);
    expect(location.pathname).toBe(`/job/${JOB_ID}`);
    expect(document.title).toBe('3 of 3 ready · Pixel Prompt');
  });

  it('waits at once, and keeps the place of whoever pressed by key', async () => {
    const { user, service } = await failedOnce(silence);
    service.on('POST /generate', silence);
    again().focus();
    await user.keyboard('{Enter}');

    expect(tile(CORE).getByText('Waiting')).toBeVisible();
    expect(screen.getByRole('heading', { name: CORE }).closest('li')).toHaveFocus();
  });

  it('gives the new reason when it fails again, and can be asked once more', async () => {
    const { user, service } = await failedOnce(job('failed', [failed('stable-image-core', 'Out of paint.')], RETRY_ID));
    await user.click(again());
    await pass(0);
    expect(tile(CORE).getByText('Out of paint.')).toBeVisible();
    expect(progress()).toHaveTextContent('Finished: 2 of 3 images ready, 1 failed.');

    await user.click(again());
    await pass(0);
    expect(service.asked('POST /generate')).toHaveLength(3);
  });

  it('is retried beside others, and while the rest of the job still runs', async () => {
    const both = [failed('stable-image-core', 'Down.'), failed('recraft-v4.1', 'Down.')];
    const { user, service } = setUp(job('running', [running('gpt-image-2'), ...both]));
    await generate(user);
    const other = JOB_ID.replace(/0$/, '2');
    service
      .on('POST /generate', acceptedAgain, json(202, { jobId: other, totalModels: 1 }))
      .on(RETRY, job('running', [running('stable-image-core')], RETRY_ID))
      .on(`GET /status/${other}`, job('completed', [done('recraft-v4.1', other)], other));
    await user.click(again());
    await user.click(again('Recraft V4.1'));
    await pass(0);

    expect(service.asked('POST /generate').map(({ body }) => (body as { models?: unknown }).models)).toEqual([
      undefined,
      ['stable-image-core'],
      ['recraft-v4.1'],
    ]);
    expect(screen.getAllByText('Running')).toHaveLength(2);
    expect(screen.getByRole('img')).toHaveAttribute('src', imageUrl('recraft-v4.1', other));
    expect(progress()).toHaveTextContent('Generating: 1 of 3 images ready');
    await pass(2 * PACE.slowest);
    expect(screen.getByRole('img')).toBeVisible();
  });

  it('keeps the other images when a limit is reached, and bars the button as long', async () => {
    const { user, service } = await failedOnce(silence);
    service.on('POST /generate', refusal(429, 'address_limit', 'The daily limit is used up.', { 'Retry-After': '90' }), acceptedAgain);
    await user.click(again());
    await pass(0);

    expect(screen.getByRole('alert')).toHaveTextContent('The daily limit is used up.');
    expect(screen.getByRole('timer')).toHaveTextContent(/1:(30|29)/);
    expect(tile(CORE).getByText('The limit is reached.')).toBeVisible();
    expect(again()).toHaveAttribute('aria-disabled', 'true');
    await user.click(again());
    expect(service.asked('POST /generate')).toHaveLength(2);
    expect(screen.getAllByRole('img')).toHaveLength(2);

    await pass(91_000);
    await user.click(again());
    await pass(0);
    expect(service.asked('POST /generate')).toHaveLength(3);
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it.each<[string, Answer, string]>([
    ['a server error', refusal(500, 'internal_error', 'secret detail'), 'The service has a problem'],
    ['no connection', unreachable, 'The service cannot be reached'],
  ])('tells of %s without losing an image', async (_name, answer, title) => {
    const { user, service } = await failedOnce(silence);
    service.on('POST /generate', answer);
    await user.click(again());
    await pass(0);

    expect(screen.getByRole('alert')).toHaveTextContent(title);
    expect(tile(CORE).getByText(`${title}.`)).toBeVisible();
    expect(again()).toHaveAttribute('aria-disabled', 'false');
    expect(screen.getAllByRole('img')).toHaveLength(2);
  });

  it('is looked at again, not paid again, when its retry was lost', async () => {
    const { user, service } = await failedOnce(
      unreachable,
      refusal(404, 'not_found', 'No such job.'),
      job('completed', [done('stable-image-core', RETRY_ID)], RETRY_ID),
    );
    await user.click(again());
    await pass(0);
    expect(screen.getByText(/cannot be reached\. Trying again by itself\./)).toBeVisible();

    await pass(PACE.afterTrouble);
    await user.click(tile(CORE).getByRole('button', { name: `Look again with ${CORE}` }));
    await pass(0);
    expect(screen.getAllByRole('img')).toHaveLength(3);
    expect(service.asked('POST /generate')).toHaveLength(2);
  });

  it('is still being retried after a reload', async () => {
    const page = await failedOnce(
      job('running', [running('stable-image-core')], RETRY_ID),
      job('completed', [done('stable-image-core', RETRY_ID)], RETRY_ID),
    );
    await page.user.click(again());
    await pass(0);
    page.view.unmount();
    history.replaceState(null, '', '/');
    const home = renderWith(page.service, <Page onEnded={vi.fn()} />);
    expect(screen.getByRole('link', { name: 'Show the job' })).toHaveAttribute('href', `/job/${JOB_ID}`);

    home.unmount();
    history.replaceState(null, '', `/job/${JOB_ID}`);
    renderWith(page.service, <Page onEnded={vi.fn()} />);
    await pass(0);
    expect(screen.getAllByRole('img')).toHaveLength(3);
    expect(page.service.asked('POST /generate')).toHaveLength(2);
  });

  it('keeps its retry when the next prompt is refused', async () => {
    const { user, service } = await failedOnce(
      job('running', [running('stable-image-core')], RETRY_ID),
      job('completed', [done('stable-image-core', RETRY_ID)], RETRY_ID),
    );
    await user.click(again());
    await pass(0);
    service.on('POST /generate', refusal(503, 'service_unavailable', 'no'));
    await user.click(button());
    await pass(0);

    expect(screen.getByText('The service has a problem')).toBeVisible();
    await pass(PACE.first);
    expect(screen.getAllByRole('img')).toHaveLength(3);
    expect(progress()).toHaveTextContent('Finished: 3 of 3 images ready.');
  });
});

describe('running the prompt again', () => {
  const NONE = job('failed', [failed('gpt-image-2', 'Down.'), failed('stable-image-core', 'Down.'), failed('recraft-v4.1', 'Down.')]);

  it('is offered when every model failed: a new job with all of them', async () => {
    const { user, service } = setUp(NONE, MIDWAY);
    await generate(user);

    await user.click(screen.getByRole('button', { name: 'Run the prompt again' }));
    const [first, second] = service.asked('POST /generate');
    expect(second?.body).toEqual(first?.body);
  });

  it('keeps the images that are there when it is refused', async () => {
    const { user, service } = setUp(PARTIAL);
    await generate(user);
    expect(screen.queryByRole('button', { name: 'Run the prompt again' })).toBeNull();
    service.on('POST /generate', refusal(503, 'service_unavailable', 'no'));
    await user.click(button());
    await pass(0);

    expect(screen.getByText('The service has a problem')).toBeVisible();
    expect(screen.getAllByRole('img')).toHaveLength(2);
  });
});

describe('the large view', () => {
  it('opens, steps by key, and gives the focus back', async () => {
    const { user } = setUp(COMPLETE);
    await generate(user);
    const opener = screen.getByRole('button', { name: /Image by GPT Image 2/ });
    await user.click(opener);
    const dialog = within(await screen.findByRole('dialog', { name: 'Large view' }));
    expect(dialog.getByRole('img')).toHaveAccessibleName('a lighthouse in a storm. Image by GPT Image 2.');

    await user.keyboard('{ArrowLeft}');
    expect(dialog.getByRole('heading')).toHaveTextContent('Recraft V4.1');
    await user.click(dialog.getByRole('button', { name: 'Next image' }));
    expect(dialog.getAllByRole('status')[0]).toHaveTextContent('Image 1 of 3, by GPT Image 2');
    await user.click(dialog.getByRole('button', { name: 'Previous image' }));
    await user.click(dialog.getByRole('button', { name: 'Close' }));

    expect(screen.queryByRole('dialog')).toBeNull();
    expect(opener).toHaveFocus();
  });
});

describe('the seed', () => {
  it('is sent when there is one, and must be a whole number', async () => {
    const { user, service } = setUp(MIDWAY);
    const seed = screen.getByRole('textbox', { name: 'Seed', hidden: true });
    fireEvent.input(seed, { target: { value: '2147483648' } });
    await generate(user);
    expect(seed).toBeInvalid();
    expect(seed).toHaveAccessibleDescription('A seed is a whole number from 0 to 2147483647.');
    expect(service.asked('POST /generate')).toHaveLength(0);

    fireEvent.input(seed, { target: { value: ' 42 ' } });
    await user.click(button());
    expect(service.asked('POST /generate')[0]?.body).toMatchObject({ seed: 42 });
  });
});

describe('enhancing', () => {
  const ENHANCE = 'POST /enhance';

  it('puts the richer prompt in place, and can be taken back', async () => {
    const { user, service } = setUp(MIDWAY);
    service.on(ENHANCE, json(200, { enhancedPrompt: 'A weathered lighthouse at dusk.' }));
    await user.type(prompt(), 'a lighthouse');
    await user.click(screen.getByRole('button', { name: 'Enhance' }));
    await pass(0);

    expect(service.asked(ENHANCE)[0]?.body).toEqual({ prompt: 'a lighthouse' });
    expect(prompt()).toHaveValue('A weathered lighthouse at dusk.');
    expect(screen.getByText('The prompt was enhanced.')).toBeInTheDocument();

    await user.click(screen.getByRole('button', { name: 'Undo' }));
    expect(prompt()).toHaveValue('a lighthouse');
    expect(prompt()).toHaveFocus();
    expect(screen.queryByRole('button', { name: 'Undo' })).toBeNull();
  });

  it('gives way to what is typed meanwhile', async () => {
    const { user, service } = setUp(MIDWAY);
    service.on(ENHANCE, silence);
    await user.type(prompt(), 'a fox');
    await user.click(screen.getByRole('button', { name: 'Enhance' }));
    expect(screen.getByRole('button', { name: 'Enhancing' })).toHaveAttribute('aria-disabled', 'true');
    await user.type(prompt(), ' at dawn');

    expect(prompt()).toHaveValue('a fox at dawn');
    expect(screen.getByRole('button', { name: 'Enhance' })).toHaveAttribute('aria-disabled', 'false');
  });

  it('needs a prompt, and says when it fails and for how long', async () => {
    const { user, service } = setUp(MIDWAY);
    service.on(ENHANCE, refusal(429, 'address_limit', 'No more today.', { 'Retry-After': '30' }));
    await user.click(screen.getByRole('button', { name: 'Enhance' }));
    expect(prompt()).toHaveFocus();

    await user.type(prompt(), 'a fox');
    await user.click(screen.getByRole('button', { name: 'Enhance' }));
    await pass(0);
    expect(screen.getByRole('alert')).toHaveTextContent('No more today.');
    expect(screen.getByRole('button', { name: 'Enhance' })).toHaveAttribute('aria-disabled', 'true');
    await pass(31_000);
    expect(screen.getByRole('button', { name: 'Enhance' })).toHaveAttribute('aria-disabled', 'false');
  });
});
