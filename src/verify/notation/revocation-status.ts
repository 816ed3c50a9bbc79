/** What is known of one certificate's revocation. */
export type RevocationStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'revoked' }
  /** `final`: an answer, not a failure to get one; no other server is asked. */
  | { readonly kind: 'unknown'; readonly why: string; readonly final?: boolean };
