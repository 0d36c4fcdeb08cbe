/** Of what a runtime threw: a sentence names it, and runtimes add a stack or the whole graph below. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
