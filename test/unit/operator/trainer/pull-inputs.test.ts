import { expect, test } from 'vitest';
import { encodeInputBatch, type InputBatch } from '../../../../crds/wire/inputs.ts';
import type {
  AdminAnswer,
  AdminCall,
  AdminClient,
} from '../../../../operator/fleet/admin-client.ts';
import { pullInputs, wipeInputs } from '../../../../operator/trainer/pull-inputs.ts';
import { BACKBONE_DIGEST } from '../../../support/builders.ts';

function inputs(podUid: string, sequence: number[]): InputBatch {
  return {
    schemaVersion: 1,
    ...{ podUid, bootId: 'boot-1', backboneDigest: BACKBONE_DIGEST, rowShape: [1, 1, 1] },
    ...{ rowCount: sequence.length, nextAfter: sequence.at(-1) ?? 0 },
    sequence: Float64Array.from(sequence),
    inputs: Uint16Array.from(sequence),
  };
}

/** Servers by address, and the calls that came. */
function fleet(answers: Readonly<Record<string, (call: AdminCall) => AdminAnswer>>) {
  const calls: string[] = [];
  const connect = (baseUrl: string): AdminClient => ({
    baseUrl,
    call: (call) => {
      calls.push(`${call.method} ${baseUrl}${call.path}`);
      return Promise.resolve({ ok: true, value: answers[baseUrl]!(call) });
    },
    close: () => calls.push(`close ${baseUrl}`),
  });
  return { calls, connect };
}

const page = (batch: InputBatch): AdminAnswer => ({
  status: 200,
  body: Buffer.from(encodeInputBatch(batch)),
});

test('rows of all servers are pulled page by page; one that gives none is passed over', async () => {
  const pages = [
    inputs('pod-a', [1, 2]),
    inputs('pod-a', [5]),
    { ...inputs('pod-a', []), nextAfter: 5 },
  ];
  const { calls, connect } = fleet({
    a: () => page(pages.shift()!),
    b: () => ({ status: 404, body: Buffer.from('{}') }),
    c: () => ({ status: 200, body: Buffer.from('broken') }),
  });
  const batches = await pullInputs(['b', 'c', 'a'], connect);
  expect(batches.map(({ sequence }) => [...sequence])).toEqual([[1, 2], [5]]);
  expect(calls).toEqual([
    'GET b/v1/inputs?after=0&max=1000',
    'close b',
    'GET c/v1/inputs?after=0&max=1000',
    'close c',
    'GET a/v1/inputs?after=0&max=1000',
    'GET a/v1/inputs?after=2&max=1000',
    'GET a/v1/inputs?after=5&max=1000',
    'close a',
  ]);
});

test('every server is told to forget its rows, whatever one of them says', async () => {
  const { calls, connect } = fleet({
    a: () => ({ status: 403, body: Buffer.from('{}') }),
    b: () => ({ status: 204, body: Buffer.alloc(0) }),
  });
  await wipeInputs(['a', 'b'], connect);
  expect(calls).toEqual(['DELETE a/v1/inputs', 'close a', 'DELETE b/v1/inputs', 'close b']);
});
