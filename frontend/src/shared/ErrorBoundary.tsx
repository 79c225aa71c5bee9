import { Component, type ComponentChildren } from 'preact';

import type { Reporter } from '../api/report';
import { PartMissing } from './lazy';
import './notice.css';

interface ErrorBoundaryProps {
  /** What stands inside, as the person using the page would call it. */
  readonly region: string;
  /** 1 where it takes the place of a whole page, which keeps a first heading then. */
  readonly level?: 1 | 2;
  readonly report: Reporter;
  readonly children: ComponentChildren;
}

interface ErrorBoundaryState {
  readonly failure: { readonly error: unknown } | undefined;
  readonly reference: string | undefined;
}

const WHOLE: ErrorBoundaryState = { failure: undefined, reference: undefined };

/** Keeps a render error inside its region: it is reported, the rest of the page goes on, and a way back is offered. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = WHOLE;

  static override getDerivedStateFromError(error: unknown): Partial<ErrorBoundaryState> {
    return { failure: { error } };
  }

  override componentDidCatch(error: unknown): void {
    const reference = this.props.report({ error, region: this.props.region });
    this.setState({ failure: { error }, reference });
  }

  private readonly recover = (): void => {
    this.setState(WHOLE);
  };

  override render() {
    const { region, level = 2, children } = this.props;
    const { failure, reference } = this.state;
    if (failure === undefined) {
      return children;
    }
    const missing = failure.error instanceof PartMissing;
    const Heading = level === 1 ? 'h1' : 'h2';
    return (
      <section class="notice notice--region" role="alert" aria-label={`${region}: stopped working`}>
        <Heading class="notice__title">{missing ? `${region} could not be loaded` : `${region} stopped working`}</Heading>
        <p>
          {missing
            ? 'The connection may be gone, or a newer version of this page is out. Reloading brings the present one.'
            : 'The failure has been reported. The rest of the page still works.'}
        </p>
        <div class="notice__actions">
          <button type="button" class={missing ? 'button button--quiet' : 'button'} onClick={this.recover}>
            Try again
          </button>
          <button type="button" class={missing ? 'button' : 'button button--quiet'} onClick={reloadPage}>
            Reload the page
          </button>
        </div>
        {reference === undefined ? null : (
          <p class="notice__reference">
            Reference <code>{reference}</code>
          </p>
        )}
      </section>
    );
  }
}

function reloadPage(): void {
  location.reload();
}
