import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { serializeAcknowledgement } from '../../../../crds/wire/acknowledgement.ts';
import { serializeEvidenceAnswer } from '../../../../crds/wire/evidence.ts';
import { encodeHeadBundle } from '../../../../crds/wire/head-bundle.ts';
import { serializeServerState } from '../../../../crds/wire/state.ts';
import { createAdminClient, type AdminClient } from '../../../../operator/fleet/admin-client.ts';
import { pullBundle } from '../../../../operator/fleet/pull-bundle.ts';
import { pullEvidence } from '../../../../operator/fleet/pull-evidence.ts';
import { pullState } from '../../../../operator/fleet/pull-state.ts';
import { pushHeads } from '../../../../operator/fleet/push-heads.ts';
import { pushPolicy } from '../../../../operator/fleet/push-policy.ts';
import { pullTrainerState, sendDone } from '../../../../operator/fleet/trainer-client.ts';
import { aBundle, anAcknowledgement, anAnswer, aPolicy, aState } from '../../crds/documents.ts';

const open: (Server | AdminClient)[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

interface Seen {
  method: string;
  path: string;
  type: string | undefined;
  body: Buffer;
}

/** An admin port that answers everything alike and remembers what it was asked. */
async function adminPort(
  status: number,
  body: Uint8Array | string,
): Promise<{ client: AdminClient; seen: Seen[] }> {
  const seen: Seen[] = [];
  return {
    client: await answering((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        seen.push({
          method,
          path: url,
          type: headers['content-type'],
          body: Buffer.concat(chunks),
        });
        response.writeHead(status).end(body);
      });
    }),
    seen,
  };
}

async function answering(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<AdminClient> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = createAdminClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  open.push(client, server);
  return client;
}

describe('a server that answers', () => {
  test('gives its evidence after a sequence, open windows closed on demand', async () => {
    const { client, seen } = await adminPort(200, serializeEvidenceAnswer(anAnswer()));
    const pulled = await pullEvidence(client, 4, true);
    expect(pulled.ok && pulled.value.answer.windows.map(({ seq }) => seq)).toEqual([5, 6]);
    await pullEvidence(client, 6, false);
    expect(seen.map(({ path }) => path)).toEqual([
      '/v1/evidence?after=4&close=true',
      '/v1/evidence?after=6',
    ]);
  });

  test('gives its state', async () => {
    const { client } = await adminPort(200, serializeServerState(aState()));
    const state = await pullState(client);
    expect(state.ok && state.value.podUid).toBe('pod-1');
  });

  test('acknowledges a policy, a rejected one too', async () => {
    const rejected = anAcknowledgement({ result: 'Rejected', reason: 'CertificateRejected' });
    const { client, seen } = await adminPort(422, serializeAcknowledgement(rejected));
    const pushed = await pushPolicy(client, aPolicy());
    expect(pushed.ok && pushed.value.reason).toBe('CertificateRejected');
    expect(seen[0]).toMatchObject({ method: 'PUT', path: '/v1/policy', type: 'application/json' });
  });

  test('takes heads under their digest', async () => {
    const { client, seen } = await adminPort(201, '{}');
    expect((await pushHeads(client, 'sha256:ab', Buffer.from('x'))).ok).toBe(true);
    expect(seen[0]).toMatchObject({
      method: 'PUT',
      path: '/v1/heads/ab',
      type: 'application/octet-stream',
    });
  });

  test('that refuses is quoted', async () => {
    const { client } = await adminPort(422, '{"error":"The head bundle is refused: digest"}');
    const refused = {
      ok: false,
      code: 'Refused',
      message: 'PUT /v1/heads/ab answered 422: {"error":"The head bundle is refused: digest"}',
    };
    expect(await pushHeads(client, 'sha256:ab', Buffer.from('x'))).toEqual(refused);
    for (const call of [
      pullState(client),
      pullEvidence(client, 0, false),
      pushPolicy(client, aPolicy()),
    ]) {
      expect(await call).toMatchObject({ ok: false, code: 'Refused' });
    }
  });
});

describe('a silent pod is a value', () => {
  test('when nothing listens', async () => {
    const client = createAdminClient('http://127.0.0.1:9');
    open.push(client);
    expect(await pullState(client)).toMatchObject({ ok: false, code: 'NoAnswer' });
    expect(await pushHeads(client, 'sha256:ab', Buffer.from('x'))).toMatchObject({
      code: 'NoAnswer',
    });
    expect(await pushPolicy(client, aPolicy())).toMatchObject({ code: 'NoAnswer' });
    expect(await pullEvidence(client, 0, true)).toMatchObject({ code: 'NoAnswer' });
    expect(await pullBundle(client, 'sha256:ab')).toMatchObject({ code: 'NoAnswer' });
    expect(await pullTrainerState(client)).toMatchObject({ code: 'NoAnswer' });
    expect(await sendDone(client)).toMatchObject({ code: 'NoAnswer' });
  });

  test('when it does not answer in time', async () => {
    const client = await answering(() => undefined);
    const answer = await client.call({ method: 'GET', path: '/v1/state', deadlineMs: 20 });
    expect(answer).toMatchObject({ ok: false, code: 'NoAnswer' });
    expect(!answer.ok && answer.message).toContain('no answer within 20 ms');
  });

  test('when it sends more than it may', async () => {
    const { client } = await adminPort(200, Buffer.alloc(2_000));
    const answer = await client.call({ method: 'GET', path: '/', maxBytes: 1_000 });
    expect(!answer.ok && answer.message).toContain('larger than 1000 bytes');
  });

  test('when it breaks off in the middle', async () => {
    const client = await answering((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('x', () => response.destroy());
    });
    expect(await client.call({ method: 'GET', path: '/' })).toMatchObject({ code: 'NoAnswer' });
  });
});

describe('a trainer', () => {
  const state = {
    state: 'Done',
    progress: 1,
    message: 'trained',
    outcome: 'Trained',
    digest: 'sha256:ab',
    sizeBytes: 10,
    rows: 100,
    durationSeconds: 2,
    summary: null,
  };

  test('says where it stands', async () => {
    const { client } = await adminPort(200, JSON.stringify(state));
    // What a trainer of the version before does not say is nothing.
    const value = { ...state, uri: null, failure: null };
    expect(await pullTrainerState(client)).toEqual({ ok: true, value });
  });

  test.each([
    ['no JSON', 200, '{', 'BadAnswer'],
    ['another shape', 200, '{"state":"Sleeping"}', 'BadAnswer'],
    ['an error', 500, 'oops', 'Refused'],
  ])('that answers %s is not believed', async (_, status, body, code) => {
    const { client } = await adminPort(status, body);
    expect(await pullTrainerState(client)).toMatchObject({ ok: false, code });
  });

  test('is told when it is done', async () => {
    const { client, seen } = await adminPort(200, '{}');
    expect(await sendDone(client)).toEqual({ ok: true, value: null });
    expect(seen[0]).toMatchObject({ method: 'POST', path: '/v1/done' });
    const refusing = await adminPort(409, 'no');
    expect(await sendDone(refusing.client)).toMatchObject({ code: 'Refused' });
  });

  test('gives a bundle that is believed only under its own digest', async () => {
    const bytes = encodeHeadBundle(aBundle());
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const { client } = await adminPort(200, bytes);
    const pulled = await pullBundle(client, digest);
    expect(pulled.ok && pulled.value.headRevision).toBe(digest);
    expect(await pullBundle(client, `sha256:${'0'.repeat(64)}`)).toMatchObject({
      code: 'DigestMismatch',
    });
  });

  test('gives no bundle, or none that can be read', async () => {
    expect(await pullBundle((await adminPort(404, 'no')).client, 'sha256:ab')).toMatchObject({
      code: 'Refused',
    });
    const digest = `sha256:${createHash('sha256').update('junk').digest('hex')}`;
    expect(await pullBundle((await adminPort(200, 'junk')).client, digest)).toMatchObject({
      ok: false,
    });
  });
});
