import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorText, fileProblem } from '../../../../server/core/system-error.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-words-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

function failureOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

/** Root may read everything: for this while the process is somebody else. */
function asNobody<T>(work: () => T): T {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

function systemError(code: string, syscall: string, path?: string): Error {
  const text = `${code}: permission denied, ${syscall} '${path ?? ''}'`;
  return Object.assign(new Error(text), { code, syscall, ...(path === undefined ? {} : { path }) });
}

describe('what the system itself says, in words', () => {
  test('of a file that is not there', () => {
    const path = join(dir, 'nowhere');
    const error = failureOf(() => readFileSync(path));
    expect(fileProblem(error)).toBe('does not exist');
    expect(errorText(error)).toBe(`${path} does not exist`);
  });

  test('of a folder where a file should be, which Node says without its name', () => {
    expect(errorText(failureOf(() => readFileSync(dir)))).toBe('it is a folder');
  });

  test('of a path through a file', () => {
    writeFileSync(join(dir, 'file'), '');
    const path = join(dir, 'file', 'below');
    expect(errorText(failureOf(() => readFileSync(path)))).toBe(
      `${path} is below something that is no folder`,
    );
  });

  test('of a file that others may read', () => {
    const path = join(dir, 'closed');
    writeFileSync(path, '');
    chmodSync(path, 0);
    chmodSync(dir, 0o755);
    const error = asNobody(() => failureOf(() => readFileSync(path)));
    expect(errorText(error)).toBe(`${path} is not readable by this user`);
  });

  test('of a folder that is there already', () => {
    mkdirSync(join(dir, 'twice'));
    const again = (): void => {
      mkdirSync(join(dir, 'twice'));
    };
    expect(fileProblem(failureOf(again))).toBe('exists already');
  });
});

test.each([
  ['open', 'read', 'is not readable by this user'],
  ['open', 'write', 'is not writable by this user'],
  ['mkdir', 'read', 'is not writable by this user'],
] as const)('a missing right is said for what was to be done: %s to %s', (syscall, use, words) => {
  expect(fileProblem(systemError('EACCES', syscall, '/x'), use)).toBe(words);
  expect(errorText(systemError('EPERM', syscall, '/x'), use)).toBe(`/x ${words}`);
});

test('a connection is no file, and what the system has no words for keeps its own', async () => {
  const first = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => first.once('listening', resolve));
  const { port } = first.address() as { readonly port: number };
  const error = await new Promise((resolve) => {
    createServer().once('error', resolve).listen(port, '127.0.0.1');
  });
  first.close();
  expect(fileProblem(error)).toBeNull();
  expect(errorText(error)).toBe(`another process listens on 127.0.0.1:${port}`);
  const ofPort = { address: '127.0.0.1', port: 80 };
  const refused = Object.assign(systemError('EACCES', 'listen'), ofPort);
  expect(errorText(refused)).toBe('this user may not open 127.0.0.1:80');
  expect(errorText(systemError('EINVAL', 'listen'))).toContain('EINVAL');
  expect(errorText(systemError('ECONNREFUSED', 'connect'))).toContain('ECONNREFUSED');
  expect(fileProblem(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBeNull();
  expect(fileProblem(Object.assign(new Error('x'), { syscall: 'open' }))).toBeNull();
  expect(errorText(systemError('EXDEV', 'rename', '/x'))).toContain('EXDEV');
  expect(errorText(new Error('plain'))).toBe('plain');
  expect(errorText('text')).toBe('text');
});
