import { renderColumns } from '../output/render-columns.ts';
import { countText } from '../output/words.ts';

/** A check of a rollout, as the status has it or as an explanation does. */
interface ShownCheck {
  readonly type: string;
  readonly verdict?: string | undefined;
  readonly samples?: number | null | undefined;
  readonly value?: string | null | undefined;
  readonly limit?: string | null | undefined;
}

/** The checks of a rollout, one a line. */
export function renderChecks(checks: readonly ShownCheck[]): string[] {
  return renderColumns(
    ['CHECK', 'VERDICT', 'SAMPLES', 'VALUE', 'LIMIT'],
    checks.map(({ type, verdict, samples, value, limit }) => [
      type,
      verdict,
      samples === null || samples === undefined ? undefined : countText(samples),
      value ?? undefined,
      limit ?? undefined,
    ]),
    ['SAMPLES', 'VALUE', 'LIMIT'],
  );
}
