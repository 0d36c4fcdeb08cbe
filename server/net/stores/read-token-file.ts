import { readFile } from 'node:fs/promises';
import { fetchFailed } from '../fetch-problem.ts';

/** One word in a file that somebody else renews; `variable` names it. Its text is part of no message. */
export async function readTokenFile(path: string, variable: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) {
    throw fetchFailed(`The file of ${variable}, ${path}, cannot be read; mount it.`);
  }
  const token = text.trim();
  if (/^[\x21-\x7e]{1,20000}$/.test(token)) return token;
  throw fetchFailed(`The file of ${variable}, ${path}, holds no token; look at what writes it.`);
}
