import type { Clock } from '../../clock.ts';
import { renderScreen, renderStage } from './screen.ts';
import type { ScreenModel } from './screen-model.ts';

/** Where a run shows itself. `update` may be called at any rate. */
export interface RunView {
  update(model: ScreenModel): void;
  /** A line that stays: a warning, a decision. */
  note(line: string): void;
  end(): void;
}

export interface ViewOutput {
  readonly write: (text: string) => void;
  /** Characters per line; undefined where there is no terminal. */
  readonly columns: number | undefined;
}

const REDRAW_MS = 250;
const MIN_COLUMNS = 40;
const LINE_MS = 10_000;

/** A terminal: redrawn in place, at most four times a second. */
export function createTerminalView(output: ViewOutput, clock: Clock): RunView {
  let drawn = 0;
  let lastMs = -Infinity;
  let latest: ScreenModel | null = null;
  const erase = (): string => (drawn === 0 ? '' : `\x1b[${drawn}F\x1b[0J`);
  const draw = (model: ScreenModel): void => {
    // A pseudo-terminal without a size says 0.
    const width = Math.max(MIN_COLUMNS, output.columns ?? 0);
    const lines = renderScreen(model).map((line) => line.slice(0, width - 1));
    output.write(`${erase()}${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  return {
    update: (model) => {
      latest = model;
      if (clock.monotonicMs() - lastMs < REDRAW_MS) return;
      lastMs = clock.monotonicMs();
      draw(model);
    },
    note: (line) => {
      output.write(`${erase()}${line}\n`);
      drawn = 0;
      if (latest !== null) draw(latest);
    },
    end: () => {
      if (latest !== null) draw(latest);
      drawn = 0;
    },
  };
}

/** A log: one line per change of stage, and one every ten seconds. */
export function createLineView(output: ViewOutput, clock: Clock): RunView {
  let lastStage = '';
  let lastMs = -Infinity;
  let hasTitle = false;
  return {
    update: (model) => {
      if (!hasTitle) output.write(`${model.title}\n${model.addresses}\n`);
      hasTitle = true;
      const running = model.stages.find(({ status }) => status === 'Running');
      if (running === undefined) return;
      const isDue = running.name !== lastStage || clock.monotonicMs() - lastMs >= LINE_MS;
      if (!isDue) return;
      lastStage = running.name;
      lastMs = clock.monotonicMs();
      output.write(`${renderStage(running, model.rowsPerSecond)}\n`);
    },
    note: (line) => {
      output.write(`${line}\n`);
    },
    end: () => undefined,
  };
}

/** Nothing here is coloured, so NO_COLOR is kept; cursor movement goes to terminals only. */
export function createRunView(output: ViewOutput, isTerminal: boolean, clock: Clock): RunView {
  return isTerminal ? createTerminalView(output, clock) : createLineView(output, clock);
}
