/** A page in the text format of Prometheus, strictly read. */
export interface MetricPage {
  /** Name -> type. */
  readonly types: ReadonlyMap<string, string>;
  /** `name{labels}` as written -> value. */
  readonly series: ReadonlyMap<string, number>;
  /** Series of a family, or of its buckets, sum and count. */
  readonly of: (name: string) => readonly string[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})((?:\\{${LABEL}(?:,${LABEL})*\\})?) (\\S+)$`);
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`);
const NUMBER = /^([+-]?\d+(\.\d+)?([eE][+-]?\d+)?|[+-]Inf|NaN|Nan)$/;

/** Throws on a line that is neither, a number that is none, a series without a type, or one that stands twice. */
export function parseMetricPage(text: string): MetricPage {
  const types = new Map<string, string>();
  const series = new Map<string, number>();
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const comment = COMMENT.exec(line);
    if (comment?.[1] === 'TYPE') types.set(String(comment[2]), String(comment[3]));
    if (comment !== null) continue;
    const { key, name, value } = parseSample(line);
    if (series.has(key)) throw new Error(`stands twice: ${line}`);
    if (typeOf(types, name) === undefined) throw new Error(`has no type: ${line}`);
    series.set(key, value);
  }
  return {
    types,
    series,
    of: (name) => [...series.keys()].filter((key) => key.startsWith(name)),
  };
}

function parseSample(line: string): { key: string; name: string; value: number } {
  const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
  if (!NUMBER.test(value)) throw new Error(`not a line of metrics: ${line}`);
  return { key: name + labels, name, value: Number(value.replace('Inf', 'Infinity')) };
}

function typeOf(types: ReadonlyMap<string, string>, name: string): string | undefined {
  return types.get(name) ?? types.get(name.replace(/_(bucket|sum|count)$/, ''));
}
