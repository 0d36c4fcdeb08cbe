import { createAdminKeys } from '../../fleet/identity/identities.ts';
import type { KubeObject } from '../../kube/api.ts';
import { ApiStatusError } from '../../kube/api-status-error.ts';
import { toKubeObject } from '../../kube/apply.ts';
import { ownershipOf } from '../../kube/owner.ts';
import { planAdminSecret } from '../../plan/admin-secret.ts';
import { adminSecretName } from '../../plan/names.ts';
import type { ServiceToPlan } from '../../plan/service.ts';
import { adminGenerationOf } from './admin-generation-of.ts';
import { hasStarted, mayMissVolume } from './fleet-pods.ts';
import { liveOf } from './gather.ts';
import type { SecretAttempts } from './service-memory.ts';
import type { ServicePass } from './service-pass.ts';

/** A Secret of a deleted service of this name would be in the way for about as long as it takes to collect it. */
const SETTLING_MS = 10_000;
const SETTLING_RETRY_MS = 2_000;
/** Pods that do not start may miss it: it is never read, so it is made again. */
const MISSING_RETRY_MS = 60_000;

/**
 * Makes the Secret of the servers' keys where it may be missing; it can be neither read nor watched. Returns whether pods
 * may mount it: not while one that a deleted service of the same name left behind may still be there.
 */
export async function makeAdminSecret(
  pass: ServicePass,
  service: ServiceToPlan,
  generation: number,
): Promise<boolean> {
  const { memory, shell } = pass;
  const nowMs = shell.deps.clock.monotonicMs();
  const evidence = findEvidence(pass, service, generation);
  const before = memory.secrets.get(generation);
  const waitMs = retryAfterMs(before, evidence, nowMs);
  const made = waitMs > 0 ? null : await createSecret(pass, service, generation);
  const attempts =
    made === null
      ? before
      : {
          firstMs: before?.firstMs ?? nowMs,
          lastMs: nowMs,
          isMade: made === 'Made' || before?.isMade === true,
        };
  if (attempts !== undefined) memory.secrets.set(generation, attempts);
  const againMs = retryAfterMs(attempts, evidence, nowMs);
  if (againMs > 0 && againMs < Infinity) pass.lookAgain(againMs);
  return isSettled(attempts, evidence);
}

/**
 * `Mounted`: a pod runs with it. `Missed`: a pod has a node and no container, as without the Secret. `Named`: a Deployment
 * of ours asks for its pods' keys already.
 */
type Evidence = 'Mounted' | 'Missed' | 'Named' | 'None';

function findEvidence(
  { gathered, memory }: ServicePass,
  service: ServiceToPlan,
  generation: number,
): Evidence {
  const users = gathered.pods.filter((pod) => adminGenerationOf(pod, service.name) === generation);
  if (users.some(mayMissVolume)) return 'Missed';
  if (users.some(hasStarted)) return 'Mounted';
  const deployment = liveOf(gathered, 'Deployment', service.name);
  return ownershipOf(deployment, memory.uid) === 'Ours' ? 'Named' : 'None';
}

/** 0: now; Infinity: not by itself. */
function retryAfterMs(
  before: SecretAttempts | undefined,
  evidence: Evidence,
  nowMs: number,
): number {
  if (evidence === 'Mounted') return Infinity;
  if (before === undefined) return 0;
  if (evidence === 'Missed') return Math.max(0, before.lastMs + MISSING_RETRY_MS - nowMs);
  if (isSettled(before, evidence)) return Infinity;
  return Math.max(0, before.lastMs + SETTLING_RETRY_MS - nowMs);
}

/** One that stays in the way is tried a last time at the end: it may have gone since. */
function isSettled(attempts: SecretAttempts | undefined, evidence: Evidence): boolean {
  if (evidence !== 'None') return true;
  if (attempts === undefined) return false;
  return attempts.isMade || attempts.lastMs - attempts.firstMs >= SETTLING_MS;
}

async function createSecret(
  { shell, memory, attempt }: ServicePass,
  service: ServiceToPlan,
  generation: number,
): Promise<'Made' | 'Exists' | null> {
  const { rootKey, clock, api } = shell.deps;
  const keys = createAdminKeys(rootKey, { serviceUid: memory.uid, generation }, clock.nowMs());
  const secret = toKubeObject(planAdminSecret(service, generation, keys));
  const name = adminSecretName(service.name, generation);
  const part = { verb: 'create', kind: 'Secret', name, body: { name } } as const;
  return attempt.run(part, () => createOrFind(api.create(secret)));
}

async function createOrFind(creating: Promise<KubeObject>): Promise<'Made' | 'Exists'> {
  try {
    await creating;
    return 'Made';
  } catch (error) {
    if (error instanceof ApiStatusError && error.isAlreadyExists) return 'Exists';
    throw error;
  }
}
