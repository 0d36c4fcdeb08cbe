// Keys of a pod's own identity: asked for when they are first needed, and again before they expire. Neither token nor key is ever
// part of a message.
import { fetchFailed } from '../fetch-problem.ts';
import type { NetRules } from '../send-request.ts';
import { askContainer } from './ask-container.ts';
import { askSts } from './ask-sts.ts';
import type { AwsIdentitySettings } from './aws-identity-settings.ts';

/** Keys that are valid for some time. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresMs: number;
}

/** By the names that a Secret would have; throws FetchError. */
export type AwsIdentity = (rules: NetRules) => Promise<ReadonlyMap<string, string>>;

/** Keys are renewed so long before they expire, or in the second half of their life if that is shorter. */
const RENEW_MS = 300_000;

interface Held {
  readonly keys: AwsKeys;
  readonly renewMs: number;
}

export function createAwsIdentity(
  { source, region, s3Endpoint }: AwsIdentitySettings,
  clock: { nowMs(): number },
): AwsIdentity {
  let held: Held | null = null;
  let asking: Promise<Held> | null = null;

  async function ask(rules: NetRules): Promise<Held> {
    const keys =
      source.kind === 'WebIdentity'
        ? await askSts(source, region, rules)
        : await askContainer(source, rules);
    const lifeMs = keys.expiresMs - clock.nowMs();
    if (!(lifeMs > 0)) {
      throw fetchFailed(
        'The keys of the pod’s cloud identity have expired already; check the clock of the node.',
      );
    }
    held = { keys, renewMs: keys.expiresMs - Math.min(RENEW_MS, lifeMs / 2) };
    return held;
  }

  /** Transfers at the same time ask once. */
  function askOnce(rules: NetRules): Promise<Held> {
    asking ??= ask(rules).finally(() => {
      asking = null;
    });
    return asking;
  }

  async function current(rules: NetRules): Promise<AwsKeys> {
    const known = held;
    if (known !== null && clock.nowMs() < known.renewMs) return known.keys;
    try {
      return (await askOnce(rules)).keys;
    } catch (error) {
      // Whoever gives them may be away for a moment: the old ones hold to their end.
      if (known !== null && clock.nowMs() < known.keys.expiresMs) return known.keys;
      throw error;
    }
  }

  return async (rules) => {
    const { accessKeyId, secretAccessKey, sessionToken } = await current(rules);
    return new Map([
      ['AWS_ACCESS_KEY_ID', accessKeyId],
      ['AWS_SECRET_ACCESS_KEY', secretAccessKey],
      ['AWS_SESSION_TOKEN', sessionToken],
      ['AWS_REGION', region],
      ...(s3Endpoint === null ? [] : ([['AWS_ENDPOINT_URL', s3Endpoint]] as const)),
    ]);
  };
}
