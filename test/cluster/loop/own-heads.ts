// Heads as a person brings them: a ConfigMap with the file, and a CacheHeadRevision that names it (api.md 3).
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { verifyBundle, type VerifiedBundle } from '../../../operator/fleet/pull-bundle.ts';
import { definedAnswers } from '../../../server/core/known-answer.ts';
import type { RealNode } from '../../support/real-node.ts';
import { readObject } from '../pods/node-objects.ts';

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** Creates both objects with kubectl. */
export async function bringHeads(
  node: RealNode,
  { namespace, name }: Named,
  { service, heads }: { readonly service: string; readonly heads: VerifiedBundle },
): Promise<void> {
  const { bundle, bytes, headRevision } = heads;
  const kubectl = async (args: readonly string[], input = ''): Promise<void> => {
    const { code, stderr } = await node.kubectl([...args, '-n', namespace], { input });
    expect(code, stderr).toBe(0);
  };
  const folder = mkdtempSync(join(tmpdir(), 'heads-'));
  try {
    const file = join(folder, 'bundle');
    writeFileSync(file, bytes);
    await kubectl(['create', 'configmap', name, `--from-file=bundle=${file}`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const revision = {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CacheHeadRevision',
    metadata: { name, namespace },
    spec: {
      serviceName: service,
      backboneDigest: bundle.backboneDigest,
      bundle: { digest: headRevision, sizeBytes: bytes.byteLength, configMapName: name },
      exits: bundle.heads.map(({ exit, tensor, pool, hidden }) => ({
        ...{ name: exit, tensor, pool, hidden },
      })),
      classCount: bundle.classCount,
    },
  };
  await kubectl(['create', '-f', '-'], JSON.stringify(revision));
}

/** Added to the logit of each score: heads are sure of nearly every row. */
const SURE = 10;

/** The same heads, sure of nearly every row: where they are wrong no lambda is small enough. */
export function makeSure({ bundle }: VerifiedBundle): VerifiedBundle {
  const heads = bundle.heads.map((head) => {
    const { score } = head;
    const sure = { ...head, score: { ...score, intercept: score.intercept + SURE } };
    return { ...sure, knownAnswers: definedAnswers(sure, bundle.classCount) };
  });
  const bytes = encodeHeadBundle({ ...bundle, heads });
  const verified = verifyBundle(
    bytes,
    `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  );
  if (!verified.ok) throw new Error(verified.message);
  return verified.value;
}

/** The file of a revision that lies in a ConfigMap of its name. */
export async function readHeads(
  node: RealNode,
  at: Named,
  headRevision: string,
): Promise<VerifiedBundle> {
  const { binaryData = {} } = await readObject<{ binaryData?: Record<string, string> }>(node, {
    ...at,
    kind: 'ConfigMap',
  });
  const verified = verifyBundle(Buffer.from(binaryData.bundle ?? '', 'base64'), headRevision);
  if (!verified.ok) throw new Error(verified.message);
  return verified.value;
}
