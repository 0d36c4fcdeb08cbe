// A backbone with two class outputs, before and after one of them is named.
import { describe, expect, onTestFinished, test } from 'vitest';
import { fromHalf } from '../../../crds/wire/half-float.ts';
import { RowFlag } from '../../../server/engine/engine-client.ts';
import { ambiguousReport, createFakeEngine, fakeReport } from '../../support/fake-engine.ts';
import {
  EASY,
  MODEL,
  aPolicy,
  aTrack,
  fakeBundle,
  send,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';

async function serverOf(report: ReturnType<typeof fakeReport>): Promise<TestServer> {
  const server = await startTestServer({ engine: createFakeEngine(report) });
  onTestFinished(() => server.close());
  return server;
}

async function metadataOf(server: TestServer): Promise<Record<string, unknown>> {
  const { body } = await send(server.data, `/v2/models/${MODEL}`);
  return JSON.parse(body.toString()) as Record<string, unknown>;
}

const namesOf = ({ outputs }: { outputs: readonly { name: string }[] }): string[] =>
  outputs.map(({ name }) => name);

describe('none named', () => {
  test('the server is ready, and every client gets every output from the backbone', async () => {
    const server = await serverOf(ambiguousReport());
    expect((await send(server.metrics, '/readyz')).status).toBe(200);
    for (const more of [{}, { outputs: [{ name: 'scores' }] }, { outputs: [{ name: 'topics' }] }]) {
      const answer = await server.ask([EASY], more);
      expect(answer.parameters).toMatchObject({ layercache_exit: 'backbone' });
      expect(namesOf(answer)).toEqual(
        'outputs' in more ? more.outputs.map(({ name }) => name) : ['scores', 'topics'],
      );
      for (const { data } of answer.outputs) expect(data).toHaveLength(3);
    }
  });

  test('state and metadata say why no exit is possible', async () => {
    const server = await serverOf(ambiguousReport());
    const { backbone, cuts } = await server.state();
    expect(backbone).toMatchObject({ outputName: null, outputKind: null, classCount: 0 });
    expect(backbone.outputProblem?.message).toContain('(scores, topics)');
    expect(cuts).toEqual([]);
    expect(await metadataOf(server)).toMatchObject({
      outputs: [
        { name: 'scores', exitSupplies: false },
        { name: 'topics', exitSupplies: false },
      ],
      parameters: { exits_impossible: backbone.outputProblem?.message },
    });
  });

  test('a policy is applied, its limits hold, and its exits do not', async () => {
    const server = await serverOf(ambiguousReport());
    const { limits } = aPolicy();
    const policy = aPolicy({
      stable: aTrack(`sha256:${'7'.repeat(64)}`),
      limits: { ...limits, maxQueueLength: 77 },
    });
    expect(await server.apply(policy)).toMatchObject({
      ...{ result: 'Applied', reason: 'OutputAmbiguous', epoch: 1, revision: 1 },
      message: expect.stringContaining('(scores, topics)') as string,
    });
    const state = await server.state();
    expect(state).toMatchObject({ policy: { exitsEnabled: false }, queue: { capacity: 77 } });
    expect((await server.ask([EASY])).parameters).toMatchObject({ layercache_exit: 'backbone' });
    expect((await server.apply(policy)).result).toBe('AlreadyApplied');
  });

  test('a policy that audits every row has no row audited: there is no class to compare', async () => {
    const engine = createFakeEngine(ambiguousReport());
    const server = await startTestServer({ engine });
    onTestFinished(() => server.close());
    await server.apply(aPolicy({ auditRate: 1 }));
    await server.ask([EASY]);
    const flags = engine.batches.flatMap((batch) => [...batch.flags]);
    expect(flags).toEqual([RowFlag.BackboneOnly]);
  });

  test('heads are refused: they fit no backbone without classes', async () => {
    const server = await serverOf(ambiguousReport());
    await expect(server.push(fakeBundle(1))).rejects.toThrow(/0/);
  });
});

describe('one named', () => {
  test('a request for that output alone may leave early, any other runs to the end', async () => {
    const server = await serverOf(fakeReport(['scores', 'topics']));
    await server.apply(aPolicy({ stable: aTrack(await server.push(fakeBundle(2))) }));
    expect(await metadataOf(server)).toMatchObject({
      outputs: [
        { name: 'scores', exitSupplies: true },
        { name: 'topics', exitSupplies: false },
      ],
    });
    const exitOf = async (...names: string[]): Promise<unknown> => {
      const outputs = names.map((name) => ({ name }));
      const answer = await server.ask([EASY], names.length === 0 ? {} : { outputs });
      expect(namesOf(answer)).toEqual(names.length === 0 ? ['scores', 'topics'] : names);
      return answer.parameters.layercache_exit;
    };
    expect(await exitOf('scores')).toBe('early');
    expect(await exitOf('topics')).toBe('backbone');
    expect(await exitOf('scores', 'topics')).toBe('backbone');
    expect(await exitOf()).toBe('backbone');
  });
});

describe('an output that is no float32', () => {
  // The fake backbone answers 10 at the class of the row, which is 0, and 0 elsewhere.
  test.each([
    ['INT64', 8],
    ['INT32', 4],
    ['FP64', 8],
    ['FP16', 2],
    ['INT8', 1],
    ['UINT8', 1],
    ['BOOL', 1],
  ])('%s comes in binary as elements of that type', async (datatype, size) => {
    const { model, ...report } = fakeReport(['scores', 'topics']);
    const outputs = model.outputs.map((output) => ({ ...output, datatype }));
    const server = await serverOf({ ...report, model: { ...model, outputs } });
    const asked = { outputs: [{ name: 'scores', parameters: { binary_data: true } }] };
    const answer = await server.infer([EASY], asked);
    const length = Number(answer.headers['inference-header-content-length']);
    const header = JSON.parse(answer.body.subarray(0, length).toString()) as {
      outputs: [{ datatype: string; parameters: { binary_data_size: number } }];
    };
    expect(header.outputs[0]).toMatchObject({
      datatype,
      parameters: { binary_data_size: 3 * size },
    });
    const bytes = answer.body.subarray(length);
    expect(bytes.length).toBe(3 * size);
    expect(valueOf(bytes, datatype)).toBe(datatype === 'BOOL' ? 1 : 10);
  });
});

/** The first element. */
function valueOf(bytes: Buffer, datatype: string): number {
  switch (datatype) {
    case 'INT64':
      return Number(bytes.readBigInt64LE(0));
    case 'FP64':
      return bytes.readDoubleLE(0);
    case 'INT32':
      return bytes.readInt32LE(0);
    case 'FP16':
      return fromHalf(bytes.readUInt16LE(0));
    default:
      return bytes.readInt8(0);
  }
}
