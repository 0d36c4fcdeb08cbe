// A server with a companion before its backbone: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import { parseSampleBatch } from '../../../crds/wire/samples.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import { eventually } from '../../support/eventually.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { denseNet } from '../../support/onnx-models/networks.ts';
import { aBundle, aCompanionHead } from '../../support/onnx-models/random-head.ts';
import { startRealEngineServer, type RealEngineServer } from '../../support/real-engine-server.ts';
import { aPolicy, aTrack, digestOf, send, type Row } from '../../support/test-server.ts';

const ROW: Row = [0.5, -1, 0.25, 2];
const SURE = 50;
const UNSURE = -50;
const small = denseNet(77);
const smallDigest = digestOf(small.bytes);

let backbone: ModelFile;
let smallPath: string;
beforeAll(async () => {
  backbone = await modelFile(denseNet());
  smallPath = join(dirname(backbone.path), 'small.onnx');
  await writeFile(smallPath, small.bytes);
});
afterAll(async () => {
  await backbone.remove();
});

function start(path: string): Promise<RealEngineServer> {
  const setting = { name: 'small', uri: pathToFileURL(path).href };
  const environment = { LAYERCACHE_COMPANIONS: JSON.stringify([setting]) };
  return startRealEngineServer(backbone.path, { environment });
}

function bundleOf(
  { backbone: { digest, classCount } }: ServerState,
  intercept: number,
): HeadBundle {
  const model = { digest, classCount, cuts: [] };
  const empty = aBundle(model as never, []);
  return {
    ...empty,
    heads: [aCompanionHead('small', { digest: smallDigest, classCount }, intercept)],
  };
}

/** The bundle of the companion, pushed, and a policy that lets it answer. */
async function aCompanionPolicy(
  server: RealEngineServer,
  { intercept, revision }: { readonly intercept: number; readonly revision: number },
): Promise<Policy> {
  const state = await server.state();
  const headRevision = await server.push(bundleOf(state, intercept));
  const stable = aTrack(headRevision, { activeExits: ['small'] });
  const backboneDigest = state.backbone.digest;
  return aPolicy({
    ...{ revision, backboneDigest, auditRate: 1 },
    exits: [{ name: 'small', modelDigest: smallDigest, mode: 'Active' }],
    stable: { ...stable, certificate: { ...stable.certificate!, backboneDigest } },
  });
}

test('a companion answers, is audited, sampled, counted and told of', async () => {
  const server = await start(smallPath);
  const plain = await server.ask([ROW]);
  expect(plain.parameters.layercache_exit).toBe('backbone');
  const { companionModels, companions } = await server.state();
  expect(companions).toEqual([]);
  expect(companionModels).toMatchObject([{ name: 'small', digest: smallDigest, format: 'ONNX' }]);

  const policy = await aCompanionPolicy(server, { intercept: SURE, revision: 2 });
  await server.apply({ ...policy, revision: 1, exitsEnabled: false, stable: null });
  await server.ask([ROW]);
  await eventually(async () => {
    const samples = await send(server.admin, '/v1/samples?part=long&after=0&max=10');
    const batch = parseSampleBatch(samples.body);
    expect(batch.ok && batch.value.rowCount).toBe(1);
    expect(batch.ok && batch.value.exits).toMatchObject([
      { name: 'small', tensor: null, modelDigest: smallDigest, featureCount: 3 },
    ]);
  });
  expect(await server.apply(policy)).toMatchObject({ result: 'Applied', reason: '' });
  const early = await server.ask([ROW, ROW]);
  expect(early.parameters.layercache_exit).toBe('small');
  const kept = await server.ask([ROW], { parameters: { layercache_mode: 'backbone' } });
  expect(kept.outputs).toEqual(plain.outputs);
  const { windows } = await server.evidence();
  const window = windows.find(({ exits }) => exits.includes('small'));
  expect(window?.compute?.companion).toBeGreaterThan(0);
  expect(window?.grid.n).toBe(2);
  expect(await server.metric('layercache_compute_seconds_total{kind="companion"}')).toBeGreaterThan(
    0,
  );
  expect((await server.state()).costs).toMatchObject({ cuts: [smallDigest], companions: 1 });

  const unsure = await aCompanionPolicy(server, { intercept: UNSURE, revision: 3 });
  expect(await server.apply(unsure)).toMatchObject({ result: 'Applied' });
  const passed = await server.ask([ROW]);
  expect(passed.parameters.layercache_exit).toBe('backbone');
  expect(passed.outputs).toEqual(plain.outputs);
});

test('while it cannot be loaded the backbone answers, and its policy waits for it', async () => {
  const late = join(dirname(backbone.path), 'late.onnx');
  const server = await start(late);
  const [report] = (await server.state()).companions;
  expect(report).toMatchObject({ name: 'small', code: 'CompanionLoadFailed' });
  expect(report!.message).toBe(`${late} does not exist; correct exits[small].model.uri.`);
  const policy = await aCompanionPolicy(server, { intercept: SURE, revision: 1 });
  const refused = await server.apply(policy);
  expect(refused).toMatchObject({ result: 'Rejected', reason: 'CompanionUnsupported' });
  expect(refused.message).toContain('late.onnx');
  expect((await server.ask([ROW])).parameters.layercache_exit).toBe('backbone');
  await writeFile(late, small.bytes);
  await eventually(async () => {
    expect((await server.ask([ROW])).parameters.layercache_exit).toBe('small');
  }, 30_000);
  expect((await server.state()).companions).toEqual([]);
  await rm(late);
});

test('one that is gone after a restart of the engine host leaves the answers to the backbone until it is back', async () => {
  const path = join(dirname(backbone.path), 'going.onnx');
  await writeFile(path, small.bytes);
  const server = await start(path);
  await server.apply(await aCompanionPolicy(server, { intercept: SURE, revision: 1 }));
  expect((await server.ask([ROW])).parameters.layercache_exit).toBe('small');
  await rm(path);
  process.kill(server.engine.hostPid()!, 'SIGKILL');
  await eventually(async () => {
    const { companions, companionModels, acknowledgement } = await server.state();
    expect([companions.length, companionModels]).toEqual([1, undefined]);
    expect(acknowledgement.reason).toBe('EngineFailed');
  }, 30_000);
  expect((await server.ask([ROW])).parameters.layercache_exit).toBe('backbone');
  await writeFile(path, small.bytes);
  await eventually(async () => {
    expect((await server.ask([ROW])).parameters.layercache_exit).toBe('small');
  }, 30_000);
  const { companions, companionModels, acknowledgement } = await server.state();
  expect([companions, companionModels?.length, acknowledgement.reason]).toEqual([[], 1, '']);
  await rm(path);
});

test('another model than the one that was certified does not answer', async () => {
  const server = await start(smallPath);
  const policy = await aCompanionPolicy(server, { intercept: SURE, revision: 1 });
  const other = `sha256:${'0'.repeat(64)}`;
  const exits = [{ name: 'small', modelDigest: other, mode: 'Active' as const }];
  const refused = await server.apply({ ...policy, exits });
  expect(refused).toMatchObject({ result: 'Rejected', reason: 'CompanionUnsupported' });
  expect(refused.message).toContain(smallDigest);
});
