/** One line of the doctor. `Finding`: something is wrong; `Unknown`: this user cannot see it; the rest is well. */
export interface Finding {
  readonly area:
    'API server' | 'Definitions' | 'Rights' | 'Operator' | 'Clocks' | 'Monitoring' | 'Service';
  readonly state: 'Ok' | 'Finding' | 'Unknown';
  readonly text: string;
  readonly nextStep: string | null;
}

export function ok(area: Finding['area'], text: string): Finding {
  return { area, state: 'Ok', text, nextStep: null };
}

export function finding(area: Finding['area'], text: string, nextStep: string): Finding {
  return { area, state: 'Finding', text, nextStep };
}

export function unknown(
  area: Finding['area'],
  text: string,
  nextStep: string | null = null,
): Finding {
  return { area, state: 'Unknown', text, nextStep };
}
