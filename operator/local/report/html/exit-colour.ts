import type { Report } from '../report-schema.ts';
import { markup, type Markup } from './markup.ts';

/** Class of the style sheet of an exit, the same in every plot. */
export function exitColour(exit: string, exits: Report['exits']): string {
  const index = exits.findIndex(({ name }) => name === exit);
  return index < 0 ? 'backbone' : `e${(index % 8) + 1}`;
}

/** Entry of a legend: colour and name. */
export function exitKey(exit: string, exits: Report['exits']): Markup {
  return markup`<li>${exitSwatch(exit, exits)}${exit}</li>`;
}

export function exitSwatch(exit: string, exits: Report['exits']): Markup {
  return markup`<svg viewBox="0 0 10 10" aria-hidden="true"><rect class="${exitColour(exit, exits)}" width="10" height="10" rx="3"/></svg>`;
}
