import type { Sample } from '../prometheus.ts';

/** A named line of a chart. */
export interface Line {
  readonly name: string;
  readonly color: string;
  readonly isLimit: boolean;
  readonly isRight: boolean;
  readonly points: readonly (readonly [number, number])[];
}

/** Red is for limits. */
const [FIRST_HUE, LAST_HUE] = [30, 330];
const HUES = 23;
const SHADES = [46, 60, 74];

/** The same name, the same colour: exits keep theirs over all panels. */
export function colorOf(name: string): string {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + character.charCodeAt(0)) % 2_147_483_647;
  const hue = FIRST_HUE + ((hash % HUES) * (LAST_HUE - FIRST_HUE)) / HUES;
  const shade = SHADES[Math.floor(hash / HUES) % SHADES.length]!;
  return `hsl(${Math.round(hue)} 65% ${shade}%)`;
}

/** `{{exit}} p99` -> `early p99`. */
export function legendText(legend: string, { metric }: Sample): string {
  return legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '');
}

/** Lines on top of each other. Each time of any line has a value on all. */
export function stack(lines: readonly Line[]): readonly Line[] {
  const sums = new Map<number, number>();
  return lines.map((line) => ({
    ...line,
    points: line.points.map(([at, value]) => {
      const sum = (sums.get(at) ?? 0) + (Number.isNaN(value) ? 0 : value);
      sums.set(at, sum);
      return [at, sum] as const;
    }),
  }));
}
