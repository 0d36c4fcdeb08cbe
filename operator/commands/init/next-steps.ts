import type { ServerState } from '../../../crds/wire/state.ts';

const COLOURS: readonly number[] = [1, 3, 4];

/** What follows a manifest: commands with the rows that this model takes. Empty: the model has no exits to learn. */
export function nextSteps({
  backbone,
  cuts,
}: Pick<ServerState, 'backbone' | 'cuts'>): readonly string[] {
  if (backbone.outputName === null || cuts.length === 0) return [];
  const row = backbone.inputs.slice(0, 1).flatMap(({ shape }) => shape.slice(1));
  const layout = layoutOf(row);
  return [
    'Next, with this in service.yaml and rows that the model was not trained on:',
    '  layercache validate -f service.yaml',
    `  layercache local run -f service.yaml --traffic npy:ROWS.npy   # float32 [rows, ${row.join(', ')}], ready for the model`,
    ...(layout === null ? [] : pictureSteps(layout)),
  ];
}

function layoutOf(row: readonly number[]): 'NCHW' | 'NHWC' | null {
  if (row.length !== 3) return null;
  if (COLOURS.includes(Number(row[0]))) return 'NCHW';
  return COLOURS.includes(Number(row[2])) ? 'NHWC' : null;
}

function pictureSteps(layout: 'NCHW' | 'NHWC'): readonly string[] {
  return [
    '  layercache local run -f service.yaml --traffic images:FOLDER  # or uint8 rows; both need layercache.json beside the model,',
    `                                                                # for values of 0 to 1: {"input": {"layout": "${layout}", "scale": ${1 / 255}}}`,
  ];
}
