import type { Problem } from './problem';
import { useNow } from './useNow';

/** True while the service has said to wait; renews itself, so that the button wakes up in time. */
export function useBarred(problem: Problem | undefined): boolean {
  const retryAt = problem?.retryAt;
  const now = useNow(retryAt !== undefined);
  return retryAt !== undefined && now < retryAt;
}
