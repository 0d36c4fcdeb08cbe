import { randomBytes } from 'node:crypto';
import type { Api, KubeObject, ObjectRef } from './kube/api.ts';
import { ApiStatusError } from './kube/api-status-error.ts';
import { getOrNull } from './kube/get-or-null.ts';

// One root key per installation. Every key of an admin port is derived from it, so a new leader has them at once and no
// other Secret is ever read. It is made once and never changed: without it, pods keep serving under their mounted policy.

const FIELD = 'root.key';
const ROOT_BYTES = 32;

/** The Secret holds something else: a person has to look, no retry helps. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
}

/** Reads the root key, or makes it; two processes that make it at once end with the same one. Call it while leading. */
export async function loadRootKey(
  api: Api,
  { namespace, release }: { readonly namespace: string; readonly release: string },
): Promise<Uint8Array> {
  const ref = { kind: 'Secret', namespace, name: `${release}-identity` } as const;
  const stored = await getOrNull(api, ref);
  if (stored !== null) return rootKeyOf(stored, ref);
  try {
    return rootKeyOf(await api.create(newIdentity(ref)), ref);
  } catch (error) {
    // Another process was faster, or a create that was not answered had been done.
    const mayExist =
      error instanceof ApiStatusError && (error.isAlreadyExists || error.isUncertain);
    const made = mayExist ? await getOrNull(api, ref) : null;
    if (made === null) throw error;
    return rootKeyOf(made, ref);
  }
}

type SecretRef = Required<ObjectRef>;

function newIdentity({ namespace, name }: SecretRef): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name,
      labels: { 'app.kubernetes.io/managed-by': 'layercache-operator' },
    },
    type: 'Opaque',
    immutable: true,
    data: { [FIELD]: randomBytes(ROOT_BYTES).toString('base64') },
  };
}

function rootKeyOf({ data }: KubeObject, { namespace, name }: SecretRef): Uint8Array {
  const text = (data as Readonly<Record<string, unknown>> | undefined)?.[FIELD];
  const key = typeof text === 'string' ? Buffer.from(text, 'base64') : Buffer.alloc(0);
  if (key.byteLength === ROOT_BYTES) return new Uint8Array(key);
  throw new IdentityError(
    `Secret ${namespace}/${name}, field data["${FIELD}"], holds ${key.byteLength} bytes where ${ROOT_BYTES} are needed: ` +
      'restore it from a backup, or delete the Secret so that a new key is made; then restart the model pods, whose keys belong to the old one.',
  );
}
