import { measureOf } from '../../../crds/wire/measure.ts';
import { systemClock } from '../../clock.ts';
import type { Decision, StageProgress } from '../../lifecycle/types.ts';
import { VERSION } from '../../version.ts';
import type { RunTally } from '../report/run-tally.ts';
import type { RunContext } from '../run-context.ts';
import type { RunPicture } from '../web/run-picture.ts';
import { grouped, plainPercent, seconds } from './format.ts';
import { createRunScreen, type RunScreenOptions } from './run-screen.ts';
import { renderStatement } from './screen.ts';
import { createRunView } from './run-view.ts';
import { shownExits } from '../shown-exits.ts';

/** Shows a run while it goes on: screen or lines on standard error, decisions as NDJSON on standard output with --events. */
export interface ShownRun {
  loaded(tookMs: number): void;
  progress(progress: StageProgress): void;
  decided(decision: Decision): void;
  /** Something went wrong and the run goes on; the same words are shown once in ten seconds. */
  problem(message: string): void;
  /** A line that stays. */
  readonly note: (line: string) => void;
  readonly comparing: (done: number, total: number) => void;
  readonly draw: () => void;
  end(): void;
}

const REPEAT_MS = 10_000;

export function createShownRun(
  context: RunContext,
  tally: RunTally,
  about: Pick<RunScreenOptions, 'statements' | 'drills'>,
  picture: RunPicture,
): ShownRun {
  const { options, io, settings, exits, state } = context;
  const clock = systemClock;
  const view = createRunView(io.stderr, io.isTerminal, clock);
  const lastSaid = new Map<string, number>();
  let lastCompared = -Infinity;
  const said = new Set<string>();
  /** Each known limit is said once, when the run meets it. */
  const sayStatements = (): void => {
    for (const statement of about.statements()) {
      if (said.has(statement.reason)) continue;
      said.add(statement.reason);
      view.note(renderStatement(statement));
    }
  };
  const screen = createRunScreen({
    ...about,
    title: titleOf(context),
    addresses: addressesOf(context),
    tally,
    exitNames: shownExits(context.service, exits).map(({ name }) => name),
    budget: settings.budget,
    confidence: settings.confidence,
    agreement: settings.agreement,
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
      const outcome = `${state.cuts.length} cut points, ${exits.length} exits kept`;
      screen.loaded(tookMs / 1000, outcome);
      picture.loaded(tookMs, outcome);
      view.note(`Load    done ${seconds(tookMs)}  ${outcome}`);
      sayStatements();
      draw();
    },
    progress: (progress) => {
      screen.progress(progress, clock.monotonicMs());
      picture.progress(progress);
      sayStatements();
    },
    note: (line) => {
      view.note(line);
    },
    decided: (decision) => {
      screen.decided(`${decision.reason}: ${decision.message}`);
      picture.decided(decision);
      if (options.events) io.stdout.write(`${JSON.stringify(decision)}\n`);
      if (!io.isTerminal) view.note(`${decision.reason}: ${decision.message}`);
    },
    problem: (message) => {
      const nowMs = clock.monotonicMs();
      if (nowMs - (lastSaid.get(message) ?? -Infinity) < REPEAT_MS) return;
      lastSaid.set(message, nowMs);
      view.note(`warning: ${message}`);
      picture.warned(message);
    },
    comparing: (done, total) => {
      picture.comparing(done, total);
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
  const budget = `budget ${plainPercent(settings.budget)}${measureOf(settings).afterBudget} at ${plainPercent(settings.confidence)}`;
  return `layercache ${VERSION}  ${settings.model}  ${engine}  ${budget}  seed ${options.seed}`;
}

function addressesOf({ servers, settings, dashboard }: RunContext): string {
  const first = servers[0]?.server;
  const page = dashboard.url === null ? '' : `dashboard ${dashboard.url}  `;
  return `${page}predict ${first?.dataUrl ?? '-'}/v2/models/${settings.model}/infer  metrics ${first?.metricsUrl ?? '-'}/metrics`;
}
