import { render } from '@testing-library/preact';
import { describe, expect, it } from 'vitest';

import { useServices } from './services';

describe('useServices', () => {
  it('names the mistake when nothing provides them', () => {
    function Orphan() {
      useServices();
      return null;
    }

    expect(() => render(<Orphan />)).toThrow('ServicesContext.Provider');
  });
});
