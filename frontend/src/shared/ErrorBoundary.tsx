import { Component, type ComponentChildren } from 'preact';

import type { Reporter } from '../api/report';
import './notice.css';

interface ErrorBoundaryProps {
  /** What stands inside, as the person using the page would call it. */
  readonly region: string;
  readonly report: Reporter;
  readonly children: ComponentChildren;
}

interface ErrorBoundaryState {
  readonly failed: boolean;
  readonly reference: string | undefined;
}

/** Keeps a render error inside its region: it is reported, the rest of the page goes on, and a way back is offered. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { failed: false, reference: undefined };

  static override getDerivedStateFromError(): Partial<ErrorBoundaryState> {
    return { failed: true };
  }

  override componentDidCatch(error: unknown): void {
    const reference = this.props.report({ error, region: this.props.region });
    this.setState({ failed: true, reference });
  }

  private readonly recover = (): void => {
    this.setState({ failed: false, reference: undefined });
  };

  override render() {
    const { region, children } = this.props;
    const { failed, reference } = this.state;
    if (!failed) {
      return children;
    }
    return (
      <section class="notice notice--region" role="alert" aria-label={`${region}: stopped working`}>
        <h2 class="notice__title">{region} stopped working</h2>
        <p>The failure has been reported. The rest of the page still works.</p>
        <div class="notice__actions">
          <button type="button" class="button" onClick={this.recover}>
            Try again
          </button>
          <button type="button" class="button button--quiet" onClick={reloadPage}>
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
