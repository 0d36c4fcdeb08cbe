import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * One table of which folders may import a package. Flat config replaces a rule's options when a later block
 * names the rule again, so every block below gets the whole list from `importRules`.
 */
const packageOwners = [
  { packages: ['@kubernetes/client-node'], folders: ['operator/kube'] },
  { packages: ['onnxruntime-node'], folders: ['server/engine/onnx', 'operator/trainer'] },
  { packages: ['@tensorflow/*'], folders: ['server/engine/tfjs'] },
  { packages: ['aws4fetch'], folders: ['server/net/stores'] },
  { packages: ['express'], folders: ['server/http', 'operator/local'] },
  { packages: ['prom-client'], folders: ['server/metrics.ts', 'operator/metrics.ts'] },
  { packages: ['commander'], folders: ['operator/cli'] },
  { packages: ['preact', 'preact/*', 'uplot', 'uplot/*'], folders: ['operator/local/page'] },
];

const inFolder = (file, folder) => file === folder || file.startsWith(`${folder}/`);

function importRules(folder) {
  const banned = packageOwners
    .filter(({ folders }) => !folders.some((owner) => inFolder(folder, owner)))
    .map(({ packages, folders }) => ({
      group: packages,
      message: `Only ${folders.join(', ')} may import this package.`,
    }));
  return { 'no-restricted-imports': ['error', { patterns: banned }] };
}

const clockAndChance = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'Take nowMs or a Clock; only clock.ts reads the time.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Take nowMs or a Clock; only clock.ts reads the time.',
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Take random: () => number; audits draw from node:crypto.',
  },
  {
    selector: "CallExpression[callee.object.name='vi'][callee.property.name='mock']",
    message: 'If a module mock is needed, the border is wrong.',
  },
];
const environment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Read the environment in config.ts only.',
};
const tlsFacts = {
  selector: 'CallExpression[callee.property.name=/^(getProtocol|getCipher)$/]',
  message:
    'Node 20.20 crashes when this runs after a failed handshake; read TLS facts once, in the connection handler.',
};

const pureFolders = [
  'crds/wire',
  'crds/v1alpha1',
  'crds/metrics',
  'crds/schema',
  'server/core',
  'operator/stats',
  'operator/lifecycle',
  'operator/training',
  'operator/plan',
];
const programFolders = [
  'charts/generate',
  'crds/generate',
  'server',
  'server/http',
  'server/net',
  'server/net/stores',
  'server/engine',
  'server/engine/onnx',
  'server/engine/tfjs',
  'operator',
  'operator/kube',
  'operator/local',
  'operator/local/page',
  'operator/cli',
  'operator/trainer',
];

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'layercache-report', 'server/examples'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: ['*.mjs', 'operator/bundle/*.mjs', 'test/mutation/*.mjs'],
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      complexity: ['error', 10],
      'max-params': ['error', 4],
      'max-lines': ['error', 400],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      'no-restricted-syntax': ['error', ...clockAndChance, environment, tlsFacts],
    },
  },
  ...programFolders.map((folder) => ({
    files: [`${folder}/**/*.{ts,tsx}`],
    rules: importRules(folder),
  })),
  ...pureFolders.map((folder) => ({
    files: [`${folder}/**/*.ts`],
    rules: { ...importRules(folder), '@typescript-eslint/explicit-module-boundary-types': 'error' },
  })),
  ...['server/metrics.ts', 'operator/metrics.ts'].map((file) => ({
    files: [file],
    rules: importRules(file),
  })),
  { files: ['**/clock.ts'], rules: { 'no-restricted-syntax': ['error', environment, tlsFacts] } },
  {
    files: ['**/config.ts', 'operator/cli/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...clockAndChance, tlsFacts] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines': ['error', 600],
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': ['error', clockAndChance[3], clockAndChance[2]],
    },
  },
  { files: ['**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
    rules: {
      'no-console': 'off',
      'no-restricted-syntax': 'off',
      ...tseslint.configs.disableTypeChecked.rules,
    },
  },
);
