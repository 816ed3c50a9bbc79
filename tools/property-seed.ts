// Loaded before the tests: property tests draw the same cases each time, so that a commit passes or fails for good.
// `SLUICE_SEED=random npm test` looks further; `SLUICE_SEED=N` repeats what it found.
import fc from 'fast-check';

const given = process.env['SLUICE_SEED'] ?? '1';
if (given !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(given) });
