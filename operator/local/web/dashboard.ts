import { errorText } from '../../../server/core/system-error.ts';
import type { Clock } from '../../clock.ts';
import type { PagePoint, PageState, Picture } from '../page/state/page-state.ts';
import { loadAssets } from './assets.ts';
import { createHistory, runPoint, type RunTotals } from './history.ts';
import { startPageServer } from './page-server.ts';
import { loadingPicture, type RunIdentity } from './run-facts.ts';

/** How a run ended. */
export interface RunOutcome {
  readonly status: 'Ended' | 'Interrupted' | 'Failed';
  readonly message: string;
  readonly reportPath: string | null;
}

/** The page of a run, from its first second to its last. */
export interface Dashboard {
  /** Null: there is no page. */
  readonly url: string | null;
  /** From now on the page shows this run, a new picture a second. */
  show(read: () => { readonly picture: Picture; readonly totals: RunTotals }): void;
  /** The last picture: pages keep it when the server is gone. The first call tells; a later one changes nothing. */
  end(outcome: RunOutcome): void;
  close(): Promise<void>;
}

export interface DashboardOptions {
  /** Null: no page; 0: a free port. */
  readonly port: number | null;
  readonly bundleDir: string;
  readonly identity: RunIdentity;
  readonly onProblem: (message: string) => void;
  readonly clock: Clock;
}

const TICK_MS = 1_000;

const NO_DASHBOARD: Dashboard = {
  url: null,
  show: () => undefined,
  end: () => undefined,
  close: () => Promise.resolve(),
};

export async function openDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { identity, clock, port } = options;
  if (port === null) return NO_DASHBOARD;
  const history = createHistory(runPoint);
  const loading = (): Picture =>
    loadingPicture(identity, Math.max(0, clock.nowMs() - identity.startedMs) / 1000);
  let picture = loading();
  let hasEnded = false;
  let isBroken = false;
  let read: (() => { readonly picture: Picture; readonly totals: RunTotals }) | null = null;

  const take = (): PagePoint | null => {
    if (read === null) {
      picture = loading();
      return null;
    }
    try {
      const now = read();
      picture = now.picture;
      // Traffic has ended once answers are compared: what follows would only squeeze the run into a corner.
      return picture.status === 'Running' ? history.add(now.totals) : null;
    } catch (error) {
      // Whatever is wrong with a picture, the run goes on: the page keeps the one before.
      if (!isBroken) options.onProblem(`the page cannot show the run: ${errorText(error)}.`);
      isBroken = true;
      return null;
    }
  };
  const server = await startPageServer({
    port,
    portFlag: '--dashboard-port',
    assets: loadAssets(options.bundleDir),
    state: (): PageState => ({ ...picture, history: history.points() }),
  });
  const send = (): void => {
    const point = take();
    server.send({ ...picture, point });
  };
  const ticking = setInterval(send, TICK_MS);
  return {
    url: server.url,
    show: (reader) => {
      read = reader;
      send();
    },
    end: (outcome) => {
      if (hasEnded) return;
      hasEnded = true;
      clearInterval(ticking);
      const point = take();
      picture = { ...picture, ...outcome };
      server.send({ ...picture, point });
    },
    close: async () => {
      clearInterval(ticking);
      await server.close();
    },
  };
}
