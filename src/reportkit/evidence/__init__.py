"""Which rows each fact rests on: sealed in the notebook, written beside the documents, read back.

A run's ``evidence/`` holds at most twenty files:

``facts.parquet``
    fact, ledger, row, sign: the rows of every fact, in order; those of sign -1 are taken away.
``records.parquet``
    ledger, row, file, sheet, line, key, digest: where each row that was read stands.
``violations.parquet``, ``quarantine.parquet``
    findings about the records, and the records that were not accepted; only where there are some.
``facts.js``, ``rows-….js``
    the same for the audit page; see `reportkit.evidence.scripts`.
"""
