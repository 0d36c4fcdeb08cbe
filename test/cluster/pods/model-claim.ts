// A model that is in no image: a file on the node, behind a claim that pods mount.
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { RealNode } from '../../support/real-node.ts';

interface ModelClaim {
  readonly uri: string;
  readonly digest: string;
  /** Its volume and files; the claim goes with its namespace. */
  readonly remove: () => Promise<void>;
}

/** Makes the claim `models` with this one ONNX file. */
export async function claimModel(
  node: RealNode,
  namespace: string,
  model: Uint8Array,
): Promise<ModelClaim> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-claim-'));
  const file = join(folder, 'backbone.onnx');
  writeFileSync(file, model);
  // Pods run as another user.
  chmodSync(folder, 0o755);
  chmodSync(file, 0o644);
  const volume = `models-${namespace}`;
  const size = { storage: '1Mi' };
  const access = { accessModes: ['ReadOnlyMany'], storageClassName: '' };
  const input = JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: volume },
        spec: { ...access, capacity: size, hostPath: { path: folder } },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'models', namespace },
        spec: { ...access, resources: { requests: size }, volumeName: volume },
      },
    ],
  });
  const applied = await node.kubectl(['apply', '-f', '-'], { input });
  expect(applied.code, applied.stderr).toBe(0);
  return {
    uri: 'pvc://models/backbone.onnx',
    digest: `sha256:${createHash('sha256').update(model).digest('hex')}`,
    remove: async () => {
      const deleted = await node.kubectl(['delete', 'pv', volume, '--wait=false']);
      expect(deleted.code, deleted.stderr).toBe(0);
      rmSync(folder, { recursive: true });
    },
  };
}
