SELECT detector, fingerprint, finding_id, state, owner, reason, severity, at, until FROM finding_marks FINAL
