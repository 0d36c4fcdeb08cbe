// The product's own way to a certificate, on rows whose scores are known: evidence in blocks, looks when they are due.
import { cachedModelService } from '../../../../crds/v1alpha1/cached-model-service.ts';
import { toServiceSettings, type ServiceSettings } from '../../../../crds/v1alpha1/settings.ts';
import {
  addRows,
  isExhausted,
  lookIfDue,
  startAttempt,
} from '../../../../operator/lifecycle/attempts.ts';
import type { EvidenceGrid } from '../../../../crds/wire/evidence.ts';
import { createEvidenceGrid } from '../../../../server/core/evidence.ts';
import type { Answers } from './answers.ts';

/** Rows of a tick: what closes a block. */
const TICK_ROWS = 50;

/** Settings of the smallest service with that budget. */
export function settingsFor(budget: number): ServiceSettings {
  const service = cachedModelService.parse({
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name: 'bench' },
    spec: {
      backbone: { uri: 'file:backbone.onnx' },
      accuracy: { maxDisagreement: `${Number((100 * budget).toPrecision(6))}%` },
    },
  });
  return toServiceSettings(service, { local: true });
}

/** Scores q of all rows, as a server decides by them. */
export function scoresOf({ exits }: Answers): readonly Float64Array[] {
  return exits.map(({ score }) => score.map((logit) => 1 / (1 + Math.exp(-logit))));
}

/** Evidence of these rows, as a server counts it. */
export function gridOf(
  { exits }: Answers,
  scores: readonly Float64Array[],
  rows: Uint32Array,
): EvidenceGrid {
  const counter = createEvidenceGrid(exits.length);
  for (const row of rows) {
    counter.addRow(
      scores.map((column) => column[row]!),
      exits.map(({ agrees }) => agrees[row]!),
    );
  }
  return counter.snapshot();
}

/**
 * The index of the lambda that each look of an attempt certified on these rows in this order, null where it certified none; the last
 * is what would be in force at their end. Empty: too few rows.
 */
export function certify(
  answers: Answers,
  of: {
    readonly scores: readonly Float64Array[];
    readonly rows: Uint32Array;
    readonly settings: ServiceSettings;
  },
): readonly (number | null)[] {
  const { scores, rows, settings } = of;
  let attempt = startAttempt(settings, {
    ...{ attempt: 1, exitCount: answers.exits.length, lookScale: 1, nowMs: 0 },
  });
  for (
    let first = 0;
    first + TICK_ROWS <= rows.length && !isExhausted(attempt);
    first += TICK_ROWS
  ) {
    const grid = gridOf(answers, scores, rows.subarray(first, first + TICK_ROWS));
    attempt = lookIfDue(addRows(attempt, { grid, pods: [], answeredRows: grid.n }), 0);
  }
  return attempt.looks.map(({ lambdaIndex }) => lambdaIndex);
}
