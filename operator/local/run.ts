import { setTimeout as wait } from 'node:timers/promises';
import type { Policy } from '../../crds/wire/policy.ts';
import { errorText } from '../../server/core/system-error.ts';
import { systemClock } from '../clock.ts';
import { CliError } from '../errors.ts';
import type { VerifiedBundle } from '../fleet/pull-bundle.ts';
import { decide } from '../lifecycle/decide.ts';
import { estimateMore } from '../lifecycle/estimate-more.ts';
import { watermarks } from '../lifecycle/ledger.ts';
import { progress } from '../lifecycle/progress.ts';
import type { Decision, HeadRevisionFacts, StageProgress } from '../lifecycle/types.ts';
import { blockRows } from './block-rows.ts';
import { createRunDrills } from './drills/run-drills.ts';
import { lastWords } from './processes/child.ts';
import { createEvidenceFeed } from './evidence-feed.ts';
import { explainMissing, lastVerdict } from './explain-missing.ts';
import { machineVersions, type StartedServer } from './fleet-start.ts';
import { createHeadStore } from './head-store.ts';
import { createLifecycleLoop } from './lifecycle-loop.ts';
import { createPhaseLog } from './phase-log.ts';
import { createPolicyPress } from './policy-press.ts';
import { scopeOf } from './policy-scope.ts';
import { createReplayedTraffic } from './replay/replayed-traffic.ts';
import { createUserTraffic } from './replay/user-traffic.ts';
import type { RunRecord } from './report/build-report.ts';
import { knownLimits } from './limits/known-limits.ts';
import type { Statement } from './limits/statement.ts';
import { createRunHistory } from './report/run-history.ts';
import { createRunTally, countsOf } from './report/run-tally.ts';
import { knownAnswersOf, revisionFacts } from '../fleet/revision-facts.ts';
import type { RunContext } from './run-context.ts';
import { shownExits } from './shown-exits.ts';
import { createRunTraining } from './run-training.ts';
import { openStateFolder } from './state-folder.ts';
import { createShownRun } from './view/shown-run.ts';
import { createRunPicture } from './web/run-picture.ts';

/** A run in progress. */
export interface Run {
  /** Serves to the end of the stream, compares early answers with the backbone, and hands the record over. */
  toEnd(): Promise<RunRecord>;
  /** Stops traffic now and skips the comparison. */
  interrupt(): void;
  /** Why there is no certificate. */
  missing(): string;
}

const SCREEN_MS = 250;
/** Between two points of the report's history. */
const SAMPLE_MS = 1_000;
/** Ctrl-C leaves five seconds in all: these for what is in flight, the last window, and the loop. */
const INTERRUPT_STEP_MS = 1_000;
/** 20 blocks of 50 rows: a look takes no fewer. */
const LEAST_EVIDENCE_ROWS = 1_000;

/** Wires the parts of a run: one line each, no decision. */
export function createRun(context: RunContext): Run {
  const { options, settings, servers, exits, state } = context;
  const clock = systemClock;
  const folder = openStateFolder(options.stateDir, state.backbone.digest);
  const store = createHeadStore(folder.bundleFolder);
  const trains =
    exits.length > 0 && settings.trainingMode === 'Auto' && settings.exitMode !== 'Disabled';
  const tally = createRunTally(context.labels);
  const history = createRunHistory();
  const sample = (): void => {
    const atSeconds = Math.max(0, clock.nowMs() - context.startedMs) / 1000;
    history.add({ atSeconds, ...countsOf(tally, shownExits(context.service, exits)) });
  };
  const failed = new AbortController();
  const fail = (error: Error): void => {
    failed.abort(error);
  };
  const about = { statements: () => statements(), drills: () => drills.lines() };
  const picture = createRunPicture({
    context,
    tally,
    clock,
    about,
    states: () => feed.states,
    latencies: () => replay.latencies,
    bundles: store.bundles,
  });
  const shown = createShownRun(context, tally, about, picture);
  const onProblem = (message: string): void => {
    shown.problem(message);
  };
  const feed = createEvidenceFeed({
    servers,
    clock,
    onWindow: (window) => {
      tally.addWindow(window);
      traffic.onWindow(window);
      picture.addWindow(window);
    },
    onProblem,
  });
  const drills = createRunDrills({
    drills: options.drills,
    budget: settings.budget,
    agreement: settings.agreement,
    tally,
    closeWindows: feed.pull,
    onRestarted: (server) => {
      watchServer(server);
    },
    world: {
      clock,
      startedMs: context.startedMs,
      sent: () => replay.sentRows,
      failed: tally.failed,
      servers,
      onNote: shown.note,
      onFatal: fail,
    },
  });
  const recorded = (): number => feed.reports().reduce((sum, { samples }) => sum + samples.long, 0);
  const traffic =
    context.traffic === null
      ? createUserTraffic({ tally, drills })
      : createReplayedTraffic({
          ...{ context, clock, tally, drills, trains, recorded },
          traffic: context.traffic,
          closeWindows: feed.pull,
          onCompared: shown.comparing,
        });
  const { replay } = traffic;
  failed.signal.addEventListener('abort', () => {
    traffic.close();
  });

  const answers = new Map<string, number[][]>();
  const factsOf = ({
    headRevision,
    bundle,
  }: Pick<VerifiedBundle, 'headRevision' | 'bundle'>): HeadRevisionFacts => {
    const knownAnswers = answers.get(headRevision) ?? knownAnswersOf(bundle);
    answers.set(headRevision, knownAnswers);
    const latest = feed.states[0] ?? state;
    return revisionFacts(headRevision, bundle, {
      state: latest,
      batchSize: latest.queue.modalBatchRows,
      knownAnswers,
    });
  };
  const desk = createRunTraining(context, store, { factsOf, offer: drills.offer });
  const press = createPolicyPress({
    servers: servers.map(({ server }) => server),
    store,
    epoch: folder.epoch,
    logLevel: context.service.spec.server.logLevel,
    onProblem,
  });
  const phases = createPhaseLog(context.startedMs);
  const record = {
    certified: null as Policy | null,
    decisions: [] as Decision[],
    progress: null as StageProgress | null,
    areExitsOn: false,
    isOver: false,
  };
  const loop = createLifecycleLoop(
    {
      lifecycle: { decide, progress, watermarks, estimateMore },
      clock,
      feed,
      press,
      desk,
      replay,
      settings,
      backbone: { digest: state.backbone.digest, classCount: state.backbone.classCount, exits },
      collectRows: traffic.collectRows,
      isRepeating: () => traffic.repeatsFrom() !== null,
      blockRows: blockRows(settings.minAudits, traffic.evidenceRows ?? Infinity),
      revisions: () =>
        [...store.bundles()].map(([headRevision, bundle]) => factsOf({ headRevision, bundle })),
      store: folder.store,
      onDecision: (decision) => {
        record.decisions.push(decision);
        shown.decided(decision);
        drills.onDecision(decision);
      },
      onInForce: (policy) => {
        record.areExitsOn = policy.exitsEnabled;
        drills.onInForce(policy);
      },
      onPolicy: (policy) => {
        const scope = scopeOf(policy);
        if (scope.isServing) record.certified = policy;
        tally.setPolicyScope(`${policy.epoch}.${policy.revision}`, scope);
        picture.setPolicy(policy);
      },
      onProgress: (next) => {
        record.progress = next;
        tally.setSwitchedOff(feed.states.some(({ switchedOff }) => switchedOff.length > 0));
        phases.enter(next.stage, clock.nowMs(), tally.run.requests);
        shown.progress(next);
      },
    },
    folder.ledger,
  );

  const missing = (): string => explainMissing(record.progress, loop.missing(), record.decisions);
  const statements = (): Statement[] =>
    knownLimits({
      model: state,
      exits: exits.length,
      isDisabled: settings.exitMode === 'Disabled',
      budget: settings.budget,
      agreement: settings.agreement,
      firstLookRows: Math.max(settings.minAudits, LEAST_EVIDENCE_ROWS),
      evidenceRows: traffic.evidenceRows,
      repeatsFrom: traffic.repeatsFrom(),
      plain: tally.plain,
      areExitsOn: record.areExitsOn,
      verdict: lastVerdict(record.decisions),
      missing: record.isOver && record.certified === null ? missing() : null,
    });

  const interrupted = new AbortController();
  const watchServer = ({ server }: StartedServer): void => {
    void server.child.ended.then(({ code, signal }) => {
      if (drills.isExpectedEnd(server.podUid)) return;
      const how = signal === null ? `ended with code ${code ?? '?'}` : `was ended by ${signal}`;
      fail(
        new CliError('ServerFailed', {
          where: server.podUid,
          why: `it ${how} during the run. ${lastWords(server.child)}`,
        }),
      );
    });
  };
  servers.forEach(watchServer);

  const serve = async (): Promise<void> => {
    shown.loaded(clock.nowMs() - context.startedMs);
    context.dashboard.show(picture.read);
    const redraw = setInterval(shown.draw, SCREEN_MS);
    const sampling = setInterval(sample, SAMPLE_MS);
    const timer = options.forMs === null ? null : setTimeout(replay.stop, options.forMs);
    const looping = loop.run();
    try {
      await Promise.race([replay.run(), rejectOnAbort(failed.signal), rejectOnFailure(looping)]);
    } finally {
      clearInterval(redraw);
      clearInterval(sampling);
      if (timer !== null) clearTimeout(timer);
      // Whatever ended it ends both: a replay without a server would go on failing for ever.
      replay.stop();
      loop.stop();
    }
    await atMost(interrupted.signal, drills.stop());
    await atMost(interrupted.signal, looping);
    await atMost(interrupted.signal, interrupted.signal.aborted ? feed.pull() : loop.finish());
  };

  /** The user's rows are gone with their answers, and Ctrl-C is how such a run ends. */
  const isComplete = (truth: unknown): boolean =>
    context.traffic === null || (!interrupted.signal.aborted && truth !== null);

  return {
    toEnd: async () => {
      try {
        await serve();
        record.isOver = true;
        sample();
        phases.enter('Comparing', clock.nowMs(), tally.run.requests);
        const isStopped = (): boolean => interrupted.signal.aborted || failed.signal.aborted;
        const truth = await traffic.compare(isStopped);
        drills.onCompared(truth);
        // What was served stands: the report only lacks the comparison.
        if (failed.signal.aborted) onProblem(errorText(failed.signal.reason));
        return {
          service: settings.model,
          settings,
          state: feed.states[0] ?? state,
          versions: machineVersions(state),
          exits: shownExits(context.service, exits),
          bundles: store.bundles(),
          phases: phases.close(clock.nowMs(), tally.run.requests),
          certified: record.certified,
          tally,
          history: history.points(),
          latencies: replay.latencies,
          truth,
          decisions: record.decisions,
          alarms: drills.alarms,
          drills: drills.reports(),
          statements: statements(),
          startedMs: context.startedMs,
          traffic: {
            source: options.traffic,
            headSource: options.headTraffic,
            ...traffic.facts(),
          },
          complete: isComplete(truth),
          command: options.command,
        };
      } finally {
        shown.end();
        traffic.close();
        await desk.stop();
      }
    },
    interrupt: () => {
      interrupted.abort();
      traffic.giveUp();
      replay.stop();
      loop.stop();
    },
    missing,
  };
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

/** Settles only when the promise fails. */
function rejectOnFailure(work: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    work.catch(reject);
  });
}

/** Waits for the work; after Ctrl-C only for a moment. */
async function atMost(interrupted: AbortSignal, work: Promise<unknown>): Promise<void> {
  const impatient = new Promise<void>((resolve) => {
    const arm = (): void => {
      void wait(INTERRUPT_STEP_MS, undefined, { ref: false }).then(resolve);
    };
    if (interrupted.aborted) arm();
    else interrupted.addEventListener('abort', arm);
  });
  await Promise.race([work.then(() => undefined), impatient]);
}
