import { CliError } from '../../errors.ts';
import { nearestNames } from '../../../crds/schema/edit-distance.ts';
import { openFashionMnist } from './fashion-mnist.ts';
import { openIdx } from './idx.ts';
import { openNpy } from './npy.ts';
import type { TrafficSource } from './source.ts';

const EXAMPLES: Readonly<Record<string, (name: string) => Promise<TrafficSource>>> = {
  'fashion-mnist': openFashionMnist,
};

/** Opens `npy:FILE`, `idx:FILE[.gz]` or `example:NAME`; pictures and requests of the user are opened elsewhere. `flag` is named in errors. */
export async function openTraffic(source: string, flag: string): Promise<TrafficSource> {
  const colon = source.indexOf(':');
  const kind = source.slice(0, colon);
  const rest = source.slice(colon + 1);
  const name = `${flag} ${source}`;
  if (colon > 0 && rest !== '') {
    if (kind === 'npy') return openNpy(rest, name);
    if (kind === 'idx') return openIdx(rest, name);
    if (kind === 'example') return await openExample(rest, name);
  }
  throw new CliError('TrafficUnreadable', {
    where: name,
    why: 'it names no kind of source.',
    nextStep: 'Write npy:FILE, idx:FILE[.gz], images:DIR, example:fashion-mnist or http.',
  });
}

function openExample(example: string, name: string): Promise<TrafficSource> {
  const open = EXAMPLES[example];
  if (open !== undefined) return open(name);
  const near = nearestNames(example, Object.keys(EXAMPLES));
  throw new CliError('TrafficUnreadable', {
    where: name,
    why: `there is no example ${example}.`,
    nextStep: `Use one of: ${(near.length > 0 ? near : Object.keys(EXAMPLES)).join(', ')}.`,
  });
}
