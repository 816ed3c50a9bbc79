// Every repetition that can fail late is bounded: the text may be a stranger's, and is searched in linear time.
const URL_USERINFO = /([a-z][a-z0-9+.-]{0,31}:\/\/)[^/\s@]+@/gi;
const AUTHORIZATION = /\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const QUERY_SECRET = /([?&](?:[a-z0-9_-]{0,64}(?:token|signature|sig|secret|password|credential|key)[a-z0-9_-]{0,64})=)[^&\s"']+/gi;

/** Takes what looks like a credential out of text meant for people: URL user info, authorization headers, signed query parameters. */
export function redact(text: string): string {
  return text.replace(URL_USERINFO, '$1***@').replace(AUTHORIZATION, '$1 ***').replace(QUERY_SECRET, '$1***');
}
