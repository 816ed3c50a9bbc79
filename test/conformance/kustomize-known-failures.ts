/** Cases that fail, with the reason. A case that passes must be taken out. */
export const KNOWN_FAILURES: Readonly<Record<string, string>> = {};
