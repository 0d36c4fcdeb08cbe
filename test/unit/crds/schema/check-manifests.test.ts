import { readdirSync, readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';

import { checkManifests } from '../../../../crds/schema/check-manifests.ts';
import { formatProblems } from '../../../../crds/schema/manifest-problem.ts';
import { SEED } from '../damage.ts';
import { BOUND_ROWS, RULE_ROWS } from '../verdicts/rows.ts';
import { judge } from '../verdicts/twins.ts';

const SAMPLES = 'crds/samples';

/** Problems as `line:column path message`. */
function problemsOf(text: string): string[] {
  return checkManifests(text, 'all.yaml').problems.map(
    ({ line, column, path, message }) => `${line}:${column} ${path} ${message}`,
  );
}

const revision = readFileSync(`${SAMPLES}/own-heads-revision.yaml`, 'utf8');
const service = readFileSync(`${SAMPLES}/own-heads.yaml`, 'utf8');
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: heads }\n';

test.each(readdirSync(SAMPLES).filter((file) => file.endsWith('.yaml')))(
  'the sample %s is valid',
  (file) => {
    const text = readFileSync(`${SAMPLES}/${file}`, 'utf8');
    const { valid, skipped, problems } = checkManifests(text, file);
    expect({ problems, skipped }).toEqual({ problems: [], skipped: [] });
    expect(valid).toHaveLength(1);
  },
);

test('every problem of every object is printed at once, in the order of the file', async () => {
  const text = readFileSync('test/golden/crds/bad-objects.yaml', 'utf8');
  const { valid, skipped, problems } = checkManifests(text, 'bad-objects.yaml');
  expect(valid.map(({ name }) => name)).toEqual(['right']);
  expect(skipped).toEqual([{ kind: 'ConfigMap', name: 'vision-heads', line: 27 }]);
  await expect(formatProblems(problems, 'bad-objects.yaml')).toMatchFileSnapshot(
    '../../../golden/crds/bad-objects.txt',
  );
});

test('an object is refused by the file check exactly where parser and rules refuse it', () => {
  const bounds = BOUND_ROWS.filter(({ kind }, i) => kind === 'cacheheadrevisions' || i % 4 === 0);
  const surprises = [...RULE_ROWS, ...bounds].flatMap(({ what, kind, object }) => {
    const { malformed, broken } = judge(kind, object);
    const { problems } = checkManifests(stringify(object, { compat: 'yaml-1.1' }), 'x.yaml');
    const isAlike =
      problems.length > 0 === malformed.length + broken.length > 0 &&
      broken.every((rule) => problems.some(({ path }) => rule.startsWith(path)));
    return isAlike ? [] : [what];
  });
  expect(surprises).toEqual([]);
});

describe('a file of several documents', () => {
  test('has the objects of both kinds, each at its line', () => {
    expect(checkManifests(`${service}---\n${revision}`, 'all.yaml').valid).toEqual([
      { kind: 'CachedModelService', name: 'own-heads', line: 2 },
      { kind: 'CacheHeadRevision', name: 'own-heads-3f2a9c1b77d0', line: 22 },
    ]);
  });

  test('may have empty documents, comments, and objects of others between', () => {
    const text = `---\n# first\n---\n${configMap}---\n${revision}---\n`;
    const { valid, skipped, problems } = checkManifests(text, 'all.yaml');
    expect(problems).toEqual([]);
    expect(skipped).toEqual([{ kind: 'ConfigMap', name: 'heads', line: 4 }]);
    expect(valid).toHaveLength(1);
  });

  test('without any of ours is one problem', () => {
    expect(problemsOf(`${configMap}---\n${configMap}`)).toEqual([
      '2:7 kind this program reads CachedModelService and CacheHeadRevision of layercache.io/v1alpha1 only',
    ]);
  });

  test('with broken YAML in one document still has the others judged', () => {
    const text = `${revision.replace('pool: 2', 'pool: 3')}---\nkind: [\n---\n${service.replace('1%', '99%')}`;
    const problems = problemsOf(text).join('\n');
    expect(problems).toContain('spec.exits[0] pool must be 1, 2 or 4');
    expect(problems).toContain('spec.accuracy.maxDisagreement');
    expect(problems).toContain('Flow sequence');
  });

  test('with nothing in it is empty', () => {
    for (const text of ['', '---\n---\n', '# nothing\n']) {
      expect(problemsOf(text)).toEqual(['1:1  all.yaml is empty']);
    }
  });
});

describe('a head revision', () => {
  test('is judged by its rules beside malformed and missing fields', () => {
    const problems = problemsOf(
      'apiVersion: layercache.io/v1alpha1\nkind: CacheHeadRevision\nmetadata: { name: a }\n' +
        'spec: { exits: [{ name: e, tensor: t }], bundle: { sizeBytes: none } }\n',
    );
    expect(problems.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'spec.serviceName required field is missing',
      'spec.backboneDigest required field is missing',
      'spec.classCount required field is missing',
      'spec.exits[0] set tensor, pool and hidden, or modelDigest alone',
      'spec.bundle.digest required field is missing',
      'spec.bundle.sizeBytes this value is not allowed',
    ]);
  });

  test('without a spec lacks that alone', () => {
    expect(
      problemsOf(
        'apiVersion: layercache.io/v1alpha1\nkind: CacheHeadRevision\nmetadata: {name: a}\n',
      ),
    ).toEqual(['1:1 spec required field is missing']);
  });

  test('needs a name that an API server takes', () => {
    const named = (name: string): string => revision.replace(/name: own-heads-.*/, `name: ${name}`);
    for (const name of ['a', 'a.b-c.d', `0${'a'.repeat(62)}`])
      expect(problemsOf(named(name))).toEqual([]);
    for (const name of ['A', 'a_b', '-a', 'a.', 'a..b']) {
      expect(problemsOf(named(name))[0]).toContain('metadata.name a lowercase RFC 1123 subdomain');
    }
    expect(problemsOf(named('a'.repeat(64)))[0]).toContain('must be at most 63 characters');
  });
});

test('no text makes it throw, and what is valid has no problem', () => {
  const bad = readFileSync('test/golden/crds/bad-objects.yaml', 'utf8');
  const edits = fc.array(
    fc.record({
      at: fc.nat(3000),
      cut: fc.nat(12),
      put: fc.constantFrom('', ' ', '\n', '\n---\n', ':', '- ', '{', '&a ', '*a', '"', '~', '\t'),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.constantFrom(`${service}---\n${revision}`, bad), edits, (text, list) => {
      const damaged = list.reduce((now, { at, cut, put }) => {
        const place = at % (now.length + 1);
        return now.slice(0, place) + put + now.slice(place + cut);
      }, text);
      const { valid, problems } = checkManifests(damaged, 'all.yaml');
      expect(valid.length + problems.length).toBeGreaterThan(0);
      for (const { line, column, message, fix } of problems) {
        expect(Math.min(line, column, message.length, fix.length)).toBeGreaterThan(0);
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
});
