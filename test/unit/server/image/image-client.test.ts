import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createImageClient } from '../../../../server/image/image-client.ts';
import type { ImageDecoder } from '../../../../server/image/image-decoder.ts';
import { ImageDecoderError } from '../../../../server/image/image-decoder.ts';
import type { ImageInput } from '../../../../server/image/image-input.ts';

const INPUT: ImageInput = {
  width: 1,
  height: 1,
  channels: 1,
  resize: 'Cover',
  isBgr: false,
  isChannelsFirst: false,
};

const folder = mkdtempSync(join(tmpdir(), 'layercache-images-'));
const clients: ImageDecoder[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A host whose pictures say what it does: 1 answers, 2 ends the process, 3 never answers, 4 answers that it has grown. */
const HOST = `
const tell = (message) => process.send(message);
process.on('disconnect', () => process.exit(0));
process.on('message', ({ id, bytes }) => {
  if (bytes[0] === 2) process.kill(process.pid, 'SIGKILL');
  if (bytes[0] === 3) return;
  const row = Uint8Array.of(process.pid & 255, bytes[0]);
  setTimeout(() => tell({ kind: 'decoded', id, image: { ok: true, row }, rssBytes: bytes[0] === 4 ? 2 ** 40 : 1 }), 5);
});
tell({ kind: 'ready' });
`;

function clientOf(host: string, more: object = {}): { client: ImageDecoder; ends: string[] } {
  const hostScript = join(folder, `${clients.length}-${host.length}.mjs`);
  writeFileSync(hostScript, host);
  const ends: string[] = [];
  const client = createImageClient({
    hostScript,
    maxPixels: 100,
    onEnd: (detail) => ends.push(detail),
    places: 2,
    ...more,
  });
  clients.push(client);
  return { client, ends };
}

const never = new AbortController().signal;

async function decode(
  client: ImageDecoder,
  first: number,
  signal = never,
): Promise<number | string> {
  const decoded = await client.decode(Uint8Array.of(first), INPUT, signal);
  return decoded.ok ? decoded.row[0]! : decoded.problem;
}

describe('the process that decodes', () => {
  test('is one, started by the first picture, and answers more pictures than it takes at once', async () => {
    const { client } = clientOf(HOST);
    const processes = await Promise.all(Array.from({ length: 9 }, () => decode(client, 1)));
    expect(new Set(processes).size).toBe(1);
  });

  test('that a picture ends costs that picture alone', async () => {
    const { client, ends } = clientOf(HOST);
    const outcomes = await Promise.all([1, 2, 1, 1].map((first) => decode(client, first)));
    expect(outcomes[1]).toBe('it ends the decoder');
    for (const place of [0, 2, 3]) expect(outcomes[place]).toBeTypeOf('number');
    // Once among others, once alone.
    expect(ends).toEqual(['ended by SIGKILL', 'ended by SIGKILL']);
    expect(await decode(client, 1)).toBeTypeOf('number');
  });

  test('that hangs on a picture is ended, and goes on with the others', async () => {
    const { client } = clientOf(HOST, { timeoutMs: 1_000 });
    const outcomes = await Promise.all([3, 1, 1].map((first) => decode(client, first)));
    expect(outcomes[0]).toBe('it takes too long');
    expect(outcomes.slice(1).every((outcome) => typeof outcome === 'number')).toBe(true);
  });

  test('that has grown is replaced before the next picture', async () => {
    const { client, ends } = clientOf(HOST);
    const grown = await decode(client, 4);
    expect(await decode(client, 1)).not.toBe(grown);
    expect(ends).toEqual([]);
  });

  test.each([
    ['does not load', `process.send({ kind: 'unavailable', detail: 'no libvips here' });`],
    ['ends at once', 'process.exit(3);'],
  ])('that %s makes pictures unavailable, and is tried again by the next', async (_, host) => {
    const { client, ends } = clientOf(host);
    await expect(decode(client, 1)).rejects.toThrow(ImageDecoderError);
    expect(ends).toEqual([expect.stringMatching(/^did not start: /)]);
    await expect(decode(client, 1)).rejects.toThrow(ImageDecoderError);
  });

  test('forgets a picture whose client left while it waited', async () => {
    const { client } = clientOf(HOST, { timeoutMs: 60_000 });
    const stuck = [decode(client, 3), decode(client, 3)];
    for (const one of stuck) one.catch(() => undefined);
    const leaving = new AbortController();
    const waiting = decode(client, 1, leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(decode(client, 1, leaving.signal)).rejects.toThrow('gone');
  });
});
