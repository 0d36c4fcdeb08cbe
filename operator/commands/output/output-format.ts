export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;

export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** A result in every form that it can be printed in. */
export interface Rendered {
  /** For programs; `schemaVersion` is added, and grows only when a field changes its meaning. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly table: (wide: boolean) => readonly string[];
  /** `kind.group/name`, as kubectl has them. */
  readonly names: readonly string[];
}

/** The text of a result; ends with a line break. */
export async function renderOutput(format: OutputFormat, rendered: Rendered): Promise<string> {
  const document = { schemaVersion: 1, ...rendered.document };
  switch (format) {
    case 'json':
      return `${JSON.stringify(document, null, 2)}\n`;
    case 'yaml': {
      const { stringify } = await import('yaml');
      return stringify(document, { lineWidth: 0 });
    }
    case 'name':
      return rendered.names.map((name) => `${name}\n`).join('');
    case 'table':
    case 'wide':
      return `${rendered.table(format === 'wide').join('\n')}\n`;
  }
}
