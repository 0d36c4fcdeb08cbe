// Losses bound less than disagreements do: what was counted as F1 proves nothing once the service asks for Strict agreement.
import type { Draft } from './draft.ts';
import type { Attempt } from './ledger.ts';
import { restartCandidate, restartStable } from './restart-evidence.ts';
import { voidCertificate } from './switch-off.ts';
import type { Tick } from './tick.ts';

/**
 * Strict agreement restarts evidence that counts F1 losses, and voids what it certified. The other way round disagreements bound
 * losses too: as a larger budget, F1 waits for the next attempt.
 */
export function holdToAgreement(draft: Draft, tick: Tick): Draft {
  if (tick.input.settings.agreement === 'F1') return draft;
  return holdCandidate(holdStable(draft, tick), tick);
}

function holdStable(draft: Draft, tick: Tick): Draft {
  const { stable } = draft.ledger;
  if (stable === null || !countsLosses(stable.evidence)) return draft;
  if (stable.certificate === null) return restartStable(draft, stable, tick);
  const message =
    'Exits are off: the certificate bounds F1 losses, and accuracy.agreement is Strict now. The same heads are tested again.';
  return voidCertificate(draft, stable, tick, { reason: 'NotCertified', message, details: {} });
}

function holdCandidate(draft: Draft, tick: Tick): Draft {
  const { candidate } = draft.ledger;
  const evidence = candidate?.evidence ?? null;
  if (candidate === null || evidence === null || !countsLosses(evidence)) return draft;
  return restartCandidate(draft, candidate, tick);
}

const countsLosses = ({ agreement }: Attempt): boolean => agreement === 'F1';
