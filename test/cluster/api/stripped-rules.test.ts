import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readHeadRevision, readService } from '../../../crds/v1alpha1/read-object.ts';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { RULE_ROWS } from '../../unit/crds/verdicts/rows.ts';
import { applyDefinition, committedDefinitions, withoutRules } from './definitions.ts';

/**
 * Objects may be stored while the definitions have no rules: an older release, or a hand. Whoever reads them later must
 * find every broken rule by himself. This changes the definitions, so it has a control plane of its own.
 */
const unavailable = await whyUnavailable('control-plane');

const API = '/apis/layercache.io/v1alpha1/namespaces/default';
const broken = RULE_ROWS.filter((row) => row.broken !== undefined);

interface Stored {
  readonly metadata: { readonly name: string; readonly annotations: Record<string, string> };
  readonly status: unknown;
}

describe.skipIf(unavailable !== null)('objects stored without rules', () => {
  let plane: OwnControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane();
    for (const definition of committedDefinitions()) {
      await applyDefinition(plane.request, withoutRules(definition));
    }
    for (const [i, { kind, object, what }] of broken.entries()) {
      const { metadata, ...rest } = object as { metadata: { name: string } };
      // Names that break a rule stay; the others must differ.
      const name = metadata.name.startsWith('vision') ? `row-${i}` : metadata.name;
      const body = { ...rest, metadata: { name, annotations: { row: String(i) } } };
      const { status, body: answer } = await plane.request({
        method: 'POST',
        path: `${API}/${kind}?fieldValidation=Strict`,
        body,
      });
      expect(status, `${what}: ${JSON.stringify(answer)}`).toBe(201);
    }
    for (const definition of committedDefinitions()) {
      await applyDefinition(plane.request, definition);
    }
    await eventually(expectRules, 20_000);
  });

  afterAll(() => plane.stop());

  /** The API server changes to a new schema some moments after it took the definition. */
  async function expectRules(): Promise<void> {
    for (const { kind, object, what } of broken) {
      const path = `${API}/${kind}?dryRun=All`;
      const { status } = await plane.request({ method: 'POST', path, body: object });
      expect(status, what).toBe(422);
    }
  }

  async function storedOf(kind: string): Promise<readonly Stored[]> {
    const { status, body } = await plane.request({ path: `${API}/${kind}` });
    expect(status).toBe(200);
    return (body as { items: readonly Stored[] }).items;
  }

  test('are refused by the reader with the words of the API server', async () => {
    const found = { cachedmodelservices: readService, cacheheadrevisions: readHeadRevision };
    let count = 0;
    for (const [kind, read] of Object.entries(found)) {
      const meta = { apiVersion: 'layercache.io/v1alpha1', kind: kindOf(kind) };
      for (const item of await storedOf(kind)) {
        const row = broken[Number(item.metadata.annotations.row)]!;
        const outcome = read({ ...item, ...meta });
        expect(outcome.ok, row.what).toBe(false);
        if (!outcome.ok) expect(outcome.message).toContain(row.broken);
        count += 1;
      }
    }
    expect(count).toBe(broken.length);
  });

  // Rules at the root are looked at in every write, those below only where something changed. A raw object with any
  // content counts as changed, and so does all above it.
  test('still take a status, so that it can say what is wrong, unless the name is wrong', async () => {
    const surprises: string[] = [];
    for (const kind of ['cachedmodelservices', 'cacheheadrevisions']) {
      for (const { metadata } of await storedOf(kind)) {
        const row = broken[Number(metadata.annotations.row)]!;
        const isName = row.broken?.startsWith('metadata.name') === true;
        const { status, body } = await plane.request({
          method: 'PATCH',
          path: `${API}/${kind}/${metadata.name}/status`,
          contentType: 'application/merge-patch+json',
          body: { status: { observedGeneration: 1 } },
        });
        if (status !== (isName ? 422 : 200)) {
          surprises.push(`${row.what}: ${status} ${(body as { message?: string }).message ?? ''}`);
        }
      }
    }
    expect(surprises).toEqual([]);
  });
});

function kindOf(plural: string): string {
  return plural === 'cachedmodelservices' ? 'CachedModelService' : 'CacheHeadRevision';
}
