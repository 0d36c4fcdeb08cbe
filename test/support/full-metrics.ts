import { SERVER_METRICS, type MetricFamily } from '../../crds/metrics/catalogue.ts';
import { closedSeries } from '../../crds/metrics/label-types.ts';
import { WIRE_LIMITS } from '../../crds/wire/limits.ts';
import { ERRORS } from '../../server/errors.ts';
import type { MetricRegistry } from '../../server/metrics.ts';

/** Every series that a legal configuration can bring about: all exits on both tracks, all codes. */
export function fillToTheBrim(registry: MetricRegistry): void {
  fillWithExits(
    registry,
    Array.from({ length: WIRE_LIMITS.exits }, (_, i) => `exit-${i}-${'x'.repeat(50)}`),
  );
}

/** Every series that there can be with these exits. */
export function fillWithExits({ metrics }: MetricRegistry, exits: readonly string[]): void {
  const values: Readonly<Record<string, readonly string[]>> = {
    exit: [...exits, 'backbone'],
    segment: [...exits, 'backbone', 'whole'],
    source: ['http', 's3', 'oci'],
    code: ['ok', ...Object.keys(ERRORS)],
    head_revision: [`sha256:${'a'.repeat(64)}`],
    text: ['x'],
  };
  const handles = metrics as unknown as Record<
    string,
    {
      inc?: (labels: object) => void;
      set?: (labels: object, value: number) => void;
      observe?: (labels: object, value: number) => void;
    }
  >;
  for (const [key, family] of Object.entries<MetricFamily>(SERVER_METRICS)) {
    const labels = Object.fromEntries(
      Object.entries(family.labels).map(([label, known]) => [
        label,
        typeof known === 'string' ? (values[label] ?? values[known] ?? ['x']) : known,
      ]),
    );
    for (const series of closedSeries(labels)) {
      handles[key]?.inc?.(series);
      handles[key]?.set?.(series, 1);
      handles[key]?.observe?.(series, 0.01);
    }
  }
}
