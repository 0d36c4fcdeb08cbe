// One batch to its end: companions, then segment, heads, decision, answers out, compaction, next segment.
import { performance } from 'node:perf_hooks';
import { shouldCompact } from '../../core/compaction.ts';
import { InvariantError } from '../../core/invariant.ts';
import type { Task } from '../../core/task/task.ts';
import type { ReceivedBatch } from '../batch-frames.ts';
import {
  RowFlag,
  type AuditedRow,
  type BatchOutcome,
  type KeptRow,
  type RowAnswer,
  type SampledRow,
} from '../engine-client.ts';
import type {
  Activation,
  ModelDescription,
  SegmentEngine,
  SegmentPlan,
} from '../segment-engine.ts';
import { taskOf } from '../task-of.ts';
import { BackboneRows } from './backbone-rows.ts';
import { BatchClock, type BusyShare, type LoadRatio } from './batch-clock.ts';
import { BatchRows } from './batch-rows.ts';
import { FrameRows } from './frame-rows.ts';
import type { LoadedPlan, Route } from './loaded-plan.ts';
import type { CutLayout, FrameLayout } from './plan-layout.ts';
import { askCompanion } from './open-companion.ts';

export interface BatchSurroundings {
  readonly engine: SegmentEngine;
  readonly model: ModelDescription;
  /** The backbone without cuts. */
  readonly whole: SegmentPlan;
  readonly loaded: LoadedPlan;
  readonly load: LoadRatio;
  readonly busy: BusyShare;
  /** Called with the rows that leave, at once; `isLast`: the batch ends right after. */
  readonly emit: (answers: readonly RowAnswer[], isLast: boolean) => void;
}

type Batch = Omit<ReceivedBatch, 'planId' | 'input'> & { readonly input: Uint8Array };

export async function runBatch(
  surroundings: BatchSurroundings,
  batch: Batch,
): Promise<BatchOutcome> {
  const run = new BatchRun(surroundings, batch);
  return run.toEnd();
}

class BatchRun {
  private readonly surroundings: BatchSurroundings;
  private readonly input: Float32Array | Uint8Array;
  private readonly rows: BatchRows;
  private readonly frames: FrameRows;
  private readonly task: Task;
  private readonly clock: BatchClock;
  /** Row of the request at each place of the activation. */
  private places: readonly number[];
  /** [row][sample]: pooled features of sampled rows. */
  private readonly features = new Map<number, Float32Array[]>();
  private readonly audits: AuditedRow[] = [];
  private readonly samples: SampledRow[] = [];
  private readonly keyFrames: KeptRow[] = [];
  private readonly nonFiniteRows: number[] = [];

  constructor(surroundings: BatchSurroundings, batch: Batch) {
    this.surroundings = surroundings;
    this.clock = new BatchClock(surroundings.busy);
    this.input = toInput(batch);
    const size = this.input.length / batch.rows;
    this.task = taskOf(surroundings.model);
    this.frames = new FrameRows(this.task.frames, batch.recalled);
    this.rows = new BatchRows(batch.flags, {
      tracks: surroundings.loaded.tracks,
      classCount: surroundings.model.classCount,
      task: this.task,
      frames: this.frames,
      isInputFinite: (row) =>
        this.input.subarray(row * size, (row + 1) * size).every(Number.isFinite),
    });
    this.places = Array.from({ length: batch.rows }, (_, row) => row);
  }

  async toEnd(): Promise<BatchOutcome> {
    const { engine, loaded, whole, load } = this.surroundings;
    const route = this.route();
    await this.askCompanions(route);
    let activation = this.uploadRest();
    try {
      for (const cut of route?.cuts.keys() ?? []) {
        if (route === null || activation === null) break;
        const start = activation;
        activation = null;
        activation = await this.step(route, cut, start);
      }
      if (activation !== null) {
        const last = activation;
        activation = null;
        await this.finish(route?.plan ?? whole, route, last);
      }
    } finally {
      if (activation !== null) engine.discard(activation);
    }
    const { prices } = loaded.full;
    return {
      audits: this.audits,
      samples: this.samples,
      keyFrames: this.keyFrames,
      seconds: this.clock.seconds(prices.plainMs(this.rows.count), load),
      segments: this.clock.segments,
      nonFiniteRows: this.nonFiniteRows,
      nonFiniteHeads: this.rows.nonFiniteHeads(),
    };
  }

  /** Null: nothing can leave and nothing is asked on the way, so the backbone runs whole. */
  private route(): Route | null {
    const { loaded } = this.surroundings;
    const wants = (flag: number): boolean => this.rows.someHave(this.places, flag);
    if (loaded.sampleCount > 0 && wants(RowFlag.Sample)) return loaded.full;
    if (loaded.auditing !== null && wants(RowFlag.Audit)) return loaded.auditing;
    if (loaded.answering === null) return null;
    const isOnWay = this.places.some(
      (row) => !this.rows.has(row, RowFlag.BackboneOnly) || this.rows.has(row, RowFlag.KeyFrame),
    );
    return isOnWay ? loaded.answering : null;
  }

  private async askCompanions(route: Route | null): Promise<void> {
    if (route === null) return;
    for (const index of route.companions.keys()) await this.askBefore(route, index);
  }

  /** Null: companions have answered every row, and nothing wants more of any. */
  private uploadRest(): Activation | null {
    const rows = this.places.length;
    return rows === 0 ? null : this.surroundings.engine.upload(this.inputOf(this.places), rows);
  }

  /** Asks a companion about the rows that it may answer, or whose answers are wanted; those that stay go on. */
  private async askBefore(route: Route, index: number): Promise<void> {
    const layout = route.companions[index];
    if (layout === undefined) throw new InvariantError(`route without companion ${index}`);
    const { companion, uses, samples, place } = layout;
    const asked = this.places.filter(
      (row) => this.rows.isNeeded(row) && this.rows.mayHear(row, uses),
    );
    if (asked.length === 0) return;
    const before = this.rows.work(asked);
    const input = this.inputOf(asked);
    const began = performance.now();
    const logits = await askCompanion(companion, input, asked.length);
    const answers = uses.flatMap((use) => this.rows.leave(use, logits, asked));
    this.emitEarly(answers);
    this.keepFeatures(logits, samples, asked);
    this.clock.addCompanion(
      { cut: place, ms: performance.now() - began },
      route.prices.companionMs(place, asked.length),
      before,
    );
    this.dropAnswered(route, index);
  }

  /** Rows that are done need not enter the backbone. */
  private dropAnswered(route: Route, index: number): void {
    const { prices, companions } = route;
    const kept = this.places.filter((row) => this.rows.isNeeded(row));
    const rows = this.places.length;
    const restMs = (count: number): number =>
      companions
        .slice(index + 1)
        .reduce((sum, { place }) => sum + prices.companionMs(place, count), 0) +
      prices.restMs(-1, count);
    const compactMs = prices.gatherMs(companions[index]?.place ?? -1, rows);
    const pays = shouldCompact({ rows, keptRows: kept.length, restMs, compactMs });
    if (kept.length === 0 || pays) this.places = kept;
  }

  /** Rows of the request side by side. */
  private inputOf(rows: readonly number[]): Float32Array | Uint8Array {
    if (rows.length === this.rows.count) return this.input;
    const began = performance.now();
    const size = this.input.length / this.rows.count;
    const length = rows.length * size;
    const gathered =
      this.input instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
    for (const [place, row] of rows.entries()) {
      gathered.set(this.input.subarray(row * size, (row + 1) * size), place * size);
    }
    this.clock.addCompaction(performance.now() - began);
    return gathered;
  }

  private emitEarly(answers: readonly RowAnswer[]): void {
    if (answers.length === 0) return;
    this.surroundings.emit(answers, !this.places.some((row) => this.rows.isNeeded(row)));
  }

  /** Runs one segment and what hangs on its cut; null when no row is left. */
  private async step(route: Route, cut: number, start: Activation): Promise<Activation | null> {
    const { engine } = this.surroundings;
    const layout = route.cuts[cut];
    if (layout === undefined) throw new InvariantError(`route without cut ${cut}`);
    const pooled = this.wantsFeatures(layout);
    const before = this.rows.work(this.places);
    const began = performance.now();
    const heads = route.heads[cut] ?? [];
    const result = await engine.run(route.plan, cut, start, { heads, pooled });
    const answers: RowAnswer[] = [];
    for (const [slot, use] of layout.uses.entries()) {
      answers.push(...this.rows.leave(use, result.logits[slot] ?? null, this.places));
    }
    if (layout.frames !== null) answers.push(...this.compareFrames(layout.frames, result.pooled));
    this.emitEarly(answers);
    if (result.pooled !== null) this.keepFeatures(result.pooled, layout.samples, this.places);
    const table = {
      segmentMs: route.prices.segmentMs(cut, this.places.length),
      headMs: route.prices.headMs(cut, this.places.length),
    };
    this.clock.addSegment(
      { cut: route.places[cut] ?? -1, ms: performance.now() - began },
      table,
      before,
    );
    return this.compact(route, cut, result.activation);
  }

  /** Something compares the row, or it is to be compared with. */
  private isFrame(row: number): boolean {
    return this.rows.has(row, RowFlag.KeyFrame) || this.frames.isRecalled(row);
  }

  private wantsFeatures({ samples, frames }: CutLayout): boolean {
    const isSampled = samples.length > 0 && this.rows.someHave(this.places, RowFlag.Sample);
    return isSampled || (frames !== null && this.places.some((row) => this.isFrame(row)));
  }

  /** Rows that leave by an earlier frame of their source. */
  private compareFrames(
    { uses, channels }: FrameLayout,
    values: Float32Array | null,
  ): readonly RowAnswer[] {
    if (values !== null) this.passFrames(values, channels);
    return uses.flatMap((use) => this.rows.leaveByFrame(use, this.places));
  }

  private passFrames(values: Float32Array, channels: number): void {
    const size = values.length / this.places.length;
    for (const [place, row] of this.places.entries()) {
      if (!this.isFrame(row)) continue;
      this.frames.pass(row, values.slice(place * size, (place + 1) * size), channels);
    }
  }

  private keepFeatures(
    values: Float32Array,
    samples: readonly number[],
    rows: readonly number[],
  ): void {
    if (samples.length === 0) return;
    const size = values.length / rows.length;
    for (const [place, row] of rows.entries()) {
      if (!this.rows.has(row, RowFlag.Sample)) continue;
      const kept = this.features.get(row) ?? [];
      for (const sample of samples) kept[sample] = values.slice(place * size, (place + 1) * size);
      this.features.set(row, kept);
    }
  }

  private compact(route: Route, cut: number, activation: Activation): Activation | null {
    const { engine } = this.surroundings;
    const kept: number[] = [];
    for (const [place, row] of this.places.entries()) if (this.rows.isNeeded(row)) kept.push(place);
    if (kept.length === this.places.length) return activation;
    if (kept.length === 0) {
      engine.discard(activation);
      return null;
    }
    const pays = shouldCompact({
      rows: this.places.length,
      keptRows: kept.length,
      restMs: (rows) => route.prices.restMs(cut, rows),
      compactMs: route.prices.compactMs(cut, this.places.length),
    });
    if (!pays) return activation;
    const began = performance.now();
    const compacted = engine.compact(activation, kept);
    this.places = kept.map((place) => this.places[place] ?? -1);
    this.clock.addCompaction(performance.now() - began);
    return compacted;
  }

  private async finish(plan: SegmentPlan, route: Route | null, start: Activation): Promise<void> {
    const { engine, loaded, emit } = this.surroundings;
    const count = this.places.length;
    const before = this.rows.work(this.places);
    const began = performance.now();
    const outputs = new BackboneRows(await engine.output(plan, start), count, this.task);
    const answers = [...this.places.entries()]
      .filter(([, row]) => !this.rows.isAnswered(row))
      .map(([place, row]) => ({
        row,
        exit: -1,
        score: NaN,
        classId: outputs.classAt(place),
        outputs: outputs.answerAt(place),
      }));
    if (answers.length > 0) emit(answers, true);
    const segmentMs =
      route === null
        ? loaded.full.prices.plainMs(count)
        : route.prices.segmentMs(route.cuts.length, count);
    const ended = {
      cut: route === null ? -1 : loaded.report.costs.cuts.length,
      ms: performance.now() - began,
    };
    this.clock.addSegment(ended, { segmentMs, headMs: 0 }, before);
    for (const [place, row] of this.places.entries()) {
      if (this.rows.isNeeded(row)) this.report(row, place, outputs);
    }
  }

  private report(row: number, place: number, outputs: BackboneRows): void {
    if (!outputs.isFiniteAt(place)) {
      this.nonFiniteRows.push(row);
      return;
    }
    const isKey = this.rows.has(row, RowFlag.KeyFrame);
    const kept = isKey ? this.frames.keyFrameOf(row, outputs.outputsAt(place)) : null;
    if (kept !== null) this.keyFrames.push(kept);
    const backboneClass = outputs.classAt(place);
    if (this.rows.has(row, RowFlag.Audit)) {
      const backbone = { backboneClass, backboneConfidence: outputs.confidenceAt(place) };
      this.audits.push({
        row,
        ...backbone,
        tracks: this.rows.scored(row, outputs.answerAt(place)),
      });
    }
    if (this.rows.has(row, RowFlag.Sample)) this.sample(row, place, outputs);
  }

  private sample(row: number, place: number, outputs: BackboneRows): void {
    const features = this.features.get(row) ?? [];
    const isKey = this.rows.has(row, RowFlag.KeyFrame);
    for (const { frames } of this.surroundings.loaded.full.cuts) {
      for (const sample of frames?.samples ?? []) {
        features[sample] = this.frames.sampleOf(row, outputs.answerAt(place), isKey);
      }
    }
    if (!features.every((values) => values.every(Number.isFinite))) return;
    this.samples.push({
      row,
      backboneClass: outputs.classAt(place),
      logProbabilities: outputs.logProbabilitiesAt(place),
      features,
    });
  }
}

function toInput({ input, datatype }: Batch): Float32Array | Uint8Array {
  if (datatype === 'UINT8') return input;
  // Blobs of frames are aligned; a caller in process may pass any view.
  return input.byteOffset % 4 === 0
    ? new Float32Array(input.buffer, input.byteOffset, input.byteLength / 4)
    : new Float32Array(input.slice().buffer);
}
