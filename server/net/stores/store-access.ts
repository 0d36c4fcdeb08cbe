import { readCaBundle } from '../ca-bundle.ts';
import { fetchFailed, type PlaceFields } from '../fetch-problem.ts';
import { readMountedFiles } from '../mounted-files.ts';
import type { NetRules } from '../send-request.ts';
import type { AwsIdentity } from './aws-identity.ts';

/** How a store is reached and by whom: by what is mounted in a pod, or as a person who has nothing mounted. */
export type StoreAccess = MountedAccess | OwnAccess;

/** Secrets are read anew for each transfer: a renewed one holds at once. */
interface MountedAccess {
  /** Where the Secret is mounted; null: none, so nobody is named. */
  readonly credentialsDir: string | null;
  /** Where the ConfigMap with the CA is mounted; null: none. */
  readonly caBundleDir: string | null;
  /** The pod's own, for S3 without keys in a Secret; absent: it has none. */
  readonly identity?: AwsIdentity | null;
}

interface OwnAccess {
  /** Keys as a Secret has them. */
  readonly secret: ReadonlyMap<string, string>;
  /** CAs in PEM. */
  readonly extraCas: readonly string[];
}

/** What one transfer works with. */
export interface StoreCall {
  readonly rules: NetRules;
  /** Keys of the Secret; empty without one. */
  readonly secret: ReadonlyMap<string, string>;
  readonly maxBytes: number;
  /** Told as bytes of the bundle arrive. */
  readonly onBytes?: (bytes: number) => void;
}

type CallRules = Omit<NetRules, 'extraCas'>;

/** Reads what is mounted. Throws FetchError for a CA that cannot be read, and for a Secret that is not there. */
export async function openAccess(
  access: StoreAccess,
  rules: CallRules,
  limits: Pick<StoreCall, 'maxBytes' | 'onBytes'>,
): Promise<StoreCall> {
  if ('secret' in access) {
    const { secret, extraCas } = access;
    return { rules: { ...rules, extraCas }, secret, ...limits };
  }
  const { credentialsDir, caBundleDir, identity = null } = access;
  const secret = await readMountedFiles(credentialsDir);
  // An optional Secret that does not exist is mounted as an empty folder.
  if (secret?.size === 0) throw fetchFailed(missingSecret(rules.fields));
  const extraCas = await readCaBundle(caBundleDir, rules.fields.caBundle);
  const own = secret ?? new Map<string, string>();
  const trusting = { ...rules, extraCas };
  if (identity === null || hasKeys(own)) return { rules: trusting, secret: own, ...limits };
  // A Secret may say where the store is and leave it to the identity who asks.
  return { rules: trusting, secret: new Map([...(await identity(trusting)), ...own]), ...limits };
}

function hasKeys(secret: ReadonlyMap<string, string>): boolean {
  return secret.has('AWS_ACCESS_KEY_ID') || secret.has('AWS_SECRET_ACCESS_KEY');
}

function missingSecret({ credentials }: PlaceFields): string {
  return `The Secret of ${credentials} does not exist or is empty; create it with the keys that the field's description names.`;
}

/** A key of the Secret without the line end that editors add; empty when it is not there. */
export function secretValue(secret: ReadonlyMap<string, string>, key: string): string {
  return (secret.get(key) ?? '').trim();
}
