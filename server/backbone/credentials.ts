import type { PlaceFields } from '../net/fetch-problem.ts';
import { fetchFailed } from './fetch-problem.ts';
import { readMountedFiles } from '../net/mounted-files.ts';

/** `Authorization` from a mounted Secret with `token`, or `username` and `password`; null when none is mounted. */
export async function readAuthorization(
  dir: string | null,
  { credentials }: Pick<PlaceFields, 'credentials'>,
): Promise<string | null> {
  const files = await readMountedFiles(dir);
  if (files === null) return null;
  const valueOf = (key: string): string => (files.get(key) ?? '').trim();
  const token = valueOf('token');
  if (token !== '') return bearer(token, credentials);
  const [username, password] = [valueOf('username'), valueOf('password')];
  if (username === '' && password === '') {
    throw fetchFailed(
      `The Secret of ${credentials} does not exist, or has neither token nor username and password; create it with one of them.`,
    );
  }
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** A header of other characters would make Node throw with the value in its message. */
function bearer(token: string, credentials: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`;
  throw fetchFailed(
    `The key token in the Secret of ${credentials} holds characters that no header may have; store the token alone.`,
  );
}
