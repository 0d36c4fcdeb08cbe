import { ServingError } from '../errors.ts';

/** Bytes that requests hold together, from the first of their body to their answer. */
export interface BodyBudget {
  open(): BodyHold;
}

export interface BodyHold {
  /** Says how many bytes the request holds now. Throws `too_many_bytes` when more than it held do not fit. */
  resize(bytes: number): void;
  release(): void;
}

/** One request alone may hold more than the limit, or no large one would ever be answered. */
export function createBodyBudget(maxBytes: () => number): BodyBudget {
  let heldByAll = 0;

  return {
    open: () => {
      let held = 0;
      return {
        resize: (bytes) => {
          const others = heldByAll - held;
          const limit = maxBytes();
          if (bytes > held && others > 0 && others + bytes > limit) {
            throw new ServingError('too_many_bytes', { value: limit });
          }
          heldByAll = others + bytes;
          held = bytes;
        },
        release: () => {
          heldByAll -= held;
          held = 0;
        },
      };
    },
  };
}
