import { emptyLedger, parseLedger, type Ledger } from '../../../lifecycle/ledger.ts';
import { storedLedger } from '../../../plan/ledger-config-map.ts';
import { ledgerConfigMapName } from '../../../plan/names.ts';
import { liveOf } from '../gather.ts';
import type { ServicePass } from '../service-pass.ts';
import type { LifecycleMemory } from './lifecycle-memory.ts';
import { structureOf } from './lifecycle-memory.ts';

/**
 * The working ledger: that of memory, else the stored one. One that is gone or garbled is an empty one: counts and watermarks
 * begin from zero together, so nothing counts twice, and no exit answers before there is a new certificate (O25).
 */
export function workingLedger(pass: ServicePass, own: LifecycleMemory): Ledger {
  if (own.ledger !== null) return own.ledger;
  const { gathered, shell } = pass;
  const live = liveOf(gathered, 'ConfigMap', ledgerConfigMapName(gathered.object.metadata.name));
  const text = storedLedger(live);
  const parsed = text === null ? null : parseLedger(text);
  if (parsed?.ok === false) {
    shell.deps.log.error({ key: gathered.key, detail: parsed.message }, 'ledger unreadable');
  }
  const ledger = parsed?.ok === true ? parsed.value : emptyLedger();
  if (live !== null) {
    const { uid, resourceVersion } = live.metadata;
    own.stored = { uid, resourceVersion };
  }
  own.structure = parsed?.ok === true ? structureOf(ledger) : '';
  // Rows that come again after a start are stored at once: else a process that dies often would never get on.
  own.storedMs = -Infinity;
  own.ledger = ledger;
  return ledger;
}
