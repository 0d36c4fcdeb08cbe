/** What runs with all wanted tensors exposed have shown. */
export interface MeasuredShape {
  /** Element type of the runtime, such as 'float32'. */
  readonly type: string;
  /** Shape at `rows` rows. */
  readonly dims: readonly number[];
  /** The first dimension is the number of rows and the others do not depend on it. */
  readonly rowsFirst: boolean;
}

export interface ShapeTable {
  /** Rows of the run that gave the dims. */
  readonly rows: number;
  readonly shapeOf: ReadonlyMap<string, MeasuredShape>;
}
