import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';

import { bundleReport } from './build/bundleReport.ts';
import { compressedPreview } from './build/compressedPreview.ts';
import { deployment } from './build/deployment.ts';
import { integrity } from './build/integrity.ts';
import { JSX, opening } from './build/opening.ts';
import { readEnvironment } from './src/config/env.ts';

export default defineConfig(({ mode }) => {
  const variables = loadEnv(mode, import.meta.dirname, 'VITE_');

  return {
    oxc: JSX,
    plugins: [
      deployment(readEnvironment(variables), Object.keys(variables)),
      opening(),
      integrity(),
      bundleReport(mode === 'report'),
      compressedPreview(),
    ],
    server: { host: '127.0.0.1' },
    preview: { host: '127.0.0.1', headers: { 'X-Content-Type-Options': 'nosniff', 'X-Frame-Options': 'DENY' } },
    build: {
      target: 'es2023',
      sourcemap: false,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: true,
      // Two files of one size: each fits into what a new connection sends at once (ten packets, 14.6 KB), and what lies
      // below the features seldom changes. See docs/adr/0011.
      rolldownOptions: {
        output: { codeSplitting: { groups: [{ name: 'base', test: /node_modules\/preact\/|\/src\/(?:api|config|shared)\/\w+\.ts$/ }] } },
      },
    },
    test: {
      environment: 'jsdom',
      environmentOptions: { jsdom: { url: 'http://localhost:3000/' } },
      include: ['src/**/*.test.{ts,tsx}', 'build/**/*.test.ts'],
      setupFiles: ['src/testing/setup.ts'],
      // One document serves all files of a worker; the setup file leaves it clean after each test.
      isolate: false,
      restoreMocks: true,
      unstubEnvs: true,
      unstubGlobals: true,
      coverage: {
        provider: 'v8',
        include: ['src/**/*.{ts,tsx}', 'build/**/*.ts'],
        exclude: ['**/*.test.{ts,tsx}', '**/*.d.ts', 'src/testing/**', 'src/main.tsx', 'src/early.ts'],
        reportsDirectory: 'coverage',
        reporter: ['text-summary', 'json-summary', 'html'],
        thresholds: { lines: 85, statements: 85, functions: 85, branches: 80 },
      },
    },
  };
});
