// A companion as a worker holds it: a whole model beside the backbone, on an engine of its own in the same thread.
import { copyMs, quartile, scoreRows, warmRuns } from '../backbone/measure.ts';
import { createBusyClock } from '../busy-clock.ts';
import type { CompanionSource } from '../engine-client.ts';
import type { ModelDescription, SegmentEngine, SegmentPlan } from '../segment-engine.ts';
import { taskOf } from '../task-of.ts';
import { BackboneRows } from './backbone-rows.ts';
import { checkCompanion } from './check-companion.ts';
import { rowSize } from './fixed-row.ts';
import { MEASURED_SIZES } from '../batch-parts.ts';

export interface OpenCompanion {
  readonly engine: SegmentEngine;
  readonly model: ModelDescription;
  readonly whole: SegmentPlan;
  /** By MEASURED_SIZES; none of a worker that does not measure. */
  readonly costs: readonly CompanionCost[];
}

interface CompanionCost {
  /** The model with its scores. */
  readonly runMs: number;
  /** Moving the rows that go on together. */
  readonly compactMs: number;
}

interface Beside {
  readonly backbone: ModelDescription;
  readonly create: () => SegmentEngine;
  /** Called before each timed run, so that batches come through. */
  readonly pause: () => Promise<void>;
  readonly measures: boolean;
}

const BUDGET_MS = 100;
const SINGLE_ROW_BUDGET_MS = 500;

/** Throws EngineError: what a backbone may fail with, and CompanionMismatch. */
export async function openCompanion(
  { name, source }: CompanionSource,
  { backbone, create, pause, measures }: Beside,
): Promise<OpenCompanion> {
  const engine = create();
  try {
    const model = await engine.open(source);
    checkCompanion(name, model, backbone);
    const whole = await engine.plan([]);
    const opened = { engine, model, whole };
    const costs: CompanionCost[] = [];
    for (const rows of measures ? MEASURED_SIZES : []) {
      costs.push(await measure(opened, rows, pause));
    }
    return { ...opened, costs };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** What the companion says of these rows: log-probabilities [rows, classes], whatever kind its output is of. */
export async function askCompanion(
  { engine, model, whole }: Omit<OpenCompanion, 'costs'>,
  input: Float32Array | Uint8Array,
  rows: number,
): Promise<Float32Array> {
  const outputs = await engine.output(whole, engine.upload(input, rows));
  return new BackboneRows(outputs, rows, taskOf(model)).logProbabilities(model.classCount);
}

async function measure(
  companion: Omit<OpenCompanion, 'costs'>,
  rows: number,
  pause: () => Promise<void>,
): Promise<CompanionCost> {
  const { model } = companion;
  const input = new Float32Array(rows * rowSize(model));
  const busyMs = createBusyClock();
  const timed = async (): Promise<number> => {
    await pause();
    const startMs = busyMs();
    scoreRows(await askCompanion(companion, input, rows), model.classCount);
    return busyMs() - startMs;
  };
  const runs = await warmRuns(timed, rows === 1 ? SINGLE_ROW_BUDGET_MS : BUDGET_MS);
  return { runMs: quartile(runs), compactMs: copyMs(rows, rowSize(model)) };
}
