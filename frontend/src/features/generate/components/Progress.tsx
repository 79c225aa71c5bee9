import { clock, inWords, unit } from '../../../shared/time';
import { useNow } from '../../../shared/useNow';
import { type Generation, type Job, jobOf, tally, underWay } from '../generation';

/**
 * How far the job is and how long it has taken.
 *
 * The clock in sight ticks each second; the live region beside it changes only when something has happened, so that a
 * screen reader speaks of events and not of seconds.
 */
export function Progress({ generation }: { readonly generation: Generation }) {
  const following = generation.phase === 'following';
  const now = useNow(following);
  const job = 'job' in generation ? generation.job : undefined;
  const until = 'endedAt' in generation ? generation.endedAt : now;
  const since = job?.startedAt;
  const elapsed = since === undefined ? undefined : Math.max(0, until - since);
  const { done, failed, total } = job === undefined ? { done: 0, failed: 0, total: 0 } : tally(job);
  // Up to the last event, not up to the last second.
  const announced = following && since !== undefined ? Math.max(0, generation.job.changedAt - since) : elapsed;

  return (
    <div class="progress">
      <p role="status" class="visually-hidden">
        {announcement(generation, announced)}
      </p>
      {generation.phase === 'submitting' || (following && total === 0) ? (
        <progress class="progress__bar" aria-label="Handing the prompt over" />
      ) : job === undefined || total === 0 ? null : (
        <>
          <p class="progress__facts" aria-hidden="true">
            <span>
              {done + failed} of {total}
            </span>
            {elapsed === undefined ? null : <span class="progress__time">{clock(elapsed)}</span>}
          </p>
          <progress
            class="progress__bar"
            aria-label="Models that have finished"
            max={Math.max(1, total)}
            value={done + failed}
          />
        </>
      )}
    </div>
  );
}

function announcement(generation: Generation, elapsed: number | undefined): string {
  const job = jobOf(generation);
  const retries = [...(job?.retries.values() ?? [])];
  const retrying = retries.filter(underWay).length;
  if (job !== undefined && retrying > 0 && !underWay(generation)) {
    return `Trying ${unit(retrying, 'model')} again: ${counts(job)}.`;
  }
  // A retry comes long after the job, whose time says nothing of it.
  const words = elapsed === undefined || retries.length > 0 ? undefined : inWords(elapsed);
  const after = words === undefined ? '' : ` after ${words}`;
  switch (generation.phase) {
    case 'idle':
      return '';
    case 'refused':
      return job === undefined || retries.length === 0 ? '' : `Finished: ${counts(job)}.`;
    case 'submitting':
      return 'Sending the prompt.';
    case 'following':
      return generation.trouble === undefined
        ? `Generating: ${counts(generation.job)}${words === undefined ? '' : `, ${words} so far`}.`
        : `Generating: ${counts(generation.job)}. ${generation.trouble.title}, trying again.`;
    case 'lost':
      return `No more news of the job: ${counts(generation.job)}${after}.`;
    case 'ended':
      return `Finished: ${counts(generation.job)}${after}.`;
  }
}

function counts(job: Job): string {
  const { done, failed, total } = tally(job);
  return `${String(done)} of ${String(total)} images ready${failed === 0 ? '' : `, ${String(failed)} failed`}`;
}
