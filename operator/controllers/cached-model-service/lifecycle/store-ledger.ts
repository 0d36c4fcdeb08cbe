import { serializeLedger, type Ledger } from '../../../lifecycle/ledger.ts';
import { toKubeObject } from '../../../kube/apply.ts';
import { planLedgerConfigMap } from '../../../plan/ledger-config-map.ts';
import { ledgerConfigMapName } from '../../../plan/names.ts';
import type { ServiceToPlan } from '../../../plan/service.ts';
import { applyChild } from '../apply-child.ts';
import { liveOf } from '../gather.ts';
import type { ServicePass } from '../service-pass.ts';
import { forgetLedger, structureOf, type LifecycleMemory } from './lifecycle-memory.ts';

/** Pods keep windows for 30 minutes, so mere counts may be behind by this much. */
const COUNTS_EVERY_MS = 300_000;

/**
 * Stores the ledger when it says something new: at once what is acted on, counts every five minutes. `Refused`: it is not
 * stored, and nothing that it allows may be done. `Lost`: somebody else has written it, so it has to be read again.
 */
export async function storeLedger(
  pass: ServicePass,
  service: ServiceToPlan,
  own: LifecycleMemory,
  ledger: Ledger,
): Promise<'Stored' | 'Refused' | 'Lost'> {
  const { shell, attempt } = pass;
  const structure = structureOf(ledger);
  const nowMs = shell.deps.clock.monotonicMs();
  if (isSpared(ledger, own)) {
    own.structure = structure;
    return 'Stored';
  }
  if (!isStoreDue(pass, service, ledger)) {
    if (own.hasUnstoredRows) pass.lookAgain(own.storedMs + COUNTS_EVERY_MS - nowMs);
    return 'Stored';
  }
  const body = toKubeObject(planLedgerConfigMap(service, serializeLedger(ledger)));
  const applied = await applyChild(pass, body, { isConditional: true });
  if (applied === null) {
    if (attempt.error?.isConflict !== true) return 'Refused';
    forgetLedger(own);
    return 'Lost';
  }
  const { uid, resourceVersion } = applied.object.metadata;
  Object.assign(own, {
    stored: { uid, resourceVersion },
    structure,
    storedMs: nowMs,
    hasUnstoredRows: false,
  });
  return 'Stored';
}

/** Whether a ledger has news, or counts that are old enough. */
export function isStoreDue(pass: ServicePass, service: ServiceToPlan, ledger: Ledger): boolean {
  const { lifecycle: own } = pass.memory;
  if (isSpared(ledger, own)) return false;
  if (structureOf(ledger) !== own.structure || isTouched(pass, service, own)) return true;
  const nowMs = pass.shell.deps.clock.monotonicMs();
  return own.hasUnstoredRows && nowMs >= own.storedMs + COUNTS_EVERY_MS;
}

/** Nothing is stored, and nothing need be; what cannot be read is written over, or people would see it until heads are trained. */
function isSpared(ledger: Ledger, { stored }: LifecycleMemory): boolean {
  return isBlank(ledger) && stored === null;
}

/** Nothing in it would be missed: no heads were ever trained or tried. */
export function isBlank({ stable, candidate, training, failed, request }: Ledger): boolean {
  return (
    stable === null &&
    candidate === null &&
    training.count === 0 &&
    failed.length === 0 &&
    request === null
  );
}

/** It was edited or deleted by hand: what this process counted is the truth, and no pod brings those windows again. */
function isTouched(
  { gathered }: ServicePass,
  { name }: ServiceToPlan,
  { stored }: LifecycleMemory,
): boolean {
  if (stored === null) return true;
  const live = liveOf(gathered, 'ConfigMap', ledgerConfigMapName(name));
  return (
    live?.metadata.uid !== stored.uid || live?.metadata.resourceVersion !== stored.resourceVersion
  );
}
