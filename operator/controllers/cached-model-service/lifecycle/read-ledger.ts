import { emptyLedger, parseLedger, watermarks, type Ledger } from '../../../lifecycle/ledger.ts';
import type { CountedBoot } from '../../../fleet/poll-pod.ts';
import type { Result } from '../../../../crds/wire/result.ts';
import type { LiveObject } from '../../../plan/live-object.ts';
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
  const live = liveLedger(pass);
  const parsed = parseStored(live);
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

/** What the ledger has counted of each pod, by its uid; the boot that it saw last. Nothing where it is not readable. */
export function countedBoots(pass: ServicePass): ReadonlyMap<string, CountedBoot> {
  const own = pass.memory.lifecycle;
  const parsed = own.ledger === null ? parseStored(liveLedger(pass)) : null;
  const ledger = parsed?.ok === true ? parsed.value : own.ledger;
  if (ledger === null) return new Map();
  const marks = [...watermarks(ledger)].sort((a, b) => a.seenMs - b.seenMs);
  return new Map(marks.map(({ podUid, bootId, seq }) => [podUid, { bootId, seq }]));
}

function liveLedger({ gathered }: ServicePass): LiveObject | null {
  return liveOf(gathered, 'ConfigMap', ledgerConfigMapName(gathered.object.metadata.name));
}

function parseStored(live: LiveObject | null): Result<Ledger> | null {
  const text = storedLedger(live);
  return text === null ? null : parseLedger(text);
}
