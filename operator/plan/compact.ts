/** The object without its undefined fields: an optional field of a Kubernetes object is absent, never undefined. */
export function compact<T extends object>(fields: {
  readonly [K in keyof T]: T[K] | undefined;
}): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
