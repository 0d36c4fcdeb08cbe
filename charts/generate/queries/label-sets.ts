// Labels that queries are summed by.

/** One model service, by the labels of its servers. */
export const SERVICE = ['namespace', 'model'] as const;
export type Service = (typeof SERVICE)[number];

/** The same by the labels of the operator, whose own namespace takes the plain name. */
export const OBJECT = ['model_namespace', 'model'] as const;
export type ServiceObject = (typeof OBJECT)[number];

export const POD = ['namespace', 'model', 'pod'] as const;
