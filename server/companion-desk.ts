import { setTimeout as wait } from 'node:timers/promises';
import type { CompanionModel, CompanionReport } from '../crds/wire/state.ts';
import { retryDelayMs, type RetryDelays } from './backbone/retry-delay.ts';
import type { CompanionSetting } from './companions.ts';
import { errorText } from './core/system-error.ts';
import { cheapestFirst } from './engine/companion-order.ts';
import type { EngineClient } from './engine/engine-client.ts';
import { EngineError, type EngineFailure } from './engine/engine-error.ts';
import type { ModelSource } from './engine/segment-engine.ts';
import { createTurns } from './turns.ts';

/**
 * Companions of this server: brought here and loaded beside the backbone, each tried again for as long as it fails. None of them keeps
 * the backbone from answering.
 */
export interface CompanionDesk {
  /** Tries each once the backbone is loaded; resolves when all are loaded or have failed, or after a while. */
  start(): Promise<void>;
  /** Those that run, the cheapest first. */
  models(): readonly CompanionModel[];
  /** Those that do not run, and why. */
  reports(): readonly CompanionReport[];
  /** Called when one that failed before, or was late, has been loaded. */
  onLate(listener: (companion: CompanionModel) => void): void;
  close(): void;
}

export interface DeskOptions {
  readonly settings: readonly CompanionSetting[];
  readonly engine: Pick<EngineClient, 'openCompanion' | 'onCompanionLost' | 'status'>;
  /** Brings it to this machine and checks it; every failure is thrown. */
  readonly obtain: (setting: CompanionSetting, signal: AbortSignal) => Promise<ModelSource>;
  readonly onFailure: (report: CompanionReport, retryMs: number) => void;
  /** [0, 1): spreads the retries of many pods. */
  readonly random: () => number;
  readonly times?: DeskTimes;
}

interface DeskTimes extends RetryDelays {
  /** The start of the server waits for no companion longer than this. */
  readonly startMs: number;
}

const RETRY: RetryDelays = { firstMs: 1_000, mostOnTheWayMs: 60_000, mostMs: 900_000 };
const TIMES: DeskTimes = { ...RETRY, startMs: 30_000 };
/** A companion whose load ended the engine host so often is left alone: the backbone would answer nothing in between. */
const MOST_DEATHS = 2;
const MAX_MESSAGE = 1024;

type Outcome = 'Loaded' | 'Failed' | 'Refused' | 'Deadly';

export function createCompanionDesk(options: DeskOptions): CompanionDesk {
  const { settings, engine } = options;
  const times = options.times ?? TIMES;
  const ending = new AbortController();
  const { signal } = ending;
  const models = new Map<string, CompanionModel>();
  const reports = new Map<string, CompanionReport>();
  const listeners: ((companion: CompanionModel) => void)[] = [];
  let hasStarted = false;
  /** Loads: when the engine host dies, only the one that was being loaded can be blamed. */
  const inTurn = createTurns();
  const isOver = (): boolean => signal.aborted;

  function reportFailed(name: string, message: string): void {
    reports.set(name, {
      ...{ name, code: 'CompanionLoadFailed' },
      message: message.slice(0, MAX_MESSAGE),
    });
  }

  async function tryOnce(setting: CompanionSetting): Promise<Outcome> {
    const { name } = setting;
    const before = { wasUp: false };
    try {
      const source = await options.obtain(setting, signal);
      const loaded = await inTurn(() => {
        before.wasUp = engine.status === 'Up';
        return engine.openCompanion({ name, source });
      });
      reports.delete(name);
      const model = { name, ...loaded };
      models.set(name, model);
      if (hasStarted) for (const listener of listeners) listener(model);
      return 'Loaded';
    } catch (error) {
      reportFailed(name, errorText(error));
      if (!(error instanceof EngineError)) return 'Failed';
      if (error.code !== 'EngineDown') return 'Refused';
      return before.wasUp ? 'Deadly' : 'Failed';
    }
  }

  function leaveAlone({ name }: CompanionSetting): void {
    reportFailed(
      name,
      `exits[${name}].model ended the engine host twice while it was loaded, and is not tried again: name a smaller model, or give the pod more memory.`,
    );
  }

  /** @param onFirst called after the first attempt */
  async function keepTrying(setting: CompanionSetting, onFirst: () => void): Promise<void> {
    let deaths = 0;
    for (let failures = 0; !isOver(); failures += 1) {
      const outcome = await tryOnce(setting);
      onFirst();
      if (outcome === 'Loaded') return;
      if (outcome === 'Deadly') deaths += 1;
      if (deaths >= MOST_DEATHS) leaveAlone(setting);
      if (deaths >= MOST_DEATHS || isOver()) return;
      const isOnTheWay = outcome !== 'Refused';
      const retryMs = retryDelayMs({ failures, isOnTheWay }, times, options.random);
      const report = reports.get(setting.name);
      if (report !== undefined) options.onFailure(report, retryMs);
      await wait(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** It runs no more since the engine host was restarted: what a pod says of itself is true, and the way back the same as at first. */
  function lose(setting: CompanionSetting, why: EngineFailure): void {
    const { name } = setting;
    if (!models.delete(name)) return;
    reportFailed(name, `no longer loads since the engine host was restarted: ${why.message}`);
    void keepTrying(setting, () => undefined);
  }

  engine.onCompanionLost((name, why) => {
    const setting = settings.find((one) => one.name === name);
    if (setting !== undefined && !isOver()) lose(setting, why);
  });

  return {
    start: async () => {
      const first = settings.map(
        (setting) =>
          new Promise<void>((resolve) => {
            void keepTrying(setting, resolve);
          }),
      );
      const waited = new AbortController();
      const late = wait(times.startMs, undefined, {
        signal: AbortSignal.any([signal, waited.signal]),
      }).catch(() => undefined);
      await Promise.race([Promise.all(first), late]);
      waited.abort();
      hasStarted = true;
    },
    models: () => [...models.values()].sort(cheapestFirst),
    reports: () => [...reports.values()],
    onLate: (listener) => {
      listeners.push(listener);
    },
    close: () => {
      ending.abort();
    },
  };
}
