import { useMemo, useState } from 'preact/hooks';

import { ErrorBoundary } from '../../shared/ErrorBoundary';
import { Prompt } from '../../shared/Prompt';
import { jobPath } from '../../shared/route';
import { Link, useRouter, useTitle } from '../../shared/router';
import { useServices } from '../../shared/services';
import { shorten } from '../../shared/words';
import { createGenerateApi } from './api';
import { Composer } from './components/Composer';
import { Results } from './components/Results';
import { PACE } from './followJob';
import { type Generation, jobOf, tally } from './generation';
import { unfinishedJob } from './jobMemory';
import { useGeneration } from './useGeneration';
import { useModels } from './useModels';

interface GenerateProps {
  /** The job to show; none for an empty page. */
  readonly jobId: string | undefined;
  /** Called when a job has ended and its images are in the gallery. */
  readonly onEnded: () => void;
}

/** From a prompt to its images. */
export function Generate({ jobId, onEnded }: GenerateProps) {
  const { client, environment, report } = useServices();
  const { navigate } = useRouter();
  const api = useMemo(() => createGenerateApi(client, environment.imageHost), [client, environment]);
  const models = useModels(api);
  const { generation, start, resume, retry } = useGeneration({
    api,
    jobId,
    onAccepted: (id) => {
      navigate(jobPath(id));
    },
    onEnded,
  });
  useTitle(titleOf(generation));
  return (
    <>
      {generation.phase === 'idle' ? <Unfinished /> : null}
      <div class="workbench">
        <ErrorBoundary region="The generator" report={report}>
          <Composer api={api} generation={generation} onSubmit={start} />
        </ErrorBoundary>
        <ErrorBoundary region="The results" report={report}>
          <Results
            generation={generation}
            models={models}
            onResume={resume}
            onRetry={retry}
            onRunAgain={start}
          />
        </ErrorBoundary>
      </div>
    </>
  );
}

/** The way back to a job that was left while it ran. */
function Unfinished() {
  const [job] = useState(() => unfinishedJob(Date.now(), PACE.deadline));
  return job === undefined ? null : (
    <p class="unfinished">
      <Prompt text={shorten(job.request.prompt, 60)} class="unfinished__prompt" /> is not finished yet.{' '}
      <Link to={jobPath(job.retryOf ?? job.id)}>Show the job</Link>
    </p>
  );
}

function titleOf(generation: Generation): string {
  const job = jobOf(generation);
  if (job === undefined || job.total === 0) {
    return 'Pixel Prompt: one prompt, an image from every model';
  }
  const { done, total } = tally(job);
  return `${String(done)} of ${String(total)} ready`;
}
