import eslint from '@eslint/js';
import jsxA11y from 'eslint-plugin-jsx-a11y-x';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const FEATURES = ['generate', 'gallery'];

/**
 * Forbids the files of one folder to import from others; all imports of this page's own are relative.
 *
 * @param {string} folder below src
 * @param {string[]} forbidden folders, as they stand in an import
 * @param {string} message
 * @returns {import('eslint').Linter.Config}
 */
function zone(folder, forbidden, message) {
  return {
    files: [`src/${folder}/**/*.{ts,tsx}`],
    ignores: ['**/*.test.{ts,tsx}'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ regex: `^(\\.\\./)+(${[...forbidden, 'testing'].join('|')})(/|$)`, message }] },
      ],
    },
  };
}

export default defineConfig(
  globalIgnores(['dist', 'coverage', 'report', 'src/api/schema.d.ts']),
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-console': ['error', { allow: ['error'] }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: ['src/**/*.tsx'],
    extends: [jsxA11y.configs.strict],
    // Preact takes HTML's own attribute names.
    settings: { 'jsx-a11y-x': { attributes: { for: ['for'] } } },
  },
  {
    // The two rules that hold for Preact; the preset's others prepare code for React's compiler.
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': { rules: reactHooks.rules } },
    rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' },
  },
  // Imports point one way: app -> features -> shared -> api -> config. No feature knows another.
  zone('config', ['api', 'shared', 'features', 'app'], 'config stands at the bottom and imports nothing.'),
  zone('api', ['shared', 'features', 'app'], 'api may import config only.'),
  zone('shared', ['features', 'app'], 'shared may import api and config only.'),
  zone('app', [], 'only tests may import from testing.'),
  ...FEATURES.map((feature) =>
    zone(
      `features/${feature}`,
      ['app', 'features', ...FEATURES.filter((other) => other !== feature)],
      'a feature may import shared, api and config; the app puts features together.',
    ),
  ),
);
