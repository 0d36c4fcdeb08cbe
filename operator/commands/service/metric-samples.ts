/** One series of a page of Prometheus. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Name, labels in braces, value; after it may stand a time, or the exemplar of a bucket. */
const LINE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };

/**
 * The series of a page in the text format of Prometheus, in its order. What is no sample, or no finite number, is left out:
 * a pod of another version shows as much as is understood.
 */
export function parseMetricSamples(page: string): readonly MetricSample[] {
  return page.split('\n').flatMap((line) => {
    const [, name, labels = '', text] = LINE.exec(line) ?? [];
    const value = Number(text);
    return name === undefined || !Number.isFinite(value)
      ? []
      : [{ name, labels: parseLabels(labels), value }];
  });
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [
      name,
      value.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter),
    ]),
  );
}
