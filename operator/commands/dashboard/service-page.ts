import type {
  PageCluster,
  PagePoint,
  PageState,
  Picture,
} from '../../local/page/state/page-state.ts';
import { createHistory } from '../../local/web/history.ts';
import { createTimeline } from '../../local/web/timeline.ts';
import { clusterDisagreement } from './cluster-evidence.ts';
import { exitNames } from './cluster-exits.ts';
import { clusterPicture } from './cluster-picture.ts';
import type { DashboardFacts } from './dashboard-facts.ts';
import { fleetPoint, type FleetReading } from './fleet.ts';

/** Where the figures come from. */
export interface ServicePlace {
  readonly context: string;
  readonly server: string;
}

/** What the page of a service shows: told every reading and every failure. It asks nobody, and times are passed in. */
export interface ServicePage {
  read(facts: DashboardFacts, nowMs: number): void;
  /** The API server says that there is no such service. */
  deleted(nowMs: number): void;
  /** Nothing could be read: why, and what to do, as sentences. */
  failed(why: string): void;
  /** The picture of now, and the point that came since the last call. */
  tick(nowMs: number): { readonly picture: Picture; readonly point: PagePoint | null };
  /** The whole, for a page that comes now. */
  state(nowMs: number): PageState;
}

/** Readings come every two or three seconds: this long without one, and the API server is slow or gone. */
const SILENCE_MS = 8_000;

/** @param first what was read before the page was there */
export function createServicePage(
  place: ServicePlace,
  first: DashboardFacts,
  firstMs: number,
): ServicePage {
  // Of the first object: a later one of the same name is younger, so no time is before it.
  const startMs = startOf(first, firstMs);
  const history = createHistory(fleetPoint);
  const timeline = createTimeline(false);
  const now = {
    facts: first,
    readMs: firstMs,
    problem: null as string | null,
    isDeleted: false,
    newest: null as PagePoint | null,
    /** Not yet sent. */
    fresh: null as PagePoint | null,
  };

  const take = (facts: DashboardFacts, nowMs: number): void => {
    Object.assign(now, { facts, readMs: nowMs, problem: null, isDeleted: false });
    const { ledger } = facts.ledger;
    if (ledger !== null) {
      const { stage, stageSinceMs, candidate } = ledger;
      const ramp = stage === 'Ramping' ? (candidate?.ramp ?? null) : null;
      const sinceMs = Math.max(stageSinceMs, ramp?.sinceMs ?? 0);
      timeline.enter(stage, ramp?.share ?? null, Math.max(0, sinceMs - startMs) / 1000);
    }
    // Of pods that nobody could ask nothing is known, and zeros would say otherwise.
    const isTold = facts.fleet.problem === null;
    const point = isTold ? history.add(readingOf(facts, (nowMs - startMs) / 1000)) : null;
    Object.assign(now, { newest: point, fresh: point });
  };

  const staleAt = (nowMs: number): PageCluster['stale'] => {
    const sinceSeconds = Math.max(0, now.readMs - startMs) / 1000;
    if (now.problem !== null) return { sinceSeconds, why: now.problem };
    return nowMs - now.readMs > SILENCE_MS
      ? { sinceSeconds, why: `The API server (${place.server}) has not answered since.` }
      : null;
  };

  const pictureAt = (nowMs: number): Picture =>
    clusterPicture(now.facts, {
      ...place,
      startMs,
      nowMs,
      stale: staleAt(nowMs),
      isDeleted: now.isDeleted,
      timeline: timeline.spans(),
      exitRowsPerSecond: ratesOf(now.newest),
    });

  take(first, firstMs);
  return {
    read: take,
    deleted: (nowMs) => {
      Object.assign(now, { readMs: nowMs, problem: null, isDeleted: true });
    },
    failed: (why) => {
      now.problem = why;
    },
    tick: (nowMs) => {
      const point = now.fresh;
      now.fresh = null;
      return { picture: pictureAt(nowMs), point };
    },
    state: (nowMs) => ({ ...pictureAt(nowMs), history: history.points() }),
  };
}

/** Rows a second by exit; none before there are two readings. */
function ratesOf(point: PagePoint | null): readonly number[] {
  if (point === null) return [];
  const { exitRows, rowsPerSecond } = point;
  const all = exitRows.reduce((sum, rows) => sum + rows, 0);
  return exitRows.map((rows) => (all === 0 ? 0 : (rowsPerSecond * rows) / all));
}

function startOf({ service }: DashboardFacts, nowMs: number): number {
  const ms = Date.parse(service.createdTime ?? '');
  return Number.isNaN(ms) ? nowMs : Math.min(ms, nowMs);
}

function readingOf({ service, ledger, fleet }: DashboardFacts, atSeconds: number): FleetReading {
  return {
    atSeconds,
    pods: fleet.pods,
    exits: exitNames(service),
    disagreement: clusterDisagreement(service, ledger),
  };
}
