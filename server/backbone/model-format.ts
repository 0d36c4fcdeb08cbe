/** Formats of models, as the API names them. */
export const MODEL_FORMATS = ['ONNX', 'TFJSGraphModel', 'TFJSLayersModel', 'SavedModel'] as const;

export type ModelFormat = (typeof MODEL_FORMATS)[number];
