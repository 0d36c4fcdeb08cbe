/** The group and version of both kinds. */
export const API_VERSION = 'layercache.io/v1alpha1';
