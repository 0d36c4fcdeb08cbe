import type { ServerState, TensorSpec } from '../../crds/wire/state.ts';
import { CliError } from '../errors.ts';
import { pullState } from '../fleet/pull-state.ts';
import { debugLine } from './fleet-start.ts';
import { prepareBackbone, type PreparedBackbone } from './prepare-backbone.ts';
import { startServer, stopServer } from './processes/server-process.ts';
import type { RunIo } from './run-options.ts';
import { whyUncut } from './why-uncut.ts';
import { grouped, milliseconds, percent } from './view/format.ts';
import { renderTable } from './view/table.ts';

const STARTUP_DEADLINE_MS = 600_000;

/** Starts a server with the model alone, asks what it measured, and stops it. */
export async function inspectModel(
  model: string,
  output: 'table' | 'json',
  io: RunIo,
): Promise<string[]> {
  const state = await measureModel(model, io);
  return output === 'json'
    ? [JSON.stringify(toInspection(state), null, 2)]
    : renderInspection(state);
}

/** What a server says of a model that it has loaded and measured. */
export async function measureModel(model: string, io: RunIo): Promise<ServerState> {
  const backbone = await openModel(model);
  const server = await startServer({
    bundleDir: io.bundleDir,
    podUid: 'inspect',
    modelName: 'model',
    backbonePath: backbone.path,
    backboneDigest: null,
    outputName: null,
    engine: 'Auto',
    engineThreads: null,
    loneThreads: 1,
    port: 0,
    startupDeadlineMs: STARTUP_DEADLINE_MS,
    environment: io.environment,
    onChild: io.onChild,
    onLine: io.debug ? debugLine(io) : undefined,
  });
  try {
    const state = await pullState(server.admin);
    if (!state.ok) throw new CliError('ServerFailed', { where: model, why: `${state.message}.` });
    return state.value;
  } finally {
    await stopServer(server);
  }
}

/** What was typed is a path: a refusal speaks of it, and of no manifest. */
export async function openModel(model: string): Promise<PreparedBackbone> {
  if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(model)) {
    throw new CliError('BackboneFetchFailed', {
      where: model,
      why: 'models are inspected from files of this machine.',
      nextStep: 'Download it and name the file.',
    });
  }
  try {
    return await prepareBackbone({ uri: model }, process.cwd(), model);
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'BackboneFetchFailed') throw error;
    throw new CliError(error.code, {
      where: model,
      why: error.why,
      nextStep: 'Name the file of a model; a relative path starts at the current folder.',
      cause: error,
    });
  }
}

function toInspection({ engine, backbone, cuts, rejectedCuts, costs }: ServerState) {
  return { schemaVersion: 1, engine, backbone, cuts, rejectedCuts, costs };
}

function renderInspection(state: ServerState): string[] {
  const { engine, backbone, cuts, rejectedCuts, costs } = state;
  const uncut = whyUncut(state);
  const plainMs = costs?.plainMs[0] ?? null;
  const lines = [
    `digest   ${backbone.digest}`,
    `format   ${backbone.format}, ${grouped(backbone.sizeBytes)} bytes`,
    `engine   ${engine.kind} (${engine.device}, ${engine.threads} threads)`,
    `inputs   ${backbone.inputs.map(tensorText).join(', ')}`,
    `outputs  ${backbone.outputs.map(tensorText).join(', ')}`,
    backbone.outputName === null
      ? 'classes  none'
      : `classes  ${backbone.classCount} (${backbone.outputName}, ${backbone.outputKind ?? 'nothing and something'})`,
    `work     ${grouped(backbone.macs)} multiply-adds, ${milliseconds(plainMs)} ms at batch 1`,
    '',
    ...(uncut === null ? renderCuts(cuts, plainMs) : [uncut]),
  ];
  const shown = rejectedCuts.slice(0, MAX_REJECTED);
  if (shown.length > 0)
    lines.push(
      '',
      'not cut, and why:',
      ...shown.map(({ tensor, reason }) => `  ${tensor}: ${reason}`),
    );
  if (rejectedCuts.length > shown.length)
    lines.push(`  and ${rejectedCuts.length - shown.length} more (-o json)`);
  return lines;
}

function renderCuts(cuts: ServerState['cuts'], plainMs: number | null): string[] {
  return renderTable(
    [
      { title: 'cut', align: 'left' },
      { title: 'macs', align: 'right' },
      { title: 'time', align: 'right' },
      { title: 'ms', align: 'right' },
      { title: 'shape', align: 'right' },
      { title: 'pool', align: 'right' },
    ],
    cuts.map((cut) => [
      cut.tensor,
      percent(cut.macsShare),
      percent(cut.msShare),
      plainMs === null ? '-' : (cut.msShare * plainMs).toFixed(2),
      `${cut.channels}x${cut.height}x${cut.width}`,
      String(cut.pool),
    ]),
  );
}

const MAX_REJECTED = 8;

function tensorText({ name, datatype, shape }: TensorSpec): string {
  return `${name} ${datatype} [${shape.map((size) => (size < 0 ? '?' : size)).join(', ')}]`;
}
