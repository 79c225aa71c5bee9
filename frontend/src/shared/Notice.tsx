import type { ComponentChildren } from 'preact';

import type { Problem } from './problem';
import { clock, inWords } from './time';
import { useNow } from './useNow';
import './notice.css';

interface NoticeProps {
  readonly problem: Problem;
  /** Buttons that offer a way on. */
  readonly children?: ComponentChildren;
}

/** Tells of a failure at once, also to those who cannot see it. */
export function Notice({ problem, children }: NoticeProps) {
  return (
    <div class="notice" role="alert">
      <p class="notice__title">{problem.title}</p>
      <p>{problem.advice}</p>
      {problem.retryAt === undefined ? null : <TimeLeft until={problem.retryAt} />}
      {children === undefined ? null : <div class="notice__actions">{children}</div>}
      {problem.correlationId === undefined ? null : (
        <p class="notice__reference">
          Reference <code>{problem.correlationId}</code>
        </p>
      )}
    </div>
  );
}

/** Counts down without being read out each second; the words for a screen reader are those of the first look. */
function TimeLeft({ until }: { readonly until: number }) {
  const now = useNow(true);
  const left = until - now;
  if (left <= 0) {
    return <p>You can try again now.</p>;
  }
  return (
    <p>
      You can try again in{' '}
      <span role="timer" aria-live="off" class="notice__time">
        {left < 3_600_000 ? clock(left) : inWords(left)}
      </span>
      .
    </p>
  );
}
