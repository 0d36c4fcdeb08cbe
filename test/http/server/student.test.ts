// A server that holds inputs, and runs students that head bundles bring: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeHalf } from '../../../crds/wire/half-float.ts';
import type { HeadBundle } from '../../../crds/wire/head-bundle.ts';
import { parseInputBatch } from '../../../crds/wire/inputs.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import { parseSampleBatch } from '../../../crds/wire/samples.ts';
import type { BundleStudent } from '../../../crds/wire/student.ts';
import { studentModel } from '../../../server/core/student/student-model.ts';
import { eventually } from '../../support/eventually.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { aBundle, aCompanionHead } from '../../support/onnx-models/random-head.ts';
import { startRealEngineServer, type RealEngineServer } from '../../support/real-engine-server.ts';
import { aStudent } from '../../support/students.ts';
import { aPolicy, aTrack, digestOf, send } from '../../support/test-server.ts';

const SURE = 50;
const ROW_DIMS = { channels: 3, height: 16, width: 16, mean: [0, 0, 0], scale: [1, 1, 1] };
const data = Array.from({ length: 768 }, (_, i) => ((i % 37) - 18) / 16);
const ROW = { inputs: [{ name: 'input', shape: [1, 3, 16, 16], datatype: 'FP32', data }] };
const EXITS: Policy['exits'] = [{ name: 'late', tensor: 'block1', mode: 'Active' }];

let backbone: ModelFile;
beforeAll(async () => {
  backbone = await modelFile(residualNet());
});
afterAll(async () => {
  await backbone.remove();
});

async function policyFor(server: RealEngineServer, fields: Partial<Policy>): Promise<Policy> {
  const backboneDigest = (await server.state()).backbone.digest;
  return aPolicy({ backboneDigest, exits: EXITS, auditRate: 1, ...fields });
}

async function bundleOf(
  server: RealEngineServer,
  student: BundleStudent,
  digest = digestOf(Buffer.from(studentModel(student))),
): Promise<HeadBundle> {
  const { backbone: model } = await server.state();
  const { classCount } = model;
  const empty = aBundle({ digest: model.digest, classCount, cuts: [] } as never, []);
  return {
    ...empty,
    heads: [{ ...aCompanionHead('student', { digest, classCount }, SURE), student }],
  };
}

/** What answers a row once this student is in force. */
async function answerWith(
  server: RealEngineServer,
  student: BundleStudent,
  revision: number,
): Promise<{ readonly exit: unknown; readonly scores: readonly (number | null)[] }> {
  const headRevision = await server.push(await bundleOf(server, student));
  const stable = aTrack(headRevision, { activeExits: ['student'] });
  const { backboneDigest } = await policyFor(server, {});
  const policy = await policyFor(server, {
    revision,
    stable: { ...stable, certificate: { ...stable.certificate!, backboneDigest } },
  });
  expect(await server.apply(policy)).toMatchObject({ result: 'Applied', reason: '' });
  const { parameters, outputs } = await server.ask([], ROW);
  return { exit: parameters.layercache_exit, scores: outputs[0]!.data };
}

function argmax(values: readonly (number | null)[]): number {
  return values.indexOf(Math.max(...values.map(Number)));
}

test('a student of a bundle answers before the backbone, and another one takes its place', async () => {
  const server = await startRealEngineServer(backbone.path);
  const [first, second] = [aStudent(ROW_DIMS, 10), aStudent(ROW_DIMS, 10, [3, 4])];
  const one = await answerWith(server, first, 1);
  expect(one.exit).toBe('student');
  const two = await answerWith(server, second, 2);
  expect(two.exit).toBe('student');
  expect(two.scores).not.toEqual(one.scores);
  const again = await answerWith(server, first, 3);
  expect(argmax(again.scores)).toBe(argmax(one.scores));
  expect((await server.state()).costs).toMatchObject({ companions: 1 });
  // No manifest names it, so the state does not list it as a companion of the service.
  expect((await server.state()).companionModels).toBeUndefined();
  process.kill(server.engine.hostPid()!, 'SIGKILL');
  await eventually(async () => {
    expect((await server.ask([], ROW)).parameters.layercache_exit).toBe('student');
  }, 30_000);
});

test('weights that do not make the model that the bundle names are refused', async () => {
  const server = await startRealEngineServer(backbone.path);
  const bundle = await bundleOf(server, aStudent(ROW_DIMS, 10), `sha256:${'a'.repeat(64)}`);
  await expect(server.push(bundle)).rejects.toThrow(
    /do not make the model sha256:a+ that it names/,
  );
});

test('one for other rows is refused, and the backbone goes on answering', async () => {
  const server = await startRealEngineServer(backbone.path);
  const headRevision = await server.push(
    await bundleOf(server, aStudent({ ...ROW_DIMS, height: 8 }, 10)),
  );
  const policy = await policyFor(server, { stable: null, exitsEnabled: false });
  const shadow = { ...aTrack(headRevision), activeExits: [], certificate: null, lambdaIndex: null };
  const refused = await server.apply({ ...policy, stable: shadow });
  expect(refused).toMatchObject({ result: 'Rejected', reason: 'CompanionMismatch' });
  expect(refused.message).toMatch(/takes rows of \[3, 8, 16\], the backbone of \[3, 16, 16\]/);
  expect((await server.ask([], ROW)).parameters.layercache_exit).toBe('backbone');
});

test('inputs are held only where the server was told to, under the numbers of their samples, until they are deleted', async () => {
  const inputsOf = async (server: RealEngineServer) => send(server.admin, '/v1/inputs');
  const without = await startRealEngineServer(backbone.path);
  await without.apply(await policyFor(without, { exitsEnabled: false }));
  await without.ask([], ROW);
  expect((await inputsOf(without)).status).toBe(404);
  expect((await without.state()).inputs).toBeUndefined();

  const environment = { LAYERCACHE_INPUT_MEMORY: '1Mi', LAYERCACHE_INPUT_RETENTION: '1m' };
  const server = await startRealEngineServer(backbone.path, { environment });
  await server.apply(await policyFor(server, { exitsEnabled: false }));
  await server.ask([], ROW);
  await eventually(async () => {
    const batch = parseInputBatch((await inputsOf(server)).body);
    if (!batch.ok) throw new Error(batch.message);
    expect(batch.value).toMatchObject({ rowCount: 1, rowShape: [3, 16, 16] });
    expect([...decodeHalf(batch.value.inputs)]).toEqual(data);
    const samples = await send(server.admin, '/v1/samples?part=long&after=0&max=10');
    const rows = parseSampleBatch(samples.body);
    expect(rows.ok && rows.value.sequence).toEqual(batch.value.sequence);
  });
  expect((await server.state()).inputs).toMatchObject({ rows: 1, retentionSeconds: 60 });
  expect((await send(server.admin, '/v1/inputs', { method: 'DELETE' })).status).toBe(204);
  expect((await server.state()).inputs).toMatchObject({ rows: 0 });
});

test('inputs of a request so large that its memory is given back when it is answered are held, too', async () => {
  const environment = { LAYERCACHE_INPUT_MEMORY: '1Mi', LAYERCACHE_INPUT_RETENTION: '1m' };
  const server = await startRealEngineServer(backbone.path, { environment });
  await server.apply(await policyFor(server, { exitsEnabled: false }));
  const count = 16;
  const rows = Array.from({ length: count }, () => data).flat();
  const [input] = ROW.inputs;
  await server.ask([], { inputs: [{ ...input, shape: [count, 3, 16, 16], data: rows }] });
  await eventually(async () => {
    const batch = parseInputBatch((await send(server.admin, '/v1/inputs')).body);
    if (!batch.ok) throw new Error(batch.message);
    expect(batch.value.rowCount).toBe(count);
    expect([...decodeHalf(batch.value.inputs)]).toEqual(rows);
  });
});
