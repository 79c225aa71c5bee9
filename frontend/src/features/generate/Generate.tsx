import { useMemo } from 'preact/hooks';

import { useServices } from '../../shared/services';
import { createGenerateApi } from './api';
import { Composer } from './components/Composer';
import { Results } from './components/Results';
import { useGeneration } from './useGeneration';
import { useModels } from './useModels';

interface GenerateProps {
  /** Called when a job has ended and its images are in the gallery. */
  readonly onEnded: () => void;
}

/** From a prompt to its images. */
export function Generate({ onEnded }: GenerateProps) {
  const { client, environment } = useServices();
  const api = useMemo(() => createGenerateApi(client, environment.imageHost), [client, environment]);
  const models = useModels(api);
  const { generation, start, resume } = useGeneration(api, onEnded);
  return (
    <div class="workbench">
      <Composer generation={generation} onSubmit={start} />
      <Results generation={generation} models={models} onResume={resume} />
    </div>
  );
}
