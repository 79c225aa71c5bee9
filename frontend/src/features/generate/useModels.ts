import { useEffect, useState } from 'preact/hooks';

import type { NamedModel } from '../../api/contract';
import type { GenerateApi } from './api';

/**
 * The models by name; none until they are known.
 *
 * Results carry ids. Without the names they are shown by id, so a failure here is no reason to disturb anybody.
 */
export function useModels(api: GenerateApi): readonly NamedModel[] {
  const [models, setModels] = useState<readonly NamedModel[]>([]);

  useEffect(() => {
    const controller = new AbortController();
    api.models(controller.signal).then(setModels, () => undefined);
    return () => {
      controller.abort();
    };
  }, [api]);

  return models;
}
