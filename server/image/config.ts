// Environment of the process that decodes pictures, complete before it starts: native libraries read it while they load.

export function decoderEnvironment(): Readonly<Record<string, string | undefined>> {
  return {
    ...process.env,
    // Fewer arenas: what one picture took is given back before the next.
    MALLOC_ARENA_MAX: '2',
    // Its complaints about a broken picture are in the answer already.
    VIPS_WARNING: '0',
  };
}
