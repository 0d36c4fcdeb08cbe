/** Series of one service, one pod, as servers and operator write them; values in promtool's notation, one a minute. */
export interface AlertCase {
  /** Without the prefix `Layercache`. */
  readonly alert: string;
  /** Thin: too little is known to say anything. */
  readonly kind: 'firing' | 'quiet' | 'thin';
  /** What is going on, for the report of a failure. */
  readonly scene: string;
  readonly series: Readonly<Record<string, string>>;
  readonly atMinutes: number;
  /** Labels of the alert beside its severity. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Labels of a model server's series. */
export const SERVER = 'namespace="shop",model="vision",pod="vision-0",job="models"';
export const OTHER_SERVER = 'namespace="shop",model="vision",pod="vision-1",job="models"';
/** Labels of an operator's series about itself. */
export const OPERATOR = 'namespace="layercache-system",pod="operator-0",job="operator"';
/** And about a service. */
export const OBJECT = `${OPERATOR},model_namespace="shop",model="vision"`;

export const OF_SERVICE = { namespace: 'shop', model: 'vision' };
export const OF_POD = { ...OF_SERVICE, pod: 'vision-0' };
export const OF_OBJECT = { model_namespace: 'shop', model: 'vision' };

/** `name{labels}`. */
export function series(name: string, labels: string, more = ''): string {
  return `${name}{${labels}${more === '' ? '' : `,${more}`}}`;
}

/** A counter that grows by so much a minute. */
export function grows(perMinute: number, minutes: number): string {
  return `0+${perMinute}x${minutes}`;
}

/** A value that stays. */
export function stays(value: number, minutes: number): string {
  return `${value}x${minutes}`;
}

/** A value until a minute, and another from then on. */
export function steps(
  first: number,
  until: number,
  { then, minutes }: { readonly then: number; readonly minutes: number },
): string {
  return `${first}x${until - 1} ${then}x${minutes - until}`;
}

/** Audited answers of an exit. */
export function audits(result: 'agree' | 'disagree', of = SERVER): string {
  return series('layercache_audits_total', of, `exit="early",track="stable",result="${result}"`);
}

/** What audited answers of an exit lose, in rows; servers of before the series do not tell it. */
export const LOSS = series(
  'layercache_audit_loss_rows_total',
  SERVER,
  'exit="early",track="stable"',
);

/** Traffic of a service with a budget of 1 %: rows, rows of exits, audited answers of exits and wrong ones, all a minute. */
export function traffic(
  { rows = 600, exited = 360, agreeing = 12, wrong = 0 },
  minutes: number,
): Record<string, string> {
  const rowsOf = (exit: string): string =>
    series('layercache_rows_total', SERVER, `exit="${exit}",track="stable"`);
  return {
    [rowsOf('early')]: grows(exited, minutes),
    [rowsOf('backbone')]: grows(rows - exited, minutes),
    [audits('agree')]: grows(agreeing, minutes),
    [audits('disagree')]: grows(wrong, minutes),
    [series('layercache_budget_ratio', SERVER)]: stays(0.01, minutes),
  };
}

/** The same with a few audits at the start only. */
export function fewAudits(
  agreeing: number,
  wrong: number,
  minutes: number,
): Record<string, string> {
  return {
    ...traffic({}, minutes),
    [audits('agree')]: steps(0, 3, { then: agreeing, minutes }),
    [audits('disagree')]: steps(0, 3, { then: wrong, minutes }),
  };
}
