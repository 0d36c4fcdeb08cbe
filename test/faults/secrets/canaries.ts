import { randomBytes } from 'node:crypto';

/** A secret that nothing else in the world looks like, and every way in which a careless program would write it down. */
export interface Canary {
  readonly name: string;
  readonly value: string;
  readonly shapes: readonly string[];
}

/** Enough that no other text has it, and few enough that a cut message still shows it. */
const LEAST_LENGTH = 12;

export function aCanary(name: string): Canary {
  return canaryOf(name, `cnry${randomBytes(12).toString('hex')}`);
}

/** One for a secret that somebody else made: text as it is, in base64 at each of three offsets, in hex and in a URL. */
export function canaryOf(name: string, value: string | Uint8Array): Canary {
  const bytes = Buffer.from(value);
  const shapes = [
    bytes.toString('latin1'),
    bytes.toString('hex'),
    encodeURIComponent(bytes.toString('latin1')),
    ...[0, 1, 2].flatMap((offset) => base64Inside(bytes, offset)),
  ];
  return {
    name,
    value: bytes.toString('latin1'),
    shapes: [...new Set(shapes)].filter((shape) => shape.length >= LEAST_LENGTH),
  };
}

/** What base64 of a text is wherever the text stands in it: without the digits that neighbours share, in both alphabets. */
function base64Inside(bytes: Buffer, offset: number): string[] {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  const whole = padded.toString('base64').replace(/=+$/, '');
  const start = Math.ceil((offset * 8) / 6);
  const end = Math.floor((padded.length * 8) / 6);
  const inside = whole.slice(start, end);
  return [inside, inside.replaceAll('+', '-').replaceAll('/', '_')];
}

/** `name in place, after "..."`, for every canary that an output shows. */
export function findCanaries(
  canaries: readonly Canary[],
  outputs: Readonly<Record<string, string>>,
): string[] {
  return Object.entries(outputs).flatMap(([place, text]) =>
    canaries.flatMap(({ name, shapes }) => {
      const at = Math.max(...shapes.map((shape) => text.indexOf(shape)));
      return at === -1
        ? []
        : [`${name} in ${place}, after "${text.slice(Math.max(0, at - 80), at)}"`];
    }),
  );
}
