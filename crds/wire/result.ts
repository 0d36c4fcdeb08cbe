/** A value, or an expected failure: a stable code and one sentence that names field, value and next step. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly message: string };
