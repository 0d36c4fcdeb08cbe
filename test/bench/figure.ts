/** One line of the benchmark's verdict. `holds` is null for a figure without a promise. */
export interface Figure {
  readonly section: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly promise: string;
  readonly holds: boolean | null;
}

/** Where a figure stands and in what unit it is. */
interface Place {
  readonly section: string;
  readonly name: string;
  /** @defaultValue '' */
  readonly unit?: string;
}

export function atLeast(place: Place, value: number, bound: number): Figure {
  return { unit: '', ...place, value, promise: `>= ${bound}`, holds: value >= bound };
}

export function atMost(place: Place, value: number, bound: number): Figure {
  return { unit: '', ...place, value, promise: `<= ${bound}`, holds: value <= bound };
}

export function seen(place: Place, value: number): Figure {
  return { unit: '', ...place, value, promise: '', holds: null };
}

export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.section,
    figure.name,
    `${format(figure.value)}${figure.unit === '' ? '' : ` ${figure.unit}`}`,
    figure.promise,
    figure.holds === null ? '' : figure.holds ? 'holds' : 'BROKEN',
  ]);
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function format(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
