import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import { invariant } from '../../server/core/invariant.ts';
import { auditedRows, latestLook, nextLookRows } from './attempts.ts';
import { countCollected } from './collected-rows.ts';
import { trainingCause, wantedRows } from './collecting.ts';
import type { Attempt, Ledger, RampRecord, StableRecord } from './ledger.ts';
import { count, lambdaText, percent } from './text.ts';
import { cooldownEndMs } from './training-wishes.ts';
import type { LifecycleInput, StageProgress } from './types.ts';

/** Where the stage stands. A pure reading of the ledger after a tick and of that tick's input. */
export function progress(ledger: Ledger, input: LifecycleInput): StageProgress {
  const { stage, stable, candidate } = ledger;
  const lambdaIndex = stable?.lambdaIndex ?? candidate?.lambdaIndex ?? null;
  return { stage, lambdaIndex, ...readStage(ledger, input) };
}

type Reading = Pick<StageProgress, 'rows' | 'wantedRows' | 'message'>;

function readStage(ledger: Ledger, input: LifecycleInput): Reading {
  switch (ledger.stage) {
    case 'Idle':
      return { ...NOTHING, message: 'Exits are off as configured.' };
    case 'Collecting':
      return readCollecting(ledger, input);
    case 'Training':
      return readTraining(input);
    case 'Staging':
      return { ...NOTHING, message: 'The candidate is being loaded on every pod.' };
    case 'Serving':
    case 'Recertifying':
    case 'Shadowing':
    case 'Ramping':
      return readTrack(ledger, input);
  }
}

/** The step of a candidate that takes traffic, else the evidence of the candidate, else that of stable. */
function readTrack(ledger: Ledger, { settings }: LifecycleInput): Reading {
  const { candidate, stable } = ledger;
  if (candidate !== null && candidate.ramp !== null) return readRamp(candidate.ramp, settings);
  const evidence = candidate?.evidence ?? stable?.evidence;
  invariant(evidence !== undefined, `stage ${ledger.stage} has evidence`);
  return readEvidence(evidence, candidate === null ? stable : null);
}

const NOTHING: Reading = { rows: 0, wantedRows: null, message: '' };

function readCollecting(ledger: Ledger, input: LifecycleInput): Reading {
  const { backbone, nowMs, settings } = input;
  if (backbone === null) return NOTHING;
  const collected = countCollected(ledger, input, trainingCause(ledger));
  const { rows } = collected;
  const wanted = wantedRows(ledger, { input, backbone, nowMs }, collected);
  const waitMs = cooldownEndMs(ledger, input) - nowMs;
  const reading = { rows, wantedRows: wanted };
  if (settings.trainingMode === 'Off') {
    return { ...reading, message: 'There are no heads, and training is off.' };
  }
  if (rows < wanted) return { ...reading, message: `${count(wanted - rows)} rows are missing.` };
  return { ...reading, message: waitMs > 0 ? cooldownText(waitMs) : 'Training starts.' };
}

export function cooldownText(waitMs: number): string {
  return `The next training waits ${count(waitMs / 1000)} s for its cooldown.`;
}

function readTraining({ training }: LifecycleInput): Reading {
  const done = training.kind === 'Running' ? training.progress : 0;
  return { rows: 0, wantedRows: null, message: `Heads are being trained, ${percent(done)} done.` };
}

/** Rows towards the next look. */
function readEvidence(evidence: Attempt, stable: StableRecord | null): Reading {
  const rows = auditedRows(evidence);
  const wanted = nextLookRows(evidence);
  const look = latestLook(evidence);
  const off = stable?.off ?? null;
  const why = off === null ? '' : `Exits are off (${off}). `;
  const last =
    look === null
      ? 'No look is taken yet'
      : `Look ${String(look.look)} allows lambda ${lambdaText(look.lambdaIndex)}`;
  const next = wanted === null ? 'it was the last' : `the next is at ${count(wanted)} audited rows`;
  return { rows, wantedRows: wanted, message: `${why}${last}; ${next}.` };
}

function readRamp({ share, requests }: RampRecord, settings: ServiceSettings): Reading {
  const paused = settings.paused ? ' Paused by request.' : '';
  return {
    rows: requests,
    wantedRows: settings.minRequests,
    message: `The candidate takes ${percent(share)} of the traffic.${paused}`,
  };
}
