// Run lengths of the e-detector and the breaker (exits.md 8.1, 8.3): audits until the alarm, at a given disagreement ratio.
import { WHOLE_LOSS } from '../../crds/wire/agreement.ts';
import { createBreaker } from '../../server/core/breaker.ts';
import {
  createDetector,
  isAlarm,
  updateDetector,
  type DetectorState,
} from '../../server/core/detector.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface DetectorScenario {
  readonly level: number;
  /** Audits per window; a function draws it. */
  readonly window: number | (() => number);
  readonly dispersion?: number;
}

/** Draws the disagreements of the next window. */
export type DrawWindow = (audits: number) => number;

const BUDGET = 0.01;
/** Audits at the calm ratio before a change, enough for S to forget that it began at 0. */
const CALM_AUDITS = 3000;
const CALM_RATIO = 0.006;

function sizeOf({ window }: DetectorScenario): number {
  return typeof window === 'number' ? window : window();
}

function addWindow(
  state: DetectorState,
  { dispersion = 1 }: DetectorScenario,
  audits: number,
  disagreements: number,
): DetectorState {
  return updateDetector(state, { budget: BUDGET, audits, disagreements, dispersion });
}

function hasAlarm(state: DetectorState, { level, dispersion = 1 }: DetectorScenario): boolean {
  return isAlarm(state, level, dispersion);
}

/** Audits from a new detector to its alarm. */
export function auditsToAlarm(scenario: DetectorScenario, draw: DrawWindow): number {
  return runFrom(createDetector(BUDGET), scenario, draw);
}

function runFrom(start: DetectorState, scenario: DetectorScenario, draw: DrawWindow): number {
  let state = start;
  let seen = 0;
  while (!hasAlarm(state, scenario)) {
    const audits = sizeOf(scenario);
    seen += audits;
    state = addWindow(state, scenario, audits, draw(audits));
  }
  return seen;
}

/**
 * Audits to the alarm after a change from 0.6 % disagreement to `ratio` somewhere inside a window; a calm run that alarms
 * starts anew.
 */
export function delayAfterJump(
  random: SeededRandom,
  scenario: DetectorScenario,
  ratio: number,
): number {
  let state = createDetector(BUDGET);
  for (let seen = 0; seen < CALM_AUDITS;) {
    const audits = sizeOf(scenario);
    seen += audits;
    state = addWindow(state, scenario, audits, random.binomial(audits, CALM_RATIO));
    if (hasAlarm(state, scenario)) state = createDetector(BUDGET);
  }
  const audits = sizeOf(scenario);
  const calm = Math.floor(random.uniform() * audits);
  const changed = audits - calm;
  const disagreements = random.binomial(calm, CALM_RATIO) + random.binomial(changed, ratio);
  state = addWindow(state, scenario, audits, disagreements);
  return changed + runFrom(state, scenario, (next) => random.binomial(next, ratio));
}

const lossOf = (disagrees: boolean): number => (disagrees ? WHOLE_LOSS : 0);

/** Audits of a server to its breaker's alarm, after `calm` audits at 0.6 % that did not trip it. */
export function auditsToTrip(random: SeededRandom, ratio: number, calm = 0): number {
  let breaker = createBreaker(BUDGET);
  for (let row = 0; row < calm; row++) {
    if (breaker.addAudit(lossOf(random.chance(CALM_RATIO)))) breaker = createBreaker(BUDGET);
  }
  let seen = 1;
  while (!breaker.addAudit(lossOf(random.chance(ratio)))) seen++;
  return seen;
}

/** Disagreements of audited rows where traffic comes in bursts of identical rows and a share `auditRate` of rows is audited. */
export function burstyDraw(
  random: SeededRandom,
  { ratio, auditRate, burst }: { ratio: number; auditRate: number; burst: () => number },
): DrawWindow {
  let left = 0;
  let disagrees = false;
  return (audits) => {
    let disagreements = 0;
    for (let seen = 0; seen < audits;) {
      if (left === 0) {
        left = burst();
        disagrees = random.chance(ratio);
      }
      left--;
      if (!random.chance(auditRate)) continue;
      seen++;
      if (disagrees) disagreements++;
    }
    return disagreements;
  };
}

export interface LengthSummary {
  readonly mean: number;
  readonly p90: number;
  readonly p99: number;
  /** Standard error of the mean. */
  readonly error: number;
}

export function summarizeLengths(repeats: number, measure: () => number): LengthSummary {
  const lengths = Array.from({ length: repeats }, measure).sort((a, b) => a - b);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / repeats;
  const variance = lengths.reduce((sum, length) => sum + (length - mean) ** 2, 0) / (repeats - 1);
  const at = (q: number): number => lengths[Math.min(repeats - 1, Math.floor(q * repeats))]!;
  return { mean, p90: at(0.9), p99: at(0.99), error: Math.sqrt(variance / repeats) };
}
