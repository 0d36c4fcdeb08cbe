import { expect, test } from 'vitest';
import { IdentityError, loadRootKey } from '../../../operator/identity-secret.ts';
import type { Api, KubeObject } from '../../../operator/kube/api.ts';
import { ApiStatusError } from '../../../operator/kube/api-status-error.ts';

const AT = { namespace: 'layercache-system', release: 'demo' };

function statusError(status: number, reason: string): ApiStatusError {
  return new ApiStatusError({ status, reason, detail: reason, call: 'x secrets' });
}

/** Secrets alone; `onCreate` runs before a create is done. */
function secretsApi(onCreate: (stored: Map<string, KubeObject>) => ApiStatusError | null): {
  readonly api: Api;
  readonly stored: Map<string, KubeObject>;
} {
  const stored = new Map<string, KubeObject>();
  const api = {
    get: ({ name }: { name: string }) => {
      const found = stored.get(name);
      return found === undefined
        ? Promise.reject(statusError(404, 'NotFound'))
        : Promise.resolve(found);
    },
    create: (object: KubeObject) => {
      const error = onCreate(stored);
      if (error !== null) return Promise.reject(error);
      stored.set(object.metadata.name, object);
      return Promise.resolve(object);
    },
  };
  return { api: api as unknown as Api, stored };
}

const secretOf = (key: Uint8Array): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'demo-identity' },
  data: { 'root.key': Buffer.from(key).toString('base64') },
});

test('the first process makes a key of 32 random bytes that nobody can change, later ones read it', async () => {
  const { api, stored } = secretsApi(() => null);
  const key = await loadRootKey(api, AT);
  expect(key).toHaveLength(32);
  expect(stored.get('demo-identity')).toMatchObject({
    metadata: { namespace: 'layercache-system' },
    immutable: true,
  });
  expect(await loadRootKey(api, AT)).toEqual(key);
  const other = secretsApi(() => null);
  expect(await loadRootKey(other.api, AT)).not.toEqual(key);
});

test('of two processes that make it at once, the slower takes the other key', async () => {
  const faster = Uint8Array.from({ length: 32 }, (_, i) => i);
  const { api } = secretsApi((stored) => {
    stored.set('demo-identity', secretOf(faster));
    return statusError(409, 'AlreadyExists');
  });
  expect(await loadRootKey(api, AT)).toEqual(faster);
});

test('a key that was made although no answer came is the key', async () => {
  const made = new Uint8Array(32).fill(7);
  const { api } = secretsApi((stored) => {
    stored.set('demo-identity', secretOf(made));
    return statusError(504, 'Timeout');
  });
  expect(await loadRootKey(api, AT)).toEqual(made);
});

test('what keeps the key from being made is thrown as it is', async () => {
  const forbidden = secretsApi(() => statusError(403, 'Forbidden'));
  await expect(loadRootKey(forbidden.api, AT)).rejects.toMatchObject({ status: 403 });
  const lost = secretsApi(() => statusError(504, 'Timeout'));
  await expect(loadRootKey(lost.api, AT)).rejects.toMatchObject({ status: 504 });
});

test.each([
  ['short', { 'root.key': 'c2hvcnQ=' }, 'holds 5 bytes'],
  ['absent', {}, 'holds 0 bytes'],
  ['no text', { 'root.key': 7 }, 'holds 0 bytes'],
])('a key that is %s is an error that no retry helps', async (_, data, sentence) => {
  const { api, stored } = secretsApi(() => null);
  stored.set('demo-identity', { ...secretOf(new Uint8Array(32)), data });
  const loading = loadRootKey(api, AT);
  await expect(loading).rejects.toBeInstanceOf(IdentityError);
  await expect(loading).rejects.toThrow(
    `Secret layercache-system/demo-identity, field data["root.key"], ${sentence} where 32 are needed`,
  );
});
