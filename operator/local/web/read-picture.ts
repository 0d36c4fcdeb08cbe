import type { LatencyDigest } from '../../../crds/wire/evidence.ts';
import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { Policy, PolicyTrack } from '../../../crds/wire/policy.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import { REASONS } from '../../../crds/v1alpha1/reasons.ts';
import type { Decision } from '../../lifecycle/types.ts';
import type { PageDecision, PageExit, Picture } from '../page/state/page-state.ts';
import type { SliceLatencies } from '../replay/slices.ts';
import { rowsAt, type RunTally } from '../report/run-tally.ts';
import type { RunContext } from '../run-context.ts';
import { plainPercent } from '../view/format.ts';
import type { ScreenModel } from '../view/screen-model.ts';
import { toneOf } from './decision-tone.ts';
import { exitFigures, savingsOf } from './exit-figures.ts';
import type { RunTotals } from './history.ts';
import { mergeAll, quantilesOf, quantilesOfDigest } from './quantiles.ts';
import { ALL_SHOWN, runFacts } from './run-facts.ts';
import { trackCertificate } from './track-certificate.ts';
import { sourceFields } from '../../plan/select-exits.ts';
import { shownExits } from '../shown-exits.ts';

/** Everything that a picture is made of, gathered at one moment. */
export interface PictureFacts {
  readonly context: RunContext;
  readonly tally: RunTally;
  readonly atSeconds: number;
  readonly model: ScreenModel;
  readonly policy: Policy | null;
  readonly message: string;
  readonly status: Picture['status'];
  readonly backboneLatency: LatencyDigest | null;
  readonly states: readonly ServerState[];
  readonly latencies: SliceLatencies;
  readonly bundles: ReadonlyMap<string, HeadBundle>;
  readonly statements: Picture['statements'];
  readonly drills: string[];
  readonly doubt: (exit: string) => PageExit['doubt'];
  readonly curve: (headRevision: string | null) => Picture['curve'];
  readonly timeline: Picture['timeline'];
  readonly decisions: PageDecision[];
  readonly warnings: Picture['warnings'];
}

/** What the page shows now, and the totals that the next point of its history is made of. */
export function readPicture(facts: PictureFacts): {
  readonly picture: Picture;
  readonly totals: RunTotals;
} {
  const { model, tally, policy, states, timeline, decisions, warnings } = facts;
  const track = trackOf(policy);
  const exits = exitsOf(facts, track);
  const latency = latencyOf(tally);
  const disagreement = { n: model.audits, k: model.disagreements, upper: model.upperRatio };
  const picture: Picture = {
    schemaVersion: 2,
    run: factsOf(facts.context),
    cluster: null,
    unshown: ALL_SHOWN,
    status: facts.status,
    message: facts.message,
    atSeconds: facts.atSeconds,
    stages: model.stages.map((stage) => ({ ...stage })),
    exitsAre: exitsAre(policy, decisions),
    totals: totalsOf(facts, exits),
    disagreement,
    certificate: trackCertificate(track),
    curve: facts.curve(track?.headRevision ?? null),
    ...comparisonOf(facts, latency),
    exits,
    servers: states.map(toServer),
    timeline,
    decisions,
    statements: facts.statements,
    drills: facts.drills,
    warnings,
    reportPath: null,
  };
  const totals = {
    atSeconds: facts.atSeconds,
    requests: tally.run.requests,
    errors: model.errors,
    exitRows: exits.map(({ rows }) => rows),
    latency,
    disagreement,
    queuedRows: states.reduce((sum, { queue }) => sum + queue.rows, 0),
  };
  return { picture, totals };
}

/** Client latencies of all rows so far. */
export function latencyOf(tally: RunTally): LatencyDigest {
  return mergeAll([...tally.latency.values()].map((counter) => counter.snapshot()));
}

/** A decision as the page shows it. */
export function toPageDecision(decision: Decision, atSeconds: number): PageDecision {
  const { reason, message, headRevision } = decision;
  const { meaning } = REASONS[reason];
  return { atSeconds, reason, tone: toneOf(reason), meaning, message, headRevision };
}

function totalsOf({ model, tally }: PictureFacts, exits: CountedExits): Picture['totals'] {
  return {
    requests: tally.run.requests,
    rowsPerSecond: Math.max(0, model.rowsPerSecond),
    early: exits.filter(({ tensor }) => tensor !== null).reduce((sum, { rows }) => sum + rows, 0),
    optedOut: tally.optedOut,
    errors: model.errors,
    errorsByCode: Object.fromEntries(tally.errors),
  };
}

function comparisonOf(
  { latencies, model, backboneLatency }: PictureFacts,
  latency: LatencyDigest,
): Pick<Picture, 'latency' | 'saved'> {
  const plain = quantilesOf(latencies.backboneMs);
  const layercache = quantilesOf(latencies.layercacheMs);
  const isCompared = plain !== null && layercache !== null;
  return {
    latency: {
      plain,
      layercache,
      backboneP50: quantilesOfDigest(backboneLatency ?? latency)?.p50 ?? null,
    },
    saved: {
      timeRatio: model.netTimeSavedRatio,
      latencyRatio: isCompared ? 1 - layercache.mean / plain.mean : null,
    },
  };
}

type CountedExits = ReturnType<typeof exitFigures>[];

function exitsOf(facts: PictureFacts, track: PolicyTrack | null): CountedExits {
  const { context, tally, model, states, policy } = facts;
  const bundle = track === null ? undefined : facts.bundles.get(track.headRevision);
  const savings = savingsOf(bundle, states[0] ?? context.state);
  const on = policy?.exitsEnabled === true && track !== null ? track.activeExits : [];
  const exits = shownExits(context.service, context.exits).map(
    ({ name, tensor = 'companion', sourceHeader }) => ({
      name,
      tensor,
      ...sourceFields(sourceHeader),
    }),
  );
  return [...exits, { name: 'backbone', tensor: null }].map((exit) =>
    exitFigures(
      { ...exit, isOn: exit.tensor === null || on.includes(exit.name) },
      {
        rows: rowsAt(tally.run, exit.name),
        line: model.exits.find((line) => line.name === exit.name),
        latency: tally.latency.get(exit.name)?.snapshot() ?? [],
        saving: savings.get(exit.name),
        doubt: facts.doubt(exit.name),
        confidence: context.settings.confidence,
        agreement: context.settings.agreement,
      },
    ),
  );
}

/** The heads that answer or are about to: a candidate, else stable. */
function trackOf(policy: Policy | null): PolicyTrack | null {
  return policy?.candidate ?? policy?.stable ?? null;
}

function exitsAre(policy: Policy | null, decisions: readonly PageDecision[]): Picture['exitsAre'] {
  if (policy?.exitsEnabled !== true) {
    const cause = decisions.findLast(({ tone }) => tone === 'Alarm' || tone === 'Warning');
    return { on: false, why: cause?.message ?? 'Nothing is certified yet.' };
  }
  const { candidate, stable } = policy;
  const share = stable?.certificate ? 1 : (candidate?.share ?? 0);
  return { on: true, why: `${plainPercent(share)} of the traffic may leave early.` };
}

function toServer(state: ServerState): Picture['servers'][number] {
  const { queue, memory } = state;
  return {
    name: state.podUid,
    isReady: state.ready,
    queuedRows: queue.rows,
    queueCapacity: queue.capacity,
    batchRows: queue.modalBatchRows,
    mainBytes: memory.rssBytes,
    engineBytes: memory.engineRssBytes,
    activations: memory.activations,
    switchedOff: state.switchedOff.map(({ exit, cause }) => `${exit}: ${cause}`),
  };
}

function factsOf(context: RunContext): Picture['run'] {
  const { options, settings, servers, state } = context;
  const first = servers[0]?.server;
  const { kind, device, threads } = state.engine;
  return {
    ...runFacts({
      service: settings.model,
      backbone: context.backbone.path,
      traffic: options.traffic,
      seed: options.seed,
      budgetRatio: settings.budget,
      confidence: settings.confidence,
      ...(settings.agreement === 'F1' ? { agreement: settings.agreement } : {}),
      startedMs: context.startedMs,
    }),
    engine: `${kind} on ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    predictUrl: first === undefined ? null : `${first.dataUrl}/v2/models/${settings.model}/infer`,
    metricsUrl: first === undefined ? null : `${first.metricsUrl}/metrics`,
  };
}
