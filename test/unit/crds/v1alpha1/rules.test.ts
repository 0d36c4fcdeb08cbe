import { describe, expect, test } from 'vitest';

import { HEAD_REVISION_TRANSITION_RULES } from '../../../../crds/v1alpha1/head-revision-rules.ts';
import { LOCAL_RULES } from '../../../../crds/v1alpha1/local-rules.ts';
import { SERVICE_RULES, SERVICE_TRANSITION_RULES } from '../../../../crds/v1alpha1/rules.ts';
import { HEAD_REVISION_RULES } from '../../../../crds/v1alpha1/head-revision-rules.ts';
import {
  cacheHeadRevision,
  type CacheHeadRevision,
} from '../../../../crds/v1alpha1/cache-head-revision.ts';
import { aRevisionManifest } from '../verdicts/objects.ts';
import { HEAD_REVISION_CASES, SERVICE_CASES } from '../verdicts/rule-cases.ts';
import { judge } from '../verdicts/twins.ts';
import { aManifest, aService } from './service.ts';

type Spec = Record<string, unknown>;

function aRevision(spec: Spec = {}, name?: string): CacheHeadRevision {
  return cacheHeadRevision.parse(aRevisionManifest(spec, name));
}

function messagesOf(broken: readonly string[]): string[] {
  return broken.map((text) => text.slice(text.indexOf(': ') + 2));
}

describe.each(SERVICE_CASES)('%s', (message, broken, sound) => {
  const messages = (spec?: Spec, name?: string): string[] =>
    messagesOf(judge('cachedmodelservices', aManifest(spec, name)).broken);

  test('holds exactly where it should', () => {
    for (const { spec, name } of broken) expect(messages(spec, name)).toContain(message);
    for (const { spec, name } of sound) expect(messages(spec, name)).not.toContain(message);
  });
});

describe.each(HEAD_REVISION_CASES)('of a revision: %s', (message, broken, sound) => {
  const messages = (spec?: Spec, name?: string): string[] =>
    messagesOf(judge('cacheheadrevisions', aRevisionManifest(spec, name)).broken);

  test('holds exactly where it should', () => {
    for (const { spec, name } of broken) expect(messages(spec, name)).toContain(message);
    for (const { spec, name } of sound) expect(messages(spec, name)).not.toContain(message);
  });
});

test('every rule has a case', () => {
  const tested = new Set([...SERVICE_CASES, ...HEAD_REVISION_CASES].map(([message]) => message));
  const untested = [...SERVICE_RULES, ...HEAD_REVISION_RULES].filter(
    (rule) => !tested.has(rule.message),
  );
  expect(untested.map((rule) => rule.message)).toEqual([]);
});

test('every rule and every field rule stands as CEL in the definition', () => {
  for (const { cel, message } of [...SERVICE_RULES, ...HEAD_REVISION_RULES]) {
    expect(cel, message).toMatch(/self|oldSelf/);
  }
});

test('a rule names each place that breaks it', () => {
  const service = aService({ exits: [{ name: 'a' }, { name: 'b', tensor: 't' }, { name: 'c' }] });
  expect(SERVICE_RULES.flatMap((rule) => rule.brokenAt(service))).toEqual([
    ['spec', 'exits', 0],
    ['spec', 'exits', 2],
  ]);
  expect(SERVICE_RULES.every((rule) => rule.holds(service))).toBe(false);
  expect(SERVICE_RULES.every((rule) => rule.holds(aService()))).toBe(true);
});

describe('between an object and the one that it replaces', () => {
  const [modelName] = SERVICE_TRANSITION_RULES;

  test('the model name cannot change, but what was computed may be written out', () => {
    const before = aService({}, 'vision');
    expect(modelName?.holds(aService({ modelName: 'vision' }), before)).toBe(true);
    expect(modelName?.holds(aService({ modelName: 'other' }), before)).toBe(false);
    expect(modelName?.holds(before, aService({ modelName: 'other' }))).toBe(false);
    expect(modelName?.holds(aService({ replicas: 2 }), before)).toBe(true);
  });

  test('a revision cannot change in any field of its spec', () => {
    const [immutable] = HEAD_REVISION_TRANSITION_RULES;
    const before = aRevision();
    expect(immutable?.holds(aRevision(), before)).toBe(true);
    expect(immutable?.holds(aRevision({ classCount: 999 }), before)).toBe(false);
  });
});

function localMessages(spec: Spec): string[] {
  const service = aService(spec);
  return LOCAL_RULES.filter((rule) => !rule.holds(service)).map((rule) => rule.message);
}

test('local mode takes files, tensors and its engines, and says what else it meets', () => {
  expect(localMessages({ backbone: { uri: 'file:m' }, server: { engine: 'ONNX' } })).toEqual([]);
  expect(
    localMessages({
      exits: [{ name: 'a', model: { uri: 'https://m.example.com/x' } }],
      server: { engine: 'TFJSCPU' },
    }),
  ).toEqual([
    'local mode reads models from files: write file:PATH, relative to the manifest',
    'local mode reads models from files: write file:PATH, relative to the manifest',
    'local mode has the engines ONNX and TFJSWASM: set server.engine to one of them, or to Auto',
  ]);
});
