// A backbone with two class outputs, before and after one of them is named.
import { describe, expect, onTestFinished, test } from 'vitest';
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
