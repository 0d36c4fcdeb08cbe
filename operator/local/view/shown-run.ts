import { systemClock } from '../../clock.ts';
import type { Decision, StageProgress } from '../../lifecycle/types.ts';
import { VERSION } from '../../version.ts';
import type { RunTally } from '../report/run-tally.ts';
import type { RunContext } from '../run-context.ts';
import { grouped, plainPercent, seconds } from './format.ts';
import { createRunScreen } from './run-screen.ts';
import { createRunView } from './run-view.ts';

/** Shows a run while it goes on: screen or lines on standard error, decisions as NDJSON on standard output with --events. */
export interface ShownRun {
  loaded(tookMs: number): void;
  progress(progress: StageProgress): void;
  decided(decision: Decision): void;
  /** Something went wrong and the run goes on; the same words are shown once in ten seconds. */
  problem(message: string): void;
  readonly comparing: (done: number, total: number) => void;
  readonly draw: () => void;
  end(): void;
}

const REPEAT_MS = 10_000;

export function createShownRun(context: RunContext, tally: RunTally): ShownRun {
  const { options, io, settings, exits, state } = context;
  const clock = systemClock;
  const view = createRunView(io.stderr, io.isTerminal, clock);
  const lastSaid = new Map<string, number>();
  let lastCompared = -Infinity;
  const screen = createRunScreen({
    title: titleOf(context),
    addresses: addressesOf(context),
    tally,
    exitNames: exits.map(({ name }) => name),
    budget: settings.budget,
    confidence: settings.confidence,
    savedRatio: (name) => {
      const exit = exits.find((candidate) => candidate.name === name);
      return exit === undefined ? null : 1 - exit.msShare;
    },
  });
  const draw = (): void => {
    view.update(screen.model(clock.monotonicMs()));
  };
  return {
    loaded: (tookMs) => {
      screen.loaded(tookMs / 1000, `${state.cuts.length} cut points, ${exits.length} exits kept`);
      view.note(
        `Load    done ${seconds(tookMs)}  ${state.cuts.length} cut points, ${exits.length} exits kept`,
      );
      draw();
    },
    progress: (progress) => {
      screen.progress(progress, clock.monotonicMs());
    },
    decided: (decision) => {
      screen.decided(`${decision.reason}: ${decision.message}`);
      if (options.events) io.stdout.write(`${JSON.stringify(decision)}\n`);
      if (!io.isTerminal) view.note(`${decision.reason}: ${decision.message}`);
    },
    problem: (message) => {
      const nowMs = clock.monotonicMs();
      if (nowMs - (lastSaid.get(message) ?? -Infinity) < REPEAT_MS) return;
      lastSaid.set(message, nowMs);
      view.note(`warning: ${message}`);
    },
    comparing: (done, total) => {
      const nowMs = clock.monotonicMs();
      if (done < total && nowMs - lastCompared < REPEAT_MS / 2) return;
      lastCompared = nowMs;
      view.note(
        `Comparing early answers with the backbone: ${grouped(done)}/${grouped(total)} rows`,
      );
    },
    draw,
    end: () => {
      view.end();
    },
  };
}

function titleOf({ options, settings, state }: RunContext): string {
  const { kind, device, threads } = state.engine;
  const engine = `engine ${kind} (${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'})`;
  const budget = `budget ${plainPercent(settings.budget)} at ${plainPercent(settings.confidence)}`;
  return `layercache ${VERSION}  ${settings.model}  ${engine}  ${budget}  seed ${options.seed}`;
}

function addressesOf({ servers, settings }: RunContext): string {
  const first = servers[0]?.server;
  return `predict ${first?.dataUrl ?? '-'}/v2/models/${settings.model}/infer  metrics ${first?.metricsUrl ?? '-'}/metrics`;
}
