// How a native TensorFlow lies on disk: written by `layercache engines install`, read by servers.
export const ENGINE_ADDON = 'tfjs_binding.node';
/** Written last: a folder without it is no engine. */
export const ENGINE_MARK = 'engine.json';

export interface EngineMark {
  /** Versions of the libraries and of the addon. */
  readonly tensorflow: string;
  readonly 'tfjs-node': string;
  /** Digest of what it was made from. */
  readonly recipe: string;
}

/** @param environment variables of the process. @param home of its user. */
export function enginesFolder(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  const { LAYERCACHE_ENGINES_DIR: named = '', XDG_CACHE_HOME: cache = '' } = environment;
  if (named !== '') return named;
  return `${cache === '' ? `${home}/.cache` : cache}/layercache/engines`;
}

/** Below the folder of all engines. @param platform such as 'linux'. @param processor such as 'x64'. */
export function engineFolder(engines: string, platform: string, processor: string): string {
  return `${engines}/tfjs-node-${platform}-${processor}`;
}

/** Null: the text is no mark. */
export function parseEngineMark(text: string): EngineMark | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { tensorflow, 'tfjs-node': addon, recipe } = { ...value } as Record<string, unknown>;
  const isMark = [tensorflow, addon, recipe].every((member) => typeof member === 'string');
  return isMark
    ? { tensorflow: String(tensorflow), 'tfjs-node': String(addon), recipe: String(recipe) }
    : null;
}
