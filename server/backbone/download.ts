import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { shownUrl } from '../net/fetch-problem.ts';
import { openUrl, type FetchRules } from '../net/open-url.ts';
import { fetchFailed, toLoadError } from './fetch-problem.ts';

export interface DownloadLimits {
  readonly maxBytes: number;
  /** Of the whole attempt, so that a server which trickles cannot hold it. */
  readonly totalMs: number;
  /** Told as bytes arrive. */
  readonly onBytes?: (bytes: number) => void;
}

/** Streams a URL into a new file and says what arrived. Throws LoadError; the caller removes the file. */
export async function download(
  url: URL,
  path: string,
  { limits, ...rules }: FetchRules & { readonly limits: DownloadLimits },
): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
  const deadline = AbortSignal.timeout(limits.totalMs);
  const signal = AbortSignal.any([rules.signal, deadline]);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    const response = await openUrl(url, { ...rules, signal });
    const { 'content-encoding': encoding, 'content-length': length } = response.headers;
    if (encoding !== undefined && encoding !== 'identity') {
      response.destroy();
      throw fetchFailed(`${shownUrl(url)} is sent as ${encoding}; store the file uncompressed.`);
    }
    if (Number(length ?? 0) > limits.maxBytes) {
      response.destroy();
      throw tooLarge(url, limits.maxBytes);
    }
    const meter = new Transform({
      transform: (chunk: Buffer, _, done) => {
        sizeBytes += chunk.length;
        limits.onBytes?.(chunk.length);
        hash.update(chunk);
        if (sizeBytes > limits.maxBytes) done(tooLarge(url, limits.maxBytes));
        else done(null, chunk);
      },
    });
    await pipeline(response, meter, createWriteStream(path, { flags: 'wx', mode: 0o600 }), {
      signal,
    });
  } catch (error) {
    if (deadline.aborted) {
      const seconds = limits.totalMs / 1000;
      throw fetchFailed(
        `${shownUrl(url)} did not arrive within ${seconds} s; look at that server.`,
      );
    }
    throw toLoadError(url, error, rules.fields);
  }
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes };
}

function tooLarge(url: URL, maxBytes: number): Error {
  return fetchFailed(`${shownUrl(url)} is larger than ${maxBytes} bytes; use a smaller model.`);
}
