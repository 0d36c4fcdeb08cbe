/** Ours, as results name it. */
export const LAYERCACHE = 'Layercache';
