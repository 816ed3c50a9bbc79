/** RFC 3339 in UTC with whole seconds, as metav1.Time is written. */
export function formatTimestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
