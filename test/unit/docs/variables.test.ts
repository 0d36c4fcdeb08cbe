import { expect, test } from 'vitest';
import { loadConfig as loadOperatorConfig } from '../../../operator/config.ts';
import { loadConfig as loadServerConfig } from '../../../server/config.ts';
import { textOf } from './documents.ts';

/** Words for what is not one value: nothing, needed, found out. */
const WORDS = ['none', 'needed', 'detected', 'random', 'cores', 'all', 'any', 'ConfigMaps'];

type Load = (environment: Readonly<Record<string, string>>) => unknown;

const PROGRAMS: readonly (readonly [document: string, load: Load])[] = [
  [
    'server/README.md',
    (environment) =>
      loadServerConfig({
        LAYERCACHE_MODEL_NAME: 'm',
        LAYERCACHE_BACKBONE_URI: '/m',
        ...environment,
      }),
  ],
  [
    'operator/README.md',
    (environment) =>
      loadOperatorConfig({
        ...{ LAYERCACHE_NAMESPACE: 'n', LAYERCACHE_SERVER_IMAGE: 'server:1' },
        ...environment,
      }),
  ],
];

/** Variables of the table with the default of each. */
function defaultsOf(path: string): (readonly [name: string, standard: string])[] {
  return [...textOf(path).matchAll(/^\| (`[A-Z_]+`(?: `[A-Z_]+`)*) \| ([^|]+) \|/gm)].flatMap(
    ([, cell = '', standards = '']) => {
      const names = cell.replaceAll('`', '').split(' ');
      const values = standards.trim().split(' ');
      return names.length === values.length
        ? names.map((name, index) => [name, values[index] ?? ''] as const)
        : [];
    },
  );
}

const literal = PROGRAMS.flatMap(([path, load]) =>
  defaultsOf(path)
    .filter(([, standard]) => /^[A-Za-z0-9]+$/.test(standard) && !WORDS.includes(standard))
    .map(([name, standard]) => ({ path, name, standard, load })),
);

test('most variables have a default that can be written', () => {
  expect(literal.length).toBeGreaterThan(20);
});

test.each(literal)('$path: $name left out is $name=$standard', ({ name, standard, load }) => {
  expect(load({ [`LAYERCACHE_${name}`]: standard })).toEqual(load({}));
});
