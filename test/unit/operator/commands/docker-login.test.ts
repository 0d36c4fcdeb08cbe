import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dockerLogin } from '../../../../operator/commands/heads/stores/docker-login.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-login-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function write(path: string, content: unknown): string {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** A credential helper that answers for one registry, as those of Docker do. */
function helper(name: string, answer: string): void {
  const path = write(
    `docker-credential-${name}`,
    `#!/bin/sh\nread registry\n[ "$1 $registry" = "get r.test" ] && echo '${answer}' && exit 0\necho unknown; exit 1\n`,
  );
  chmodSync(path, 0o755);
}

function asked(registry = 'r.test'): ReturnType<typeof dockerLogin> {
  const path = `${dir}${delimiter}${process.env.PATH ?? ''}`;
  return dockerLogin(registry, { HOME: dir, PATH: path });
}

describe('the file with logins', () => {
  test('is the first of those that docker, podman and oras look for', async () => {
    const environment: Record<string, string> = { HOME: dir };
    expect(await dockerLogin('r.test', environment)).toEqual({
      path: join(dir, '.docker/config.json'),
      secret: new Map(),
    });
    const logins = { auths: { 'r.test': { auth: 'eDp5' } } };
    for (const [variable, value, file] of [
      ['HOME', dir, '.docker/config.json'],
      ['XDG_RUNTIME_DIR', join(dir, 'run'), 'run/containers/auth.json'],
      ['DOCKER_CONFIG', join(dir, 'docker'), 'docker/config.json'],
      ['REGISTRY_AUTH_FILE', join(dir, 'auth.json'), 'auth.json'],
    ] as const) {
      environment[variable] = value;
      const path = write(file, logins);
      expect(await dockerLogin('r.test', environment)).toEqual({
        path,
        secret: new Map([['.dockerconfigjson', JSON.stringify(logins)]]),
      });
    }
  });

  test('that names no logins names nobody, and one that is none is told', async () => {
    write('.docker/config.json', { currentContext: 'x' });
    expect((await asked()).secret.size).toBe(0);
    for (const content of ['{', '{"auths": []}']) {
      write('.docker/config.json', content);
      await expect(asked()).rejects.toThrow(
        /config\.json\): .*docker login REGISTRY.*\[StoreFailed\]/,
      );
    }
  });
});

describe('a credential helper', () => {
  test.each([{ credsStore: 'desk' }, { credHelpers: { 'r.test': 'desk' }, credsStore: 'none' }])(
    'is asked where %j names it',
    async (config) => {
      helper('desk', '{"ServerURL":"r.test","Username":"me","Secret":"pw"}');
      write('.docker/config.json', config);
      const { secret } = await asked();
      expect(Object.fromEntries(secret)).toEqual({ username: 'me', password: 'pw' });
    },
  );

  test('that knows nobody names nobody', async () => {
    helper('desk', '{}');
    write('.docker/config.json', { credsStore: 'desk' });
    expect((await asked('other.test')).secret.size).toBe(0);
  });

  test('that is not there, or prints no login, is told by its name', async () => {
    write('.docker/config.json', { credsStore: 'desk' });
    await expect(asked()).rejects.toThrow(/docker-credential-desk\): .*not on the path/);
    for (const output of ['hello', 'null']) {
      helper('desk', output);
      await expect(asked()).rejects.toThrow(/docker-credential-desk\): what it prints is no login/);
    }
  });
});
