// What changed around the service: another backbone, other exits, exits not wanted. Uncertainty only removes exits.
import { exitPlace } from '../../crds/wire/exit-place.ts';
import { restStage, supersede } from './candidates.ts';
import { change, enter, say, type Draft } from './draft.ts';
import { emptyLedger } from './ledger.ts';
import { restartStable } from './restart-evidence.ts';
import { voidCertificate } from './switch-off.ts';
import type { Tick } from './tick.ts';
import { afterNow } from './training-wishes.ts';
import type { BackboneFacts, ExitCandidate, LifecycleInput } from './types.ts';

/** Another backbone digest, or other exits: heads and evidence of before are void, collecting begins. */
export function noticeBackbone(
  draft: Draft,
  input: LifecycleInput,
  backbone: BackboneFacts,
): Draft {
  const { ledger } = draft;
  const backboneKey = keyOf(backbone);
  if (ledger.backboneKey === backboneKey) return draft;
  const { watermarks, failed, alarms, training, traffic, exitsEnabled } = ledger;
  const { count } = training;
  // Rows of other exits are of no use, and servers forget them with the first row of these.
  const isOther = ledger.backboneKey !== null;
  const waiting = isOther ? afterNow({ trigger: 'Missing', part: 'long' }, input) : null;
  const empty = emptyLedger();
  // Watermarks stay: windows of before are counted or belong to the other backbone. The count of trainings names jobs.
  const kept = { watermarks, failed, alarms, traffic, exitsEnabled };
  const anew = change(draft, {
    ...empty,
    ...kept,
    backboneKey,
    training: { ...empty.training, count, waiting },
  });
  const begun = enter(anew, input.nowMs, 'Collecting');
  const track = ledger.stable ?? ledger.candidate;
  if (track === null) return begun;
  return say(begun, input.nowMs, {
    reason: 'Superseded',
    message:
      'The backbone or its exits changed: its heads are void, rows are collected for new ones.',
    headRevision: track.headRevision,
  });
}

/** A head for rows is none for frames; which header names the source is not the head's. */
function kindOf({ sourceHeader }: ExitCandidate): string {
  return sourceHeader === undefined ? '' : 'frames at ';
}

function keyOf({ digest, exits }: BackboneFacts): string {
  return [digest, ...exits.map((exit) => `${exit.name}=${kindOf(exit)}${exitPlace(exit)}`)].join(
    ' ',
  );
}

/** Sends a service to sleep that has no exits to use, and wakes it. */
export function noticeSettings(draft: Draft, tick: Tick): Draft {
  const isAsleep = draft.ledger.stage === 'Idle';
  if (!isUnwanted(tick)) return isAsleep ? wake(draft, tick) : draft;
  return isAsleep ? draft : fallAsleep(draft, tick);
}

function isUnwanted({ input, backbone }: Tick): boolean {
  const { exitMode, budget } = input.settings;
  return exitMode === 'Disabled' || budget === 0 || backbone.exits.length === 0;
}

/** A budget of 0 voids the certificate; Disabled keeps it for the day exits are wanted again. */
function fallAsleep(draft: Draft, tick: Tick): Draft {
  const { stable, candidate, training } = draft.ledger;
  const dropped =
    candidate === null
      ? draft
      : supersede(draft, candidate, tick, 'Exits are not wanted any more.');
  const isZero = tick.input.settings.budget === 0;
  const voided =
    isZero && stable !== null
      ? voidCertificate(dropped, stable, tick, {
          reason: 'Disabled',
          message: 'A budget of 0 lets nothing leave early.',
          details: {},
        })
      : dropped;
  const asleep = enter(voided, tick.nowMs, 'Idle');
  const idle = change(asleep, { training: { ...training, request: null } });
  const hasExits = tick.backbone.exits.length > 0;
  return say(idle, tick.nowMs, {
    reason: hasExits ? 'Disabled' : 'NoExits',
    message: hasExits
      ? 'Exits are off as configured; the backbone answers everything.'
      : 'The backbone has no exits to use; it answers everything.',
  });
}

/** A certificate in force comes back; without one the same heads are tested under the terms of now. */
function wake(draft: Draft, tick: Tick): Draft {
  const { stable } = draft.ledger;
  const stage = restStage(draft.ledger);
  const awake = enter(draft, tick.nowMs, stage);
  return stable === null || stage !== 'Recertifying' ? awake : restartStable(awake, stable, tick);
}
