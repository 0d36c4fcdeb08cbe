// The product's own way to a certificate, on rows whose scores are known: evidence in blocks, looks when they are due.
import { cachedModelService } from '../../../../crds/v1alpha1/cached-model-service.ts';
import { toServiceSettings, type ServiceSettings } from '../../../../crds/v1alpha1/settings.ts';
import {
  addRows,
  isExhausted,
  lookIfDue,
  startAttempt,
} from '../../../../operator/lifecycle/attempts.ts';
import { createEvidenceGrid } from '../../../../server/core/evidence.ts';
import type { Answers } from './answers.ts';

/** A lambda that an attempt certified, by the look that did. */
export interface Certified {
  readonly lambdaIndex: number;
  readonly look: number;
}

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

/**
 * Every lambda that an attempt certified on these rows in this order, look by look; the last is what would be in force at their
 * end. Empty: none, or too few rows.
 */
export function certify(
  { exits }: Answers,
  of: {
    readonly scores: readonly Float64Array[];
    readonly rows: Uint32Array;
    readonly settings: ServiceSettings;
    /** 1-based within the episode. @defaultValue 1 */
    readonly attempt?: number;
  },
): readonly (Certified | null)[] {
  const { scores, rows, settings } = of;
  const exitCount = exits.length;
  let attempt = startAttempt(settings, {
    ...{ attempt: of.attempt ?? 1, exitCount, lookScale: 1, nowMs: 0 },
  });
  for (
    let first = 0;
    first + TICK_ROWS <= rows.length && !isExhausted(attempt);
    first += TICK_ROWS
  ) {
    const counter = createEvidenceGrid(exitCount);
    for (const row of rows.subarray(first, first + TICK_ROWS)) {
      counter.addRow(
        scores.map((column) => column[row]!),
        exits.map(({ agrees }) => agrees[row]!),
      );
    }
    const grid = counter.snapshot();
    attempt = lookIfDue(addRows(attempt, { grid, pods: [], answeredRows: grid.n }), 0);
  }
  return attempt.looks.map(({ lambdaIndex, look }) =>
    lambdaIndex === null ? null : { lambdaIndex, look },
  );
}
