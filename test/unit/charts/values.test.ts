import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  defaultValues,
  isBlock,
  valueSchema,
  type ValueSchema,
} from '../../../charts/generate/values/value-schema.ts';
import { readFileSync } from 'node:fs';
import { CHART, MAJORS, render, renderObjects } from './helm.ts';
import { problemsOf } from './policy-rules.ts';
import { MONITORING } from './scenarios.ts';

const SEED = { seed: 20_261_126 };

interface Place {
  readonly path: readonly string[];
  readonly schema: ValueSchema;
}

/** Every value, and every block, with its path. */
function placesOf(schema: ValueSchema, path: readonly string[] = []): readonly Place[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, of]) => {
    const at = [...path, key];
    return [{ path: at, schema: of }, ...placesOf(of, at)];
  });
}

const PLACES = placesOf(valueSchema());
const LEAVES = PLACES.filter(({ schema }) => !isBlock(schema));
const CLOSED = PLACES.filter(({ schema }) => schema.additionalProperties === false);

function valuesAt(path: readonly string[], value: unknown): object {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}

function merge(a: unknown, b: unknown): unknown {
  const isMap = (one: unknown): one is Record<string, unknown> =>
    typeof one === 'object' && one !== null && !Array.isArray(one);
  if (!isMap(a) || !isMap(b)) return b;
  return Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => [
      key,
      key in a && key in b ? merge(a[key], b[key]) : (b[key] ?? a[key]),
    ]),
  );
}

/** Anything that the schema lets through; what is handed to Kubernetes unseen stays as it is. */
function anyOf(schema: ValueSchema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(anyOf));
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'string') return textOf(schema);
  if (schema.type === 'object') return mapOf(schema);
  return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 99, 99_999) });
}

function textOf({ pattern }: ValueSchema): fc.Arbitrary<string> {
  if (pattern === undefined) return fc.string({ unit: 'grapheme', maxLength: 40 });
  return fc.stringMatching(new RegExp(pattern)).map((text) => text.slice(0, 250));
}

function mapOf({ propertyNames, additionalProperties }: ValueSchema): fc.Arbitrary<object> {
  const values = additionalProperties as ValueSchema;
  const isOpen = values.type === undefined && values.anyOf === undefined;
  if (isOpen || values.type === 'object') return fc.constant({});
  return fc.dictionary(
    fc.stringMatching(new RegExp(propertyNames?.pattern ?? '^[a-z]{1,20}$')),
    anyOf(values),
    { maxKeys: 3 },
  );
}

const randomValues = fc
  .subarray([...LEAVES], { maxLength: 12 })
  .chain((places) =>
    fc.tuple(
      ...places.map(({ path, schema }) => anyOf(schema).map((value) => valuesAt(path, value))),
    ),
  )
  .map((parts) => parts.reduce<unknown>(merge, {}) as object);

/** What values cannot mean together. */
const REFUSALS =
  /would scrape the operator twice|rbac\.scope is Namespaced|no node could ever be drained|some namespaces would have no leader|is set by the chart itself/;

describe('random valid values', () => {
  test('render what keeps every rule, or are refused in a sentence of the chart', async () => {
    await fc.assert(
      fc.asyncProperty(randomValues, fc.constantFrom(...MAJORS), async (values, major) => {
        const rendered = await render({ values, major, apiVersions: MONITORING });
        if (!rendered.ok) {
          expect(rendered.error).toMatch(REFUSALS);
          return;
        }
        const problems = problemsOf(rendered.objects).filter(isNoChoice);
        expect(problems).toEqual([]);
      }),
      { ...SEED, numRuns: 25 },
    );
  }, 300_000);
});

/** Images with tag latest are warned of, not refused; a name of somebody may be anything. */
function isNoChoice(problem: string): boolean {
  return !problem.endsWith('has no fixed image');
}

describe('a misspelt key', () => {
  const misspelt = fc.constantFrom(...CLOSED, { path: [], schema: valueSchema() }).chain((place) =>
    fc
      .tuple(
        fc.constantFrom(...Object.keys(place.schema.properties ?? {})),
        fc.constantFrom(
          (key: string) => `${key}s`,
          (key: string) => key.slice(1),
          (key: string) => `${key.slice(0, 1).toUpperCase()}${key.slice(1)}`,
          (key: string) => key.split('').reverse().join(''),
        ),
      )
      .map(([key, twist]) => ({ place, key: twist(key) }))
      .filter(({ key }) => key !== '' && !(key in (place.schema.properties ?? {}))),
  );

  test('is refused by both Helms, which name it', async () => {
    await fc.assert(
      fc.asyncProperty(misspelt, fc.constantFrom(...MAJORS), async ({ place, key }, major) => {
        const rendered = await render({ values: valuesAt([...place.path, key], true), major });
        expect(rendered.ok).toBe(false);
        expect(rendered.ok ? '' : rendered.error).toContain(key);
      }),
      { ...SEED, numRuns: 15 },
    );
  }, 300_000);
});

test('a value that is set to null is refused instead of read as its zero', async () => {
  for (const path of [['metrics', 'port'], ['rbac'], ['operator', 'image', 'repository']]) {
    const rendered = await render({ values: valuesAt(path, null) });
    expect(rendered.ok ? '' : rendered.error).toContain(path.at(-1));
  }
});

test('an entry of a map is taken out with null', async () => {
  const values = { operator: { resources: { limits: { memory: null } } } };
  const text = JSON.stringify(await renderObjects({ values }));
  expect(text).not.toContain('max-old-space-size');
});

test('values.yaml says of every value what it is, and holds the defaults of the schema', () => {
  const text = readFileSync(`${CHART}/values.yaml`, 'utf8');
  expect(parse(text)).toEqual(defaultValues());
  for (const { path, schema } of PLACES) {
    expect(schema.description, path.join('.')).toMatch(/^.+\.$/s);
  }
});

test('every value is read by a template', () => {
  const templates = ['deployment', 'monitors', 'alerts', 'dashboards', 'rbac', 'aggregate-roles']
    .concat(['crds', 'serviceaccount', 'pdb', 'networkpolicy', 'admission-policies'])
    .concat(['extra-objects', 'tests/smoke'])
    .map((name) => readFileSync(`${CHART}/templates/${name}.yaml`, 'utf8'));
  const helpers = ['_helpers', '_warnings'].map((name) =>
    readFileSync(`${CHART}/templates/${name}.tpl`, 'utf8'),
  );
  const text = [...templates, ...helpers].join('\n');
  const unread = LEAVES.filter(
    ({ path }) => path.join() !== 'enabled' && !path.includes('resources'),
  ).filter(({ path }) => !text.includes(`.${String(path.at(-1))}`));
  expect(unread.map(({ path }) => path.join('.'))).toEqual([]);
});
