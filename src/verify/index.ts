export {
  VerificationError,
  type Identity,
  type Rejection,
  type Subject,
  type VerificationErrorCode,
  type Verdict,
} from './verdict.ts';
