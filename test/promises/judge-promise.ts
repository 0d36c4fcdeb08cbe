/** What a figure has to be. */
interface Bound {
  readonly min?: number;
  readonly max?: number;
}

export interface Promised {
  readonly promise: string;
  /** Bounds of figures by record. */
  readonly records?: Readonly<Record<string, Readonly<Record<string, Bound>>>>;
  /** Targets of mutation testing. */
  readonly mutation?: readonly string[];
  /** Its tests belong to the long run: the last figures are committed. */
  readonly long?: boolean;
  /** What measures it, where that is no test. */
  readonly command?: string;
}

export interface PromiseRecord {
  readonly figures: Readonly<Record<string, number>>;
  /** When they were measured, in words. */
  readonly when: string;
}

export interface MutationResult {
  readonly date: string;
  readonly mutants: number;
  readonly killed: number;
  readonly isEnough: boolean;
}

export interface Measured {
  readonly record: (name: string) => PromiseRecord | null;
  readonly mutation: (target: string) => MutationResult | null;
}

/** `NO RECORD`: something of it was not measured, so nobody knows. */
export type PromiseVerdict = 'kept' | 'BROKEN' | 'NO RECORD';

export interface JudgedPromise {
  readonly promise: string;
  readonly verdict: PromiseVerdict;
  readonly said: readonly string[];
}

type Judged = readonly [PromiseVerdict, string];

/** A promise is kept when all that was measured for it lies within its bounds. */
export function judgePromise(promised: Promised, measured: Measured): JudgedPromise {
  const { promise, records = {}, mutation = [] } = promised;
  const judged = [
    ...Object.entries(records).map(([name, bounds]) =>
      judgeRecord(name, bounds, { record: measured.record(name), run: howToRun(promised) }),
    ),
    ...mutation.map((target) => judgeMutation(target, measured.mutation(target))),
  ];
  const verdicts = judged.map(([verdict]) => verdict);
  const worst = (['BROKEN', 'NO RECORD'] as const).find((one) => verdicts.includes(one));
  return { promise, verdict: worst ?? 'kept', said: judged.map(([, said]) => said) };
}

function judgeRecord(
  name: string,
  bounds: Readonly<Record<string, Bound>>,
  { record, run }: { readonly record: PromiseRecord | null; readonly run: string },
): Judged {
  if (record === null) {
    return ['NO RECORD', `${name}: nothing was measured; run ${run}`];
  }
  const parts = Object.entries(bounds).map(([figure, bound]) =>
    judgeFigure(figure, record.figures[figure] ?? NaN, bound),
  );
  return [
    parts.every(({ isKept }) => isKept) ? 'kept' : 'BROKEN',
    `${name}: ${parts.map(({ said }) => said).join(', ')} (${record.when})`,
  ];
}

function howToRun({ long = false, command = 'npm run test:long' }: Promised): string {
  return long ? `${command}, then npm run promises -- --keep` : 'npm test';
}

/** What is missing, or no number, keeps nothing. */
function judgeFigure(
  figure: string,
  value: number,
  { min = -Infinity, max = Infinity }: Bound,
): { readonly isKept: boolean; readonly said: string } {
  const wanted = [
    ...(min > -Infinity ? [`at least ${min}`] : []),
    ...(max < Infinity ? [`at most ${max}`] : []),
  ];
  const isKept = value >= min && value <= max;
  return { isKept, said: `${figure} ${value}, ${wanted.join(' and ')}` };
}

function judgeMutation(target: string, result: MutationResult | null): Judged {
  if (result === null)
    return ['NO RECORD', `${target}: not mutated yet; run npm run mutation -- "${target}"`];
  const { isEnough, killed, mutants, date } = result;
  return [isEnough ? 'kept' : 'BROKEN', `${target}: ${killed} of ${mutants} killed (${date})`];
}
