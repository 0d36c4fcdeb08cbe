import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { isWithin } from '../../../crds/schema/shape-problems.ts';
import { HEAD_REVISION_RULES } from '../../../crds/v1alpha1/head-revision-rules.ts';
import { SERVICE_RULES } from '../../../crds/v1alpha1/rules.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { aRevisionManifest } from '../../unit/crds/verdicts/objects.ts';
import { BOUND_ROWS, RULE_ROWS, STATUS_ROWS } from '../../unit/crds/verdicts/rows.ts';
import { judge, judgeStatus, type Judgement, type Kind } from '../../unit/crds/verdicts/twins.ts';
import { aManifest } from '../../unit/crds/v1alpha1/service.ts';
import { applyDefinition, committedDefinitions } from './definitions.ts';
import { judgementOf } from './server-verdict.ts';

/**
 * Parser, TypeScript twins and a real API server judge the same objects: which are refused, for which fields, by which
 * rules. Nothing is stored: creates are dry runs.
 */
const plane = await sharedControlPlane();

const messages = new Set([...SERVICE_RULES, ...HEAD_REVISION_RULES].map(({ message }) => message));
const API = '/apis/layercache.io/v1alpha1/namespaces';
const DRY = 'dryRun=All&fieldValidation=Strict';
const LANES = 8;

let namespace = '';
let endNamespace: () => Promise<void> = () => Promise.resolve();

async function serverJudgement(kind: Kind, object: unknown): Promise<Judgement> {
  const path = `${API}/${namespace}/${kind}?${DRY}`;
  return judgementOf(await plane.request({ method: 'POST', path, body: object }), messages);
}

async function serverStatusJudgement(kind: Kind, status: unknown): Promise<Judgement> {
  const name = kind === 'cachedmodelservices' ? 'judged' : 'judged-heads';
  const path = `${API}/${namespace}/${kind}/${name}/status?${DRY}`;
  const contentType = 'application/merge-patch+json';
  const answer = await plane.request({ method: 'PATCH', path, contentType, body: { status } });
  return judgementOf(answer, messages);
}

/** Both sides name the same fields; a list may be named for its item and the other way round. */
function nameSameFields(ours: readonly string[], theirs: readonly string[]): boolean {
  const isNear = (a: string, b: string): boolean => isWithin(a, b) || isWithin(b, a);
  return (
    ours.every((path) => theirs.some((other) => isNear(path, other))) &&
    theirs.every((path) => ours.some((other) => isNear(path, other)))
  );
}

function agree(ours: Judgement, theirs: Judgement): boolean {
  if (!nameSameFields(ours.malformed, theirs.malformed)) return false;
  // Rules are not looked at by our parser while the shape is broken; the API server looks at some.
  return ours.malformed.length > 0 || ours.broken.join('\n') === theirs.broken.join('\n');
}

interface Pair {
  readonly what: string;
  readonly ours: Judgement;
  theirs(): Promise<Judgement>;
}

async function disagreements(pairs: readonly Pair[]): Promise<string[]> {
  const found: string[] = [];
  const queue = [...pairs];
  const lane = async (): Promise<void> => {
    for (let pair = queue.pop(); pair !== undefined; pair = queue.pop()) {
      const theirs = await pair.theirs();
      if (agree(pair.ours, theirs)) continue;
      found.push(
        `${pair.what}\n  ours ${JSON.stringify(pair.ours)}\n  API  ${JSON.stringify(theirs)}`,
      );
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return found;
}

describe.skipIf(plane.unavailable !== null)('parser, twins and API server', () => {
  beforeAll(async () => {
    for (const definition of committedDefinitions()) {
      await applyDefinition(plane.request, definition);
    }
    const created = await plane.namespace();
    namespace = created.name;
    endNamespace = () => created.delete();
    for (const [kind, object] of [
      ['cachedmodelservices', aManifest({}, 'judged')],
      ['cacheheadrevisions', aRevisionManifest({}, 'judged-heads')],
    ] as const) {
      const path = `${API}/${namespace}/${kind}`;
      const { status } = await plane.request({ method: 'POST', path, body: object });
      expect(status).toBe(201);
    }
  });

  afterAll(() => endNamespace());

  test('judge every rule between fields alike', async () => {
    const pairs = RULE_ROWS.map(({ what, kind, object }) => ({
      what,
      ours: judge(kind, object),
      theirs: () => serverJudgement(kind, object),
    }));
    expect(pairs.length).toBeGreaterThan(100);
    expect(await disagreements(pairs)).toEqual([]);
  });

  test('judge every bound of every field of both specs alike', async () => {
    const pairs = BOUND_ROWS.map(({ what, kind, object }) => ({
      what,
      ours: judge(kind, object),
      theirs: () => serverJudgement(kind, object),
    }));
    expect(await disagreements(pairs)).toEqual([]);
  });

  test('judge every bound of every field of both statuses alike', async () => {
    const pairs = STATUS_ROWS.map(({ what, kind, status }) => ({
      what,
      ours: judgeStatus(kind, status),
      theirs: () => serverStatusJudgement(kind, status),
    }));
    expect(await disagreements(pairs)).toEqual([]);
  });
});
