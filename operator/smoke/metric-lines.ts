const SAMPLE =
  /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? ([+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|Inf)|NaN|Nan)$/;
const ANSWERED = /^layercache_requests_total\{[^}]*code="ok"[^}]*\} (\S+)$/;

/** Requests that a page counts as answered. Every line must be a comment or a sample: else throws with the first that is not. */
export function answeredOn(page: string): number {
  const samples = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const odd = samples.find((line) => !SAMPLE.test(line));
  if (odd !== undefined) {
    throw new Error(`/metrics has a line that is no metric: ${odd.slice(0, 200)}`);
  }
  return samples.reduce((sum, line) => sum + Number(ANSWERED.exec(line)?.[1] ?? 0), 0);
}
