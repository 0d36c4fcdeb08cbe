import { dirname, join } from 'node:path';
import type { CachedModelService } from '../../crds/v1alpha1/cached-model-service.ts';
import { toServiceSettings, type ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import { errorText } from '../../server/core/system-error.ts';
import { systemClock } from '../clock.ts';
import { CliError, type ExitCode } from '../errors.ts';
import { answerOutputOf } from './answer-output.ts';
import { withCompanionLatency } from '../plan/companion-latency.ts';
import { selectExits, withSourceHeader } from './exit-discovery.ts';
import { startFleet } from './fleet-start.ts';
import { loadService } from './load-service.ts';
import { prepareBackbone, type PreparedBackbone } from './prepare-backbone.ts';
import type { Child } from './processes/child.ts';
import { buildReport } from './report/build-report.ts';
import type { Report } from './report/report-schema.ts';
import { checkReportFolder, writeReport } from './report/write-report.ts';
import { createRun, type Run } from './run.ts';
import type { RunIo, RunOptions } from './run-options.ts';
import { summariseReport } from './view/summary.ts';
import { openRunTraffic } from './traffic/open-run-traffic.ts';
import { openDashboard, type Dashboard } from './web/dashboard.ts';

const STOP_MS = 5_000;
const STOP_AFTER_INTERRUPT_MS = 1_000;

/** `layercache local run`: everything from the manifest to the report, on this machine. Leaves no process behind. */
export async function runLocal(options: RunOptions, io: RunIo): Promise<ExitCode> {
  const children: Child[] = [];
  const onChild = (child: Child): void => {
    children.push(child);
    io.onChild(child);
  };
  try {
    return await runWith(options, { ...io, onChild });
  } finally {
    const deadlineMs = io.interrupt.aborted ? STOP_AFTER_INTERRUPT_MS : STOP_MS;
    await Promise.all(children.map((child) => child.stop(deadlineMs)));
  }
}

interface Started {
  readonly service: CachedModelService;
  readonly startedMs: number;
  readonly dashboard: Dashboard;
}

/** The page stands from the first second on, and hears how the run ends, whatever ends it. */
async function runWith(options: RunOptions, io: RunIo): Promise<ExitCode> {
  const startedMs = systemClock.nowMs();
  const service = loadService(options.manifestPath, io.stderr);
  const { accuracy, backbone, modelName } = service.spec;
  const dashboard = await openDashboard({
    port: options.dashboardPort,
    bundleDir: io.bundleDir,
    clock: systemClock,
    onProblem: (message) => {
      io.stderr.write(`warning: ${message}\n`);
    },
    identity: {
      service: modelName ?? service.metadata.name,
      backbone: backbone.uri,
      traffic: options.traffic,
      seed: options.seed,
      budgetRatio: accuracy.maxDisagreement,
      confidence: accuracy.confidence,
      ...(accuracy.agreement === 'F1' ? { agreement: accuracy.agreement } : {}),
      startedMs,
    },
  });
  if (dashboard.url !== null) io.stderr.write(`dashboard ${dashboard.url}\n`);
  try {
    return await serveWith(options, io, { service, startedMs, dashboard });
  } catch (error) {
    dashboard.end({ status: 'Failed', message: errorText(error), reportPath: null });
    throw error;
  } finally {
    await dashboard.close();
  }
}

async function serveWith(
  options: RunOptions,
  io: RunIo,
  { service, startedMs, dashboard }: Started,
): Promise<ExitCode> {
  const manifestFolder = dirname(options.manifestPath);
  const backbone = await prepareBackbone(
    service.spec.backbone,
    manifestFolder,
    options.manifestPath,
  );
  const reportFolder = options.reportDir ?? join('layercache-report', timestamp(startedMs));
  checkReportFolder(reportFolder);
  io.stderr.write(`Loading ${backbone.path}\n`);
  // The servers load while the traffic is decoded.
  const starting = startFleet({ service, backbone, manifestFolder, ...options }, io);
  starting.catch(() => undefined);
  const opened = await openRunTraffic(options, {
    path: backbone.path,
    state: async () => (await starting)[0]?.state ?? null,
    onWarning: (message) => {
      io.stderr.write(`warning: ${message}\n`);
    },
  });
  try {
    const servers = await Promise.race([starting, interruption(io.interrupt)]);
    if (servers === null) {
      dashboard.end({ status: 'Interrupted', message: 'Nothing was served.', reportPath: null });
      return INTERRUPTED;
    }
    const run = createRun({
      options,
      io,
      servers,
      startedMs,
      dashboard,
      ...facts(service, backbone, servers, options),
      ...opened,
    });
    const report = await follow(run, io);
    return finish(report, writeReport(report, reportFolder), { options, io, run, dashboard });
  } finally {
    for (const source of [opened.traffic, opened.headTraffic]) source?.close();
  }
}

const INTERRUPTED = 130;

/** A drill is run to see what follows: nobody waits for the cooldown between two trainings, unless the pace is the real one. */
function settingsOf(service: CachedModelService, { pace, drills }: RunOptions): ServiceSettings {
  const settings = toServiceSettings(service, { local: pace === 'fast' });
  const isDrill = drills.drift !== null || drills.poisonHead;
  return isDrill && pace === 'fast' ? { ...settings, cooldownMs: 0 } : settings;
}

/** Resolves with null at the first Ctrl-C. */
function interruption(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => {
      resolve(null);
    });
  });
}

function facts(
  service: CachedModelService,
  backbone: PreparedBackbone,
  servers: Awaited<ReturnType<typeof startFleet>>,
  options: RunOptions,
) {
  const state = servers[0]?.state;
  if (state === undefined) throw new CliError('ServerFailed', { why: 'no server was started.' });
  answerOutputOf(state.backbone, options.manifestPath);
  const exits = selectExits(
    state,
    withSourceHeader(service.spec.exits, options.sourceHeader),
    options.manifestPath,
  );
  const checksNamed = service.spec.rollout.checks !== undefined;
  const settings = withCompanionLatency(settingsOf(service, options), exits, { checksNamed });
  return { service, backbone, state, settings, exits };
}

async function follow(run: Run, io: RunIo): Promise<Report> {
  const onInterrupt = (): void => {
    run.interrupt();
  };
  io.interrupt.addEventListener('abort', onInterrupt);
  if (io.interrupt.aborted) onInterrupt();
  try {
    return buildReport(await run.toEnd());
  } finally {
    io.interrupt.removeEventListener('abort', onInterrupt);
  }
}

interface Ending {
  readonly options: RunOptions;
  readonly io: RunIo;
  readonly run: Run;
  readonly dashboard: Dashboard;
}

function finish(
  report: Report,
  paths: ReturnType<typeof writeReport>,
  { options, io, run, dashboard }: Ending,
): ExitCode {
  const out = options.events ? io.stderr : io.stdout;
  const summary = summariseReport(report);
  out.write(`${summary.join('\n')}\nreport ${paths.json}\npage   ${paths.page}\n`);
  const isInterrupted = io.interrupt.aborted;
  const missing = report.certificate === null && !isInterrupted ? run.missing() : '';
  dashboard.end({
    status: isInterrupted ? 'Interrupted' : 'Ended',
    message: missing === '' ? outcomeOf(summary) : missing,
    reportPath: paths.page,
  });
  if (isInterrupted) return INTERRUPTED;
  if (report.certificate !== null) return 0;
  if (!options.requireCertificate) {
    io.stderr.write(
      `No head revision was certified, so the backbone answered everything. ${missing}\n`,
    );
    return 0;
  }
  throw new CliError('NotCertified', { where: options.manifestPath, why: missing });
}

/** The lines on certificate, rows, disagreement and savings as one paragraph. */
function outcomeOf(summary: readonly string[]): string {
  const lines = summary.slice(0, 4).map((line) => line.replace(/\s+/g, ' '));
  return `${lines.join('; ')}.`;
}

/** 2026-01-31T12-00-00: sorts by time, and every file system takes it. */
function timestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace(/:/g, '-');
}
