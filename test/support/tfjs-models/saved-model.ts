// A graph model as a flat SavedModel with a signature, written field by field (graph.proto, meta_graph.proto).
import type { NodeDef } from '../../../server/engine/tensorflow/node-def.ts';
import { savedModel, shapeParts } from '../../../server/engine/tensorflow/node-def.ts';
import {
  concatBytes,
  intField,
  messageField,
  textField,
} from '../../../server/core/onnx/wire-write.ts';
import { walkFields } from '../../../server/core/onnx/wire-read.ts';

export interface SavedEnd {
  readonly key: string;
  readonly tensor: string;
  readonly dims: readonly number[];
}

/** saved_model.pb of float32 ends, under the signature `serving_default` beside others. */
export function signedSavedModel(
  nodes: readonly NodeDef[],
  input: SavedEnd,
  output: SavedEnd,
): Uint8Array {
  const bytes = savedModel(nodes);
  const fields = walkFields(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    0,
    bytes.length,
  );
  const meta = fields.find(({ field }) => field === 2)!;
  const signatures = [
    messageField(5, [textField(1, '__saved_model_init_op')]),
    // As exporters write more of them: this one has the ends the wrong way round.
    signature('another', output, input),
    signature('serving_default', input, output),
  ];
  const inner = [bytes.subarray(meta.start, meta.end), ...signatures];
  return concatBytes([intField(1, 1), messageField(2, inner)]);
}

function signature(name: string, input: SavedEnd, output: SavedEnd): Uint8Array {
  return messageField(5, [
    textField(1, name),
    messageField(2, [messageField(1, endParts(input)), messageField(2, endParts(output))]),
  ]);
}

function endParts({ key, tensor, dims }: SavedEnd): readonly Uint8Array[] {
  return [
    textField(1, key),
    messageField(2, [
      textField(1, `${tensor}:0`),
      intField(2, 1),
      messageField(3, shapeParts(dims)),
    ]),
  ];
}
