/** Of the same release as onnxruntime-node here. */
export const ONNXRUNTIME = 'onnxruntime==1.30.0';
