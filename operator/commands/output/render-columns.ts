import { renderTable } from '../../local/view/table.ts';

/** A table as kubectl prints it: upper case titles, `<none>` is never needed since an unknown cell is `-`. */
export function renderColumns(
  titles: readonly string[],
  rows: readonly (readonly (string | undefined)[])[],
  right: readonly string[] = [],
): string[] {
  const columns = titles.map((title) => ({
    title,
    align: right.includes(title) ? ('right' as const) : ('left' as const),
  }));
  const cells = rows.map((row) =>
    row.map((cell) => (cell === undefined || cell === '' ? '-' : cell)),
  );
  return renderTable(columns, cells);
}

/** Lines of `label   text`, texts under each other, broken at words. */
export function renderFields(
  fields: readonly (readonly [label: string, text: string])[],
  width = 140,
): string[] {
  const indent = Math.max(...fields.map(([label]) => label.length)) + 2;
  return fields.flatMap(([label, text]) =>
    wrap(text, width - indent).map(
      (line, index) => `${(index === 0 ? label : '').padEnd(indent)}${line}`,
    ),
  );
}

/** Breaks at spaces; a word longer than a line stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
