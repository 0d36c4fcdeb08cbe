// What is known of each row of a batch while it runs.
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import { decideRow } from '../../core/decide.ts';
import { exitScore } from '../../core/exit-score.ts';
import { InvariantError } from '../../core/invariant.ts';
import { argmax } from '../../core/score.ts';
import type { HeadRow, RowOutputs, Task } from '../../core/task/task.ts';
import { RowFlag, type AuditedRow, type RowAnswer } from '../engine-client.ts';
import type { StepRows } from './batch-clock.ts';
import type { FrameRows } from './frame-rows.ts';
import type { LoadedTrack } from './loaded-plan.ts';
import type { SlotUse } from './plan-layout.ts';

/** Of the classes of a head that compares frames, the one that lets a row leave. */
const AS_BEFORE = [0];

interface TrackScores {
  /** [rows][exits]: score q, NaN until its head has run; class. */
  readonly scores: Float64Array;
  readonly classes: Int32Array;
  /** Per exit: rows with finite input whose score is not finite. */
  readonly nonFinite: Int32Array;
}

/** What rows of a batch are judged by. */
export interface RowJudges {
  readonly tracks: readonly LoadedTrack[];
  /** Classes of heads. */
  readonly classCount: number;
  readonly task: Task;
  readonly frames: FrameRows;
  readonly isInputFinite: (row: number) => boolean;
}

export class BatchRows {
  readonly count: number;
  private readonly flags: Uint8Array;
  private readonly tracks: readonly LoadedTrack[];
  private readonly classCount: number;
  private readonly task: Task;
  private readonly frames: FrameRows;
  /** Some track's answers hang on key frames: the backbone answers these whatever any head says. */
  private readonly awaitsKeys: boolean;
  private readonly found: readonly TrackScores[];
  private readonly answered: Uint8Array;
  private readonly isInputFinite: (row: number) => boolean;
  /** Index of the track of a row without and with the Candidate flag; -1: nothing may leave. */
  private readonly trackOf: readonly [number, number];

  constructor(flags: Uint8Array, { tracks, classCount, task, frames, isInputFinite }: RowJudges) {
    this.count = flags.length;
    this.flags = flags;
    this.tracks = tracks;
    this.classCount = classCount;
    this.task = task;
    this.frames = frames;
    this.awaitsKeys = tracks.some(({ comparing }) => comparing !== null);
    this.isInputFinite = isInputFinite;
    this.answered = new Uint8Array(this.count);
    this.found = tracks.map(({ heads }) => ({
      scores: new Float64Array(this.count * heads.length).fill(NaN),
      classes: new Int32Array(this.count * heads.length),
      nonFinite: new Int32Array(heads.length),
    }));
    const indexOf = (track: string): number =>
      tracks.findIndex(({ planned }) => planned.track === track);
    this.trackOf = [indexOf('stable'), indexOf('candidate')];
  }

  has(row: number, flag: number): boolean {
    return ((this.flags[row] ?? 0) & flag) !== 0;
  }

  isAnswered(row: number): boolean {
    return this.answered[row] === 1;
  }

  /** The row must go on: it has no answer yet, or an audit or a sample wants the rest. */
  isNeeded(row: number): boolean {
    return !this.isAnswered(row) || this.has(row, RowFlag.Audit | RowFlag.Sample);
  }

  /** Whether any of the rows has one of the flags. */
  someHave(rows: readonly number[], flags: number): boolean {
    for (const row of rows) if (this.has(row, flags)) return true;
    return false;
  }

  /** Whether what these heads say of the row matters: it may leave at one of them, or an audit or a sample asks. */
  mayHear(row: number, uses: readonly SlotUse[]): boolean {
    if (this.has(row, RowFlag.Audit | RowFlag.Sample)) return true;
    const own = this.trackOf[this.has(row, RowFlag.Candidate) ? 1 : 0];
    return !this.has(row, RowFlag.BackboneOnly) && uses.some(({ track }) => track === own);
  }

  /** What a step over these rows works for. */
  work(rows: readonly number[]): StepRows {
    let serving = 0;
    let auditing = 0;
    for (const row of rows) {
      if (!this.isAnswered(row)) serving += 1;
      else if (this.has(row, RowFlag.Audit | RowFlag.Sample)) auditing += 1;
    }
    return { serving, auditing };
  }

  /** Takes in a head's logits for the rows that were in the batch, and answers those that leave here. */
  leave(use: SlotUse, logits: Float32Array | null, rowsInBatch: readonly number[]): RowAnswer[] {
    const loaded = this.tracks[use.track];
    const found = this.found[use.track];
    if (loaded === undefined || found === undefined || logits === null) return [];
    const answers: RowAnswer[] = [];
    let place = -1;
    for (const row of rowsInBatch) {
      place += 1;
      if (!this.isNeeded(row) || this.awaitsKey(row)) continue;
      this.takeScore(row, use, found, { logits, offset: place * this.classCount });
      if (!this.leavesAt(row, use, loaded, found)) continue;
      this.answered[row] = 1;
      answers.push(this.answerAt(row, use, found, { logits, offset: place * this.classCount }));
    }
    return answers;
  }

  /** Answers the rows that leave by an earlier frame of their source. */
  leaveByFrame(use: SlotUse, rowsInBatch: readonly number[]): RowAnswer[] {
    const loaded = this.tracks[use.track];
    const found = this.found[use.track];
    if (loaded === undefined || found === undefined) return [];
    const answers: RowAnswer[] = [];
    for (const row of rowsInBatch) {
      if (!this.isNeeded(row) || this.awaitsKey(row)) continue;
      this.takeComparison(row, use, found);
      if (!this.leavesAt(row, use, loaded, found)) continue;
      this.answered[row] = 1;
      answers.push({
        row,
        exit: use.exit,
        score: found.scores[this.placeOf(row, use)] ?? NaN,
        classId: found.classes[this.placeOf(row, use)] ?? 0,
        outputs: this.frames.answerOf(row) ?? [],
      });
    }
    return answers;
  }

  /** A key frame has no scores, so at no lambda does it leave. */
  private awaitsKey(row: number): boolean {
    return this.awaitsKeys && this.has(row, RowFlag.KeyFrame);
  }

  /** 0 where there is nothing to compare with: later heads are asked. */
  private takeComparison(row: number, use: SlotUse, found: TrackScores): void {
    const head = this.tracks[use.track]?.comparing;
    const logits = head ? this.frames.logitsOf(row, head) : null;
    if (logits === null) {
      found.scores[this.placeOf(row, use)] = 0;
      return;
    }
    const scoring = { answerable: AS_BEFORE, coefficients: this.headOf(use).score };
    this.setScore(
      row,
      use,
      found,
      exitScore(logits, 0, { classCount: this.classCount, ...scoring }),
    );
    found.classes[this.placeOf(row, use)] = this.task.classOf(this.frames.answerOf(row) ?? []);
  }

  private headOf(use: SlotUse): BundleHead {
    const head = this.tracks[use.track]?.heads[use.exit]?.head;
    if (head === undefined) throw new InvariantError(`no head ${use.exit} on track ${use.track}`);
    return head;
  }

  private placeOf(row: number, use: SlotUse): number {
    return row * (this.tracks[use.track]?.heads.length ?? 0) + use.exit;
  }

  private takeScore(row: number, use: SlotUse, found: TrackScores, at: HeadRow): void {
    const { classCount } = this;
    const score = exitScore(at.logits, at.offset, {
      classCount,
      answerable: this.task.answerable,
      coefficients: this.headOf(use).score,
    });
    this.setScore(row, use, found, score);
    found.classes[this.placeOf(row, use)] = argmax(at.logits, at.offset, classCount);
  }

  private setScore(row: number, use: SlotUse, found: TrackScores, score: number): void {
    found.scores[this.placeOf(row, use)] = score;
    if (!Number.isFinite(score) && this.isInputFinite(row)) {
      found.nonFinite[use.exit] = (found.nonFinite[use.exit] ?? 0) + 1;
    }
  }

  private answerAt(row: number, use: SlotUse, found: TrackScores, at: HeadRow): RowAnswer {
    return {
      row,
      exit: use.exit,
      score: found.scores[this.placeOf(row, use)] ?? NaN,
      classId: found.classes[this.placeOf(row, use)] ?? 0,
      outputs: this.task.earlyAnswer(at, this.headOf(use).temperature),
    };
  }

  private leavesAt(row: number, use: SlotUse, loaded: LoadedTrack, found: TrackScores): boolean {
    const own = this.trackOf[this.has(row, RowFlag.Candidate) ? 1 : 0];
    if (own !== use.track || this.isAnswered(row) || this.has(row, RowFlag.BackboneOnly)) {
      return false;
    }
    const size = loaded.heads.length;
    const scores = found.scores.subarray(row * size, (row + 1) * size);
    return decideRow(scores, loaded.planned.lambdaIndex, loaded.answering) === use.exit;
  }

  /** What every head said of the row, against what the backbone answered. */
  scored(row: number, answer: RowOutputs): AuditedRow['tracks'] {
    return this.found.map(({ scores, classes }, track) => {
      const heads = this.tracks[track]?.heads ?? [];
      const size = heads.length;
      const own = classes.slice(row * size, (row + 1) * size);
      return {
        scores: scores.slice(row * size, (row + 1) * size),
        classes: own,
        lossTenths: Uint8Array.from(own, (classId, exit) =>
          heads[exit]?.head.compares === undefined
            ? this.task.lossTenthsOf(classId, answer)
            : this.frames.lossTenthsOf(row, answer),
        ),
      };
    });
  }

  nonFiniteHeads(): { track: 'stable' | 'candidate'; exit: string; rows: number }[] {
    return this.tracks.flatMap(({ planned, heads }, track) =>
      heads.flatMap(({ head }, exit) => {
        const rows = this.found[track]?.nonFinite[exit] ?? 0;
        return rows > 0 ? [{ track: planned.track, exit: head.exit, rows }] : [];
      }),
    );
  }
}
