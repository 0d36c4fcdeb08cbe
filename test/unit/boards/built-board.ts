import { readFileSync } from 'node:fs';
import type { Board } from '../../../charts/generate/dashboards/panel.ts';

// A board as it lies in the chart, as far as tests read it.

export const BOARD_FOLDER = 'charts/layercache/files/dashboards';

export interface Built {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly editable: boolean;
  readonly refresh: string;
  readonly time: { readonly from: string };
  readonly templating: { readonly list: readonly BuiltVariable[] };
  readonly panels: readonly BuiltPanel[];
}

export interface BuiltVariable {
  readonly name: string;
  readonly label?: string;
  readonly type: string;
  readonly query?: string | { readonly query: string };
  readonly refresh?: number;
  readonly multi?: boolean;
  readonly includeAll?: boolean;
  readonly allValue?: string;
  readonly datasource?: { readonly uid: string };
}

interface BuiltPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly collapsed?: boolean;
  readonly panels?: readonly BuiltPanel[];
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

export function readBoard({ uid }: Pick<Board, 'uid'>): Built {
  return JSON.parse(readFileSync(`${BOARD_FOLDER}/${uid}.json`, 'utf8')) as Built;
}

/** Those of folded rows too, without the rows. */
export function panelsOf({ panels }: Built): BuiltPanel[] {
  return panels
    .flatMap((panel) => [panel, ...(panel.panels ?? [])])
    .filter(({ type }) => type !== 'row');
}
