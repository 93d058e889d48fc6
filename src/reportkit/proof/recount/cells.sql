-- How a raw cell is read, once more: the rules of docs/reference/ledgers.md as SQL macros over cells without outer white
-- space. A cell that cannot be read is NULL.
CREATE MACRO filled(cell) AS CASE
    WHEN cell IN ('', '-', '--', '—', '——', '/', '无') THEN NULL
    ELSE trim(translate(cell, '０１２３４５６７８９．，－＋／：￥　', '0123456789.,-+/:¥ ')) END;
CREATE MACRO loose(cell) AS lower(regexp_replace(translate(cell, '０１２３４５６７８９', '0123456789'), '[^\p{L}\p{N}]+', '', 'g'));
CREATE MACRO parts(cell) AS regexp_extract(cell, '^(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})(?:日?(?:[ T]+\d{1,2}[:时].*)?|日\d{1,2}[:时].*)$', ['y', 'm', 'd']);
CREATE MACRO as_date(cell, epoch) AS CASE
    WHEN regexp_full_match(cell, '\d{8}(?:[ T]+\d{1,2}:\d\d.*)?') THEN CAST(try_strptime(left(cell, 8), '%Y%m%d') AS DATE)
    WHEN regexp_full_match(cell, '[2-9]\d{4}(?:\.\d+)?')
        THEN (CASE epoch WHEN 1904 THEN DATE '1904-01-01' ELSE DATE '1899-12-30' END) + CAST(left(cell, 5) AS INTEGER)
    ELSE try_cast(parts(cell).y || '-' || parts(cell).m || '-' || parts(cell).d AS DATE) END;
CREATE MACRO digits(cell) AS CASE WHEN regexp_full_match(cell, '[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?') THEN replace(cell, ',', '') END;
CREATE MACRO as_amount(cell, factor) AS
    try_cast(digits(trim(regexp_replace(ltrim(cell, '¥ '), '[亿万]?元$', ''))) AS DECIMAL(26, 6))
    * CAST(CASE WHEN cell LIKE '%亿元' THEN 100000000 WHEN cell LIKE '%万元' THEN 10000 WHEN cell LIKE '%元' THEN 1 ELSE factor END AS DECIMAL(12, 0));
CREATE MACRO as_integer(cell, _) AS CASE
    WHEN try_cast(digits(cell) AS DECIMAL(38, 6)) % 1 = 0 THEN try_cast(try_cast(digits(cell) AS DECIMAL(38, 6)) AS BIGINT) END;
CREATE MACRO as_flag(cell, _) AS CASE
    WHEN loose(cell) IN ('是', 'y', 'yes', '1', 'true', '公开') THEN true
    WHEN loose(cell) IN ('否', 'n', 'no', '0', 'false', '不公开') THEN false END;
