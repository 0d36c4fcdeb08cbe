import { request } from 'node:http';
import type { Tier } from './availability.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the socket on which this run's broker answers; absent without the global set-up. */
    clusterBroker?: string;
  }
}

/** What a tier's first caller makes happen and every caller gets. */
export type Shared<Facts> =
  { readonly unavailable: string } | { readonly unavailable: null; readonly facts: Facts };

/** Asks the broker of this run for a tier; its first start takes seconds, a build before it minutes. */
export function askBroker<Facts>(socket: string, tier: Tier | 'images'): Promise<Shared<Facts>> {
  return new Promise((resolve, reject) => {
    request({ socketPath: socket, path: `/${tier}` }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (answer.statusCode === 200) resolve(JSON.parse(text) as Shared<Facts>);
        else reject(new Error(text));
      });
    })
      .once('error', reject)
      .end();
  });
}
