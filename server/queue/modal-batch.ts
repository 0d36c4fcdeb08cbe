/** Batches after which old ones weigh half: traffic changes its pace within minutes. */
const HALVE_AFTER = 2_000;

/** Which batch size most rows arrive in: prices of heads and cuts are those of that size (exits.md 10). */
export interface ModalBatch {
  add(rows: number): void;
  /** 1 before the first batch. */
  readonly rows: number;
}

export function createModalBatch(): ModalBatch {
  const rowsBySize = new Map<number, number>();
  let batches = 0;
  return {
    add: (rows) => {
      rowsBySize.set(rows, (rowsBySize.get(rows) ?? 0) + rows);
      batches += 1;
      if (batches < HALVE_AFTER) return;
      batches = 0;
      for (const [size, count] of rowsBySize) rowsBySize.set(size, count / 2);
    },
    get rows() {
      let modal = 1;
      for (const [size, count] of rowsBySize) {
        if (count > (rowsBySize.get(modal) ?? 0)) modal = size;
      }
      return modal;
    },
  };
}
