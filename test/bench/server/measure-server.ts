import { availableParallelism } from 'node:os';
import type { Figure } from '../figure.ts';
import { measureEngine } from './measure-engine.ts';
import { measureOpenLoop } from './measure-open-loop.ts';
import { measurePeers, type PeerOptions } from '../peers/measure-peers.ts';
import { measureScrape } from './measure-scrape.ts';
import { measureSmall } from './measure-small.ts';

type Section = () => Promise<Figure[]>;

interface ServerOptions extends PeerOptions {
  /** Of the section engine; null: all cores, as servers take unless told. */
  readonly engineThreads: number | null;
}

/** The parts of `npm run bench server`; each can be asked for alone. @param program what the raw engine's workers run */
export function serverSections(
  program: URL,
  { engineThreads, ...peers }: ServerOptions,
): Readonly<Record<string, Section>> {
  return {
    engine: () => measureEngine(program, engineThreads ?? availableParallelism()),
    small: measureSmall,
    scrape: measureScrape,
    'open-loop': measureOpenLoop,
    peers: () => measurePeers(peers),
  };
}
