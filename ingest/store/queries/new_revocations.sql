-- What was taken back, as it came in since.
SELECT id, revoked_at, received_at FROM revocations WHERE received_at > {after:DateTime64(9, 'UTC')}
