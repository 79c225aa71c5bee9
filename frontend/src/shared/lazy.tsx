import type { ComponentType, FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** A part of the page that did not arrive: the connection is gone, or a new version has replaced the files. */
export class PartMissing extends Error {
  constructor(cause: unknown) {
    super(`A part of the page could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'PartMissing';
  }
}

/**
 * A component that is loaded when it is first shown.
 *
 * When it cannot be loaded it raises PartMissing while rendering, for the boundary around it; shown again, it is
 * asked for again.
 *
 * @param load an import of the module, which the build then puts into a file of its own
 * @param Waiting keeps the place meanwhile
 */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Waiting: FunctionComponent = Loading,
): FunctionComponent<Props> {
  let loaded: ComponentType<Props> | undefined;

  return function Lazy(props: Props) {
    const [outcome, setOutcome] = useState<{ readonly failure?: unknown }>({});
    useEffect(() => {
      if (loaded !== undefined) {
        return undefined;
      }
      let wanted = true;
      load().then(
        (component) => {
          loaded = component;
          if (wanted) {
            setOutcome({});
          }
        },
        (failure: unknown) => {
          if (wanted) {
            setOutcome({ failure });
          }
        },
      );
      return () => {
        wanted = false;
      };
    }, []);

    if ('failure' in outcome) {
      throw new PartMissing(outcome.failure);
    }
    const Part = loaded;
    return Part === undefined ? <Waiting /> : <Part {...props} />;
  };
}

function Loading() {
  return (
    <p class="loading" role="status">
      Loading…
    </p>
  );
}
