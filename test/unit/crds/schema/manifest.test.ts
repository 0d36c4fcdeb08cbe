import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatProblems } from '../../../../crds/schema/manifest-problem.ts';
import { readManifest, type ReadManifest } from '../../../../crds/schema/manifest.ts';
import { SEED } from '../damage.ts';

const SAMPLES = 'crds/samples';

const smallest = readFileSync(`${SAMPLES}/smallest.yaml`, 'utf8');

function read(text: string): ReadManifest {
  return readManifest(text, 'service.yaml');
}

/** Problems as one line each: `line:column path message | fix`. */
function problemsOf(text: string, options = { local: false }): string[] {
  return readManifest(text, 'service.yaml', options).problems.map(
    ({ line, column, path, message, fix }) => `${line}:${column} ${path} ${message} | ${fix}`,
  );
}

test('every problem of a manifest is printed at once, with line, path, value and fix', async () => {
  const text = readFileSync('test/golden/crds/bad-manifest.yaml', 'utf8');
  const { service, problems } = readManifest(text, 'bad-manifest.yaml');
  expect(service).toBeNull();
  await expect(formatProblems(problems, 'bad-manifest.yaml')).toMatchFileSnapshot(
    '../../../golden/crds/bad-manifest.txt',
  );
});

describe('the file itself', () => {
  const files: readonly (readonly [what: string, text: string, problem: string])[] = [
    ['nothing', '', '1:1  service.yaml is empty | write a CachedModelService'],
    ['a comment only', '# nothing\n', '1:1  service.yaml is empty | write a CachedModelService'],
    ['a list', '- a\n', '1:1 document a manifest is a map of fields | write apiVersion'],
    ['null', '~\n', '1:1 document a manifest is a map of fields | write apiVersion'],
    ['a word', 'resnet', '1:1 document a manifest is a map of fields | write apiVersion'],
    ['tabs', 'spec:\n\taccuracy: 1\n', 'Tabs are not allowed as indentation'],
    ['an open bracket', 'spec: {\n', 'correct the YAML here'],
    ['an unknown tag', `${smallest}  replicas: !money 1\n`, 'Unresolved tag'],
    [
      'two documents',
      `${smallest}---\n${smallest}`,
      '13:1  service.yaml has 2 documents | keep one document per file',
    ],
    [
      'a key twice',
      `${smallest}  replicas: 1\n  replicas: 2\n`,
      '12:3  Map keys must be unique | keep one of the two',
    ],
    [
      'a word that kubectl takes for false',
      `${smallest}  tuning: { mode: Off }\n`,
      '11:19  kubectl reads an unquoted Off as a boolean | write "Off" in quotes',
    ],
    [
      'a million letters',
      'a'.repeat(1_048_577),
      '1:1  service.yaml has 1048577 characters, at most 1048576 are read',
    ],
  ];
  test.each(files)('with %s is refused', (_what, text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem);
    expect(read(text).service).toBeNull();
  });

  test('with more aliases than any manifest needs is refused without expanding them', () => {
    const levels = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const lines = levels.map((name, i) => {
      const items =
        i === 0
          ? 'x,x,x,x,x,x,x,x,x,x'
          : Array(10)
              .fill(`*${levels[i - 1]!}`)
              .join(',');
      return `${name}: &${name} [${items}]`;
    });
    const { service, problems } = read(lines.join('\n'));
    expect(service).toBeNull();
    expect(problems.map((problem) => problem.message)).toEqual(['too many aliases']);
  });

  test('may quote a word that kubectl would take for false', () => {
    expect(problemsOf(`${smallest}  tuning: { mode: "Off" }\n`)).toEqual([]);
  });

  test('may use anchors, and a problem behind an alias is reported where it is written', () => {
    const text = `${smallest}  exits:\n    - &e { name: A, tensor: t }\n    - *e\n`;
    expect(problemsOf(text).join('\n')).toMatch(/^12:18 spec\.exits\[0\]\.name /m);
  });
});

describe('kind and apiVersion', () => {
  test('a foreign kind is the only problem', () => {
    expect(problemsOf('apiVersion: apps/v1\nkind: Deployment\nspec: 1\n')).toEqual([
      '2:7 kind this program reads CachedModelService of layercache.io/v1alpha1 only | write kind: CachedModelService, or give another file',
    ]);
  });

  test('a misspelt kind or version is one problem among others', () => {
    const text = smallest
      .replace('CachedModelService', 'CachedModelServices')
      .replace('v1alpha1', 'v1');
    expect(problemsOf(text)).toEqual([
      '2:13 apiVersion unknown value, supported: layercache.io/v1alpha1 | write layercache.io/v1alpha1',
      '3:7 kind unknown value, supported: CachedModelService | write CachedModelService',
    ]);
  });

  test('missing ones are named with what to add', () => {
    expect(problemsOf('metadata: { name: a }\n').map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'apiVersion required field is missing | add apiVersion: "layercache.io/v1alpha1"',
      'kind required field is missing | add kind: "CachedModelService"',
      'spec required field is missing | add the block spec',
    ]);
  });
});

describe('fields', () => {
  const fields: readonly (readonly [lines: string, problem: string])[] = [
    ['  bakbone: {}', '11:3 spec.bakbone unknown field | did you mean backbone?'],
    [
      '  confidence: 90%',
      '11:3 spec.confidence unknown field | it belongs to spec.accuracy.confidence',
    ],
    [
      '  server: { xyzzyxyzzy: 1 }',
      '11:13 spec.server.xyzzyxyzzy unknown field | remove it, or use one of image, ',
    ],
    [
      '  exitMode: active',
      '11:13 spec.exitMode unknown value, supported: Active, Shadow, Disabled | write Active',
    ],
    ['  exitMode: xyzzyxyzzy', '| write Active or Shadow or Disabled'],
    [
      '  autoscaling: {}',
      '11:3 spec.autoscaling.maxReplicas required field is missing | add maxReplicas: 8',
    ],
    ['  autoscaling: { minReplicas: 1 }', '11:3 spec.autoscaling.maxReplicas required'],
    [
      '  exits: [{ tensor: t }]',
      '11:11 spec.exits[0].name required field is missing | add name: "early"',
    ],
    [
      '  rollout: { checks: [{ maxRegression: 1% }] }',
      'spec.rollout.checks[0].type required field is missing | add type: "LatencyP99"',
    ],
    [
      '  tuning: { minSaving: 0.5 }',
      'expected a percentage string | for the ratio 0.5 write "50%", for the percentage "0.5%"',
    ],
    ['  tuning: { minSaving: 3 }', '| write a percentage between 0% and 50%, for example "3%"'],
    ['  tuning: { minSaving: "" }', '| write a percentage between 0% and 50%, for example "3%"'],
    ['  tuning: { minSaving: [1] }', '| write a percentage between 0% and 50%, for example "3%"'],
    [
      '  rollout: { stepDeadline: 6 hours }',
      '| write a duration between 1m and 168h, for example "6h"',
    ],
    ['  replicas: two', 'this value is not allowed | write a whole number between 0 and 1000'],
    ['  suspend: "yes"', 'expected boolean, received string | change this value'],
    ['  exits: none', 'expected array, received string'],
    ['  server:', '11:10 spec.server expected object, received null'],
  ];
  test.each(fields)('%s', (lines, problem) => {
    expect(problemsOf(`${smallest}${lines}\n`).join('\n')).toContain(problem);
  });
});

describe('rules between fields', () => {
  test('are checked beside malformed fields', () => {
    const lines = '  exitMode: off\n  exits: [{ name: a, tensor: t }, { name: b, tensor: t }]\n';
    const problems = problemsOf(smallest + lines).join('\n');
    expect(problems).toContain('two exits name the same tensor | keep one');
    expect(problems).toContain('spec.exitMode');
  });

  test('are checked although required fields are missing', () => {
    const text =
      'apiVersion: layercache.io/v1alpha1\nkind: CachedModelService\nspec: { rollout: { steps: [{ share: 5% }] } }\n';
    expect(problemsOf(text).join('\n')).toContain(
      'the last step must be 100% | end with share: 100%',
    );
  });

  test('say nothing when what they look at is malformed', () => {
    const lines = '  pod: { resources: none }\n  server: { engine: TFJSGPU }\n';
    expect(problemsOf(smallest + lines).join('\n')).not.toContain('needs a GPU');
    const steps = '  rollout: { steps: [{ share: 5% }, { share: all }] }\n';
    expect(problemsOf(smallest + steps).join('\n')).not.toContain('must be 100%');
  });

  test('say nothing when too little is left of a manifest', () => {
    const text =
      'apiVersion: layercache.io/v1alpha1\nkind: CachedModelService\nmetadata: 1\nspec: 1\n';
    expect(problemsOf(text).map((line) => line.split(' ')[1])).toEqual(['metadata', 'spec']);
  });
});

describe('local mode', () => {
  test('takes what only a cluster uses, and says which fields these are', () => {
    const text = `${smallest.replace(/uri: .*/, 'uri: a.onnx')}  suspend: true\n  pod: { labels: { a: b } }\n`;
    const read = readManifest(text, 'service.yaml', { local: true });
    expect(read.problems).toEqual([]);
    expect(read.clusterOnly).toEqual(['spec.suspend', 'spec.pod']);
  });

  test('takes a path as the file beside the manifest', () => {
    const text = smallest.replace(/uri: .*/, 'uri: resnet18.onnx');
    const { service } = readManifest(text, 'service.yaml', { local: true });
    expect(service?.spec.backbone.uri).toBe('file:resnet18.onnx');
    expect(problemsOf(text).join('\n')).toContain('write a URI with https');
  });

  test('refuses what it cannot do, with the line', () => {
    expect(
      problemsOf(`${smallest}  exits: [{ name: a, model: { uri: "https://a/b" } }]\n`, {
        local: true,
      }),
    ).toEqual([
      '8:10 spec.backbone.uri local mode reads models from files | write file:PATH, relative to the manifest',
      '11:22 spec.exits[0].model local mode reads models from files | write file:PATH, relative to the manifest',
    ]);
  });
});

test('no text makes it throw, and a service never comes with problems', () => {
  const bad = readFileSync('test/golden/crds/bad-manifest.yaml', 'utf8');
  const full = readFileSync(`${SAMPLES}/full.yaml`, 'utf8');
  const edits = fc.array(
    fc.record({
      at: fc.nat(2000),
      cut: fc.nat(12),
      put: fc.constantFrom('', ' ', '\n', ':', '- ', '{', '&a ', '*a', '"', '1', '~', '\t', '!!x '),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.constantFrom(smallest, bad, full), edits, (text, list) => {
      const damaged = list.reduce((now, { at, cut, put }) => {
        const place = at % (now.length + 1);
        return now.slice(0, place) + put + now.slice(place + cut);
      }, text);
      for (const local of [false, true]) {
        const { service, problems } = readManifest(damaged, 'service.yaml', { local });
        expect(service === null).toBe(problems.length > 0);
        for (const { line, column, message, fix } of problems) {
          expect(Math.min(line, column, message.length, fix.length)).toBeGreaterThan(0);
        }
      }
    }),
    { seed: SEED, numRuns: 400 },
  );
});
