/** As package.json has it (compared by a test): a bundle does not carry that file. */
export const VERSION = '0.1.0';
