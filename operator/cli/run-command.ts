import { Command, Option } from 'commander';
import { CliError } from '../errors.ts';
import {
  DRIFT_STRENGTH,
  type DrillOptions,
  type KillDrill,
  type SlowDrill,
} from '../local/drills/drill-options.ts';
import type { RunOptions } from '../local/run-options.ts';
import type { CliIo } from './cli-io.ts';
import { createInterrupt } from './interrupt.ts';
import { driftFlag, driftStrength, killFlag, slowFlag, type DriftFlag } from './parse-drills.ts';
import { duration, headerName, rate, wholeNumber } from './parse-flags.ts';
import type { Outcome } from './program.ts';

interface RunFlags {
  readonly file?: string;
  readonly traffic?: string;
  readonly headTraffic?: string;
  readonly labels?: string;
  readonly requests?: number;
  readonly for?: number;
  readonly loop?: boolean;
  readonly rate: number | null;
  readonly concurrency: number;
  readonly replicas: number;
  readonly sourceHeader?: string;
  readonly seed: number;
  readonly report?: string;
  readonly state?: string;
  readonly requireCertificate?: boolean;
  readonly events?: boolean;
  readonly pace: 'fast' | 'real';
  readonly engine?: string;
  readonly port: number;
  readonly dashboard: boolean;
  readonly dashboardPort: number;
  readonly drift?: DriftFlag;
  readonly driftStrength?: number;
  readonly kill?: KillDrill;
  readonly slow?: SlowDrill;
  readonly poisonHead?: boolean;
  readonly debug?: boolean;
}

const EXAMPLES = `
Examples:
  layercache local run -f service.yaml --traffic npy:test.npy --labels npy:labels.npy
  layercache local run -f service.yaml --traffic idx:t10k-images.gz --head-traffic idx:train-images.gz
  layercache local run -f server/examples/fashion-mnist/service.yaml --traffic example:fashion-mnist --report out
  layercache local run -f service.yaml --traffic npy:test.npy --drift blur@20000

Rows that the backbone was trained on may train heads (--head-traffic) but never certify: use rows it has not seen as --traffic.`;

const { noise, blur, rotation, classes } = DRIFT_STRENGTH;
const STRENGTH_HELP = `noise: share of the range (${noise.standard}); blur: of the shorter side (${blur.standard}); rotation: degrees (${rotation.standard}); classes: share of the new class (${classes.standard}); in brackets the defaults, at which about 3% of the example are answered wrong`;

/** `layercache local run` (operations.md 7). */
export function runCommand(io: CliIo, outcome: Outcome): Command {
  return new Command('run')
    .description('serve a backbone, replay traffic, train, certify and ramp heads, and report')
    .option('-f, --file <manifest>', 'CachedModelService to run (required)')
    .option(
      '--traffic <source>',
      'npy:FILE, idx:FILE[.gz], images:DIR, example:NAME, or http for your own requests (required)',
    )
    .option('--head-traffic <source>', 'rows that train heads and are never evidence')
    .option('--labels <source>', 'labels of --traffic, for the report only')
    .addOption(
      new Option('--requests <n>', 'rows of --traffic to use').argParser(
        wholeNumber(1, 999_999_999),
      ),
    )
    .addOption(new Option('--for <duration>', 'stop traffic after this time').argParser(duration))
    .option('--loop', 'repeat the rows when they end; repeated rows are no evidence')
    .addOption(
      new Option('--rate <rows/s>', 'rows per second, or max').default(null, 'max').argParser(rate),
    )
    .addOption(
      new Option('--concurrency <n>', 'requests in flight')
        .default(16)
        .argParser(wholeNumber(1, 1024)),
    )
    .addOption(
      new Option('--replicas <n>', 'server processes').default(1).argParser(wholeNumber(1, 64)),
    )
    .addOption(
      new Option(
        '--source-header <name>',
        'header that names the source of a frame, instead of the sourceHeader of the manifest',
      ).argParser(headerName),
    )
    .addOption(
      new Option('--seed <n>', 'of shuffling and training')
        .default(1)
        .argParser(wholeNumber(0, 999_999_999)),
    )
    .option('--report <dir>', 'folder of report.json (default: layercache-report/<start>)')
    .option('--state <dir>', 'keep heads and evidence there and resume from it')
    .option('--require-certificate', 'exit with 4 when no head revision was certified')
    .option('--events', 'decisions as NDJSON on standard output')
    .addOption(
      new Option('--pace <pace>', "real keeps the cluster's holds")
        .choices(['fast', 'real'])
        .default('fast'),
    )
    .option('--engine <engine>', 'engine as the API spells it, for example ONNX')
    .addOption(
      new Option('--port <port>', 'port of the first server')
        .default(0, 'a free one')
        .argParser(wholeNumber(0, 65_535)),
    )
    .addOption(
      new Option(
        '--drift <kind@n>',
        'drill: from request n on distort rows by noise, blur or rotation, or let a class come that was held back',
      ).argParser(driftFlag),
    )
    .addOption(new Option('--drift-strength <x>', STRENGTH_HELP).argParser(driftStrength))
    .addOption(
      new Option(
        '--kill <who@n>',
        'drill: kill the engine host or a server at request n; a server is started again',
      ).argParser(killFlag),
    )
    .addOption(
      new Option(
        '--slow <pause@n>',
        'drill: from request n on engine hosts stand still so long, work so long, and so on',
      ).argParser(slowFlag),
    )
    .option('--poison-head', 'drill: offer the first trained heads with their classes shifted')
    .option('--no-dashboard', 'without the web page on loopback')
    .addOption(
      new Option('--dashboard-port <port>', 'port of the web page')
        .default(0, 'a free one')
        .argParser(wholeNumber(0, 65_535)),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (_flags, command: Command) => {
      const flags = command.optsWithGlobals<RunFlags>();
      const options = toRunOptions(flags, {
        manifestPath: required(command, flags.file, '-f, --file <manifest>'),
        traffic: required(command, flags.traffic, '--traffic <source>'),
      });
      const { runLocal } = await import('../local/run-local.ts');
      const interrupt = createInterrupt();
      try {
        outcome.exitCode = await runLocal(options, {
          ...io,
          debug: flags.debug === true,
          interrupt: interrupt.signal,
          onChild: interrupt.addChild,
        });
      } finally {
        interrupt.close();
      }
    });
}

/** Checked here and not by commander, which would speak of a missing flag where one is misspelt. */
function required(command: Command, value: string | undefined, flag: string): string {
  return value ?? command.error(`error: required option '${flag}' not specified`);
}

function toRunOptions(
  flags: RunFlags,
  named: Pick<RunOptions, 'manifestPath' | 'traffic'>,
): RunOptions {
  return {
    ...named,
    headTraffic: flags.headTraffic ?? null,
    labels: flags.labels ?? null,
    requests: flags.requests ?? null,
    forMs: flags.for ?? null,
    loop: flags.loop === true,
    rate: flags.rate,
    concurrency: flags.concurrency,
    replicas: flags.replicas,
    sourceHeader: flags.sourceHeader ?? null,
    seed: flags.seed,
    reportDir: flags.report ?? null,
    stateDir: flags.state ?? null,
    requireCertificate: flags.requireCertificate === true,
    events: flags.events === true,
    pace: flags.pace,
    engine: engineOf(flags),
    port: flags.port,
    dashboardPort: flags.dashboard ? flags.dashboardPort : null,
    drills: toDrills(flags),
    command: commandLine(flags.seed),
  };
}

function engineOf({ engine }: RunFlags): string | null {
  if (engine === undefined || ['Auto', 'ONNX', 'TFJSNode', 'TFJSWASM'].includes(engine))
    return engine ?? null;
  throw new CliError('UsageError', {
    where: `--engine ${engine}`,
    why: 'this build has the engines ONNX, TFJSNode and TFJSWASM.',
    nextStep: 'Write --engine ONNX, TFJSNode or TFJSWASM, or leave the flag out.',
  });
}

function toDrills({ drift, driftStrength, kill, slow, poisonHead }: RunFlags): DrillOptions {
  if (driftStrength !== undefined && drift === undefined) {
    throw new CliError('UsageError', {
      where: '--drift-strength',
      why: 'it belongs to a drift, and there is none.',
      nextStep: 'Write --drift KIND@N too.',
    });
  }
  return {
    drift: drift === undefined ? null : { ...drift, strength: strengthOf(drift, driftStrength) },
    kill: kill ?? null,
    slow: slow ?? null,
    poisonHead: poisonHead === true,
  };
}

function strengthOf({ kind }: DriftFlag, given: number | undefined): number {
  const { standard, most } = DRIFT_STRENGTH[kind];
  const strength = given ?? standard;
  if (strength <= most) return strength;
  throw new CliError('UsageError', {
    where: `--drift-strength ${strength}`,
    why: `for ${kind} it is at most ${most}.`,
    nextStep: `Write less, or leave it out for ${standard}.`,
  });
}

/** As typed; the seed is written out, so that the report can be repeated. */
function commandLine(seed: number): string {
  const typed = process.argv
    .slice(2)
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`));
  const hasSeed = typed.some((word) => word === '--seed' || word.startsWith('--seed='));
  return ['layercache', ...typed, ...(hasSeed ? [] : ['--seed', String(seed)])].join(' ');
}
