import { readFileSync } from 'node:fs';
import { parseAcknowledgement, type Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import { encodeHeadBundle, type HeadBundle } from '../../crds/wire/head-bundle.ts';
import type { Policy } from '../../crds/wire/policy.ts';
import { parseServerState, type ServerState } from '../../crds/wire/state.ts';
import type { ModelDescription } from '../../server/engine/segment-engine.ts';
import { eventually } from './eventually.ts';
import type { StartedServer } from './server-process.ts';
import { GOOD_CERTIFICATE, aPolicy, digestOf, send } from './test-server.ts';

interface Ports {
  readonly dataPort: number;
  readonly adminPort: number;
  readonly metricsPort: number;
}

/** What a started server has logged. */
export function linesOf({ stdout }: StartedServer): (Ports & { readonly msg: string })[] {
  return stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Ports & { readonly msg: string });
}

/** Ports of a started server, once it is ready. */
export function whenReady(started: StartedServer, withinMs = 60_000): Promise<Ports> {
  return eventually(() => {
    const lines = linesOf(started);
    if (!lines.some(({ msg }) => msg === 'ready'))
      throw new Error(`not ready: ${started.stderr()}`);
    return lines.find(({ msg }) => msg === 'listening')!;
  }, withinMs);
}

export async function stateOf(adminPort: number): Promise<ServerState> {
  const parsed = parseServerState((await send(adminPort, '/v1/state')).body.toString());
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

/** A request of one row for the first input of the backbone. */
export function oneRow({ backbone }: ServerState, valueAt: (index: number) => number) {
  const [input] = backbone.inputs;
  const shape = [1, ...input!.shape.slice(1)];
  const size = shape.reduce((product, extent) => product * extent, 1);
  const data = Array.from({ length: size }, (_, index) => valueAt(index));
  return { inputs: [{ name: input!.name, shape, datatype: 'FP32', data }] };
}

/** What test heads are made for. */
export function describedModel({ backbone, cuts }: ServerState): ModelDescription {
  return { ...backbone, cuts } as unknown as ModelDescription;
}

export async function pushBundle(adminPort: number, bundle: HeadBundle): Promise<string> {
  const body = encodeHeadBundle(bundle);
  const headRevision = digestOf(body);
  const answer = await send(adminPort, `/v1/heads/${headRevision}`, { method: 'PUT', body });
  if (answer.status >= 300) throw new Error(answer.body.toString());
  return headRevision;
}

export async function applyPolicy(adminPort: number, policy: Policy): Promise<Acknowledgement> {
  const body = JSON.stringify(policy);
  const answer = await send(adminPort, '/v1/policy', { method: 'PUT', body });
  const parsed = parseAcknowledgement(answer.body.toString());
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

/** Puts the bundle in force as stable, all its exits active, on the backbone it was made for. */
export function policyFor(bundle: HeadBundle, headRevision: string, revision: number): Policy {
  const { backboneDigest } = bundle;
  return aPolicy({
    revision,
    backboneDigest,
    exits: bundle.heads.map(({ exit, tensor }) => ({
      name: exit,
      tensor: tensor!,
      mode: 'Active',
    })),
    stable: {
      headRevision,
      lambdaIndex: 60,
      certificate: { ...GOOD_CERTIFICATE, backboneDigest },
      activeExits: bundle.heads.map(({ exit }) => exit),
    },
  });
}

/** Of the engine host of a server process. */
export function hostPidOf(serverPid: number): number {
  const children = readFileSync(`/proc/${serverPid}/task/${serverPid}/children`, 'utf8');
  const found = children
    .trim()
    .split(' ')
    .map(Number)
    .find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('engine-host.mjs'));
  if (found === undefined) throw new Error(`${serverPid} has no engine host`);
  return found;
}

/** Resident memory of a process in bytes. */
export function rssOf(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return pages * 4096;
}
