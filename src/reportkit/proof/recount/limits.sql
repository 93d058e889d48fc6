-- The limits of applications, once more: what docs/reference/worktime.md says, in numbers of working days. A day stands with the
-- working days until it (_p, that day among them), before it (_q), and those that do not count where it sets off a limit (_b).
-- A limit ends with the working day of some number n: a day is not after it if fewer than n working days are before that day.
CREATE TABLE limits AS
WITH running AS (
    SELECT *, asked IS NOT NULL AND corrected IS NULL AS waits,
        CASE WHEN waits THEN NULL ELSE coalesce(corrected, received) END AS begun,
        CASE WHEN begun BETWEEN first AND last THEN begun END AS start,
        CASE WHEN start IS NOT NULL THEN coalesce(corrected_b, received_b) END AS start_b,
        greatest(0, least(20, coalesce(days, 20))) AS extra
    FROM steps),
consulted AS (
    SELECT *, CASE WHEN start IS NOT NULL AND sent IS NOT NULL THEN greatest(sent, start) END AS since,
        CASE WHEN sent >= start THEN sent_b WHEN sent < start THEN start_b END AS since_b,
        CASE WHEN sent >= start THEN sent_q WHEN sent < start THEN start_b END AS since_q,
        -- An unanswered consultation ends with the third party's 15 working days.
        coalesce(replied_p, since_b + 15) AS until_p, coalesce(replied < since, since IS NULL) AS none,
        CASE WHEN none THEN 0 ELSE until_p - since_b END AS lasted,
        coalesce(since_q < start_b + 20, false) AS in_time
    FROM running),
prolonged AS (
    SELECT *, coalesce(extension_q < start_b + 20 + CASE WHEN in_time THEN lasted ELSE 0 END, false) AND extra > 0 AS extended,
        start_b + 20 + CASE WHEN extended THEN extra ELSE 0 END AS bare,
        in_time OR coalesce(since_q < bare, false) AS counts,
        bare + CASE WHEN counts THEN lasted ELSE 0 END AS due,
        CASE WHEN counts AND NOT none AND coalesce(answered >= since, true)
            THEN least(until_p, answered_p) - since_b ELSE 0 END AS asked_for
    FROM consulted)
SELECT row, worked.day AS due_date, extended,
    CASE WHEN start IS NOT NULL AND answered <= last
        THEN CASE WHEN answered >= start THEN answered_p - start_b ELSE 0 END - asked_for END AS working_days,
    CASE WHEN answered IS NULL OR (start IS NULL AND NOT waits) OR (start IS NOT NULL AND due > total AND answered > last) THEN NULL
        ELSE coalesce(answered_q >= due, false) END AS overdue
FROM prolonged LEFT JOIN worked ON worked.n = due;
