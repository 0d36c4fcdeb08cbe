import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputMemory, InputReader } from '../../../../server/engine/input-memory.ts';

const KIB = 2 ** 10;
let folder: string;
let memory: InputMemory;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'layercache-inputs-'));
  memory = InputMemory.open(folder)!;
});

afterEach(() => {
  memory.close();
  rmSync(folder, { recursive: true });
});

const filled = (value: number, bytes: number): Uint8Array => new Uint8Array(bytes).fill(value);

describe('memory for inputs', () => {
  test('has no name that another process could open', () => {
    expect(readdirSync(folder)).toEqual([]);
  });

  test('gives back the pieces of a batch as one, where they lie in any typed array', () => {
    const place = memory.put(3, [filled(1, 40 * KIB), filled(2, 30 * KIB)]);
    expect(place).toMatchObject({ bytes: 70 * KIB });
    const input = new InputReader(memory.file).read(place!);
    expect(input.byteOffset % 8).toBe(0);
    expect([input.indexOf(2), input.lastIndexOf(1), input.length]).toEqual([
      40 * KIB,
      40 * KIB - 1,
      70 * KIB,
    ]);
  });

  test('is read into the same memory again', () => {
    const reader = new InputReader(memory.file);
    const first = reader.read(memory.put(0, [filled(1, 80 * KIB)])!);
    const second = reader.read(memory.put(0, [filled(2, 64 * KIB)])!);
    expect(second.buffer).toBe(first.buffer);
    expect(second.length).toBe(64 * KIB);
    expect(second.every((byte) => byte === 2)).toBe(true);
  });

  test('keeps the lanes apart, whatever one of them puts', () => {
    const first = memory.put(0, [filled(1, 32 * KIB * KIB)]);
    const second = memory.put(1, [filled(2, 32 * KIB * KIB)]);
    expect(new InputReader(memory.file).read(first!).every((byte) => byte === 1)).toBe(true);
    expect(new InputReader(memory.file).read(second!).every((byte) => byte === 2)).toBe(true);
  });

  test.each([
    ['little', 64 * KIB - 1],
    ['more than its lane may use', 32 * KIB * KIB + 1],
  ])('leaves %s to the frame', (_, bytes) => {
    expect(memory.put(0, [filled(1, bytes)])).toBeNull();
  });

  test('that cannot be written leaves the input to the frame', () => {
    const closed = InputMemory.open(folder)!;
    closed.close();
    expect(closed.put(0, [filled(1, 64 * KIB)])).toBeNull();
  });

  test('is none without a folder for it', () => {
    expect(InputMemory.open(join(folder, 'none'))).toBeNull();
  });

  test('does not give what was never put', () => {
    expect(() => new InputReader(memory.file).read({ offset: 0, bytes: 64 * KIB })).toThrow(
      /not there/,
    );
  });
});
