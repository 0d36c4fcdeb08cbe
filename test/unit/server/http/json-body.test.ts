import { describe, expect, test } from 'vitest';
import { createGate } from '../../../../server/http/gate.ts';
import { HangUpError } from '../../../../server/http/read-body.ts';
import {
  SLICE_BYTES,
  createJsonReader,
  readJsonInTurns,
  readJsonObject,
} from '../../../../server/http/json-body.ts';

const LIMITS = {
  maxJsonDepth: 32,
  maxTensorElements: 2 ** 26,
  maxDecompressionRatio: 4,
  maxImagePixels: 1,
  maxHeldBytes: 1,
};

/** A request whose JSON is about so many slices long. */
function aReader(slices: number, tail = '}') {
  const numbers = new Array(Math.round((slices * SLICE_BYTES) / 4)).fill('0.5').join(',');
  const json = Buffer.from(`{"data":[${numbers}]${tail}`);
  return createJsonReader(json, new Map([['data', 'numbers']]), LIMITS);
}

describe('a long JSON', () => {
  test('is read in turns with the event loop, one slice in each', async () => {
    const log: string[] = [];
    const nextTurn = async (): Promise<void> => {
      log.push('turn');
      await Promise.resolve();
    };
    const turns = { gate: createGate(1), nextTurn, check: () => undefined };
    expect(await readJsonInTurns(aReader(9.5), turns)).toHaveProperty('data');
    expect(log.length).toBe(9);
    expect(await readJsonInTurns(aReader(0.5), turns)).toHaveProperty('data');
    expect(log.length).toBe(9);
    expect(await readJsonInTurns(aReader(1.5), turns)).toEqual(readJsonObject(aReader(1.5)));
  });

  test('waits for the one before, so that a turn holds one slice whoever asks', async () => {
    const log: string[] = [];
    const gate = createGate(1);
    const read = (name: string) =>
      readJsonInTurns(aReader(4), {
        gate,
        nextTurn: () => {
          log.push(name);
          return Promise.resolve();
        },
        check: () => undefined,
      });
    await Promise.all([read('a'), read('b'), read('c')]);
    expect(log.join('')).toMatch(/^a{3,5}b{3,5}c{3,5}$/);
  });

  test('is read no further once its client is gone, and the next one is', async () => {
    let turns = 0;
    const gate = createGate(1);
    const nextTurn = (): Promise<void> => {
      turns += 1;
      return Promise.resolve();
    };
    const check = (): void => {
      if (turns >= 3) throw new HangUpError();
    };
    await expect(readJsonInTurns(aReader(50), { gate, nextTurn, check })).rejects.toThrow(
      HangUpError,
    );
    expect(turns).toBe(3);
    const others = { gate, nextTurn, check: () => undefined };
    expect(await readJsonInTurns(aReader(2), others)).toHaveProperty('data');
  });

  test('that turns out broken is refused with the byte, in a later slice too', async () => {
    const turns = {
      gate: createGate(1),
      nextTurn: () => Promise.resolve(),
      check: () => undefined,
    };
    await expect(readJsonInTurns(aReader(3, ',}'), turns)).rejects.toMatchObject({
      code: 'malformed_json',
      message: expect.stringMatching(/it does not parse at byte \d+\.$/) as string,
    });
    const list = createJsonReader(Buffer.from('[1]'), new Map(), LIMITS);
    expect(() => readJsonObject(list)).toThrow(/it is not an object\.$/);
  });
});
