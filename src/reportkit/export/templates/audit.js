"use strict";
(() => {
  const facts = new Map(JSON.parse(document.getElementById("facts").textContent).map((f) => [f.id, f]));
  const panel = document.getElementById("panel");
  const title = document.getElementById("panel-title");
  const body = document.getElementById("panel-body");
  const origins = { ledger: "由台账逐行计算", sum: "由其他数据算得", declared: "申报：没有台账可核，仅有来源说明" };
  const SHOWN = 50, PART = 2000; // rows on a page of the panel; row numbers in a part of a ledger
  const loaded = new Map(), loading = new Map();
  let opener = null;

  // Ledger text reaches the page only here, as text.
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    element.append(...children.map((child) => (child instanceof Node ? child : String(child))));
    return element;
  };
  const link = (id) => {
    const fact = facts.get(id);
    return fact ? make("a", { href: "#fact=" + id }, fact.label + "＝" + fact.value) : make("span", {}, id);
  };
  // A part is named by where its label differs from the whole's: 自然人 for …申请人情况/自然人.
  const partLink = (id, whole) => {
    const fact = facts.get(id);
    if (!fact) return link(id);
    let own = fact.label.split("/"), its = whole.label.split("/");
    while (own.length > 1 && own[0] === its[0]) [own, its] = [own.slice(1), its.slice(1)];
    while (own.length > 1 && own.at(-1) === its.at(-1)) [own, its] = [own.slice(0, -1), its.slice(0, -1)];
    return make("a", { href: "#fact=" + id, title: fact.label }, make("span", {}, own.join("/")), make("b", {}, fact.value));
  };
  const where = (place) => {
    const [kind, name] = place.split(":");
    const caption = kind === "table" && document.getElementById("caption-" + name);
    return caption ? "表格：" + caption.textContent : kind === "section" ? "第" + name + "部分" : ({ preamble: "序言", notebook: "笔记本", corrections: "更正说明" })[kind] || place;
  };
  const operators = {
    "=": "＝", "in": "属于", "not in": "不属于", "between": "介于", "<": "＜", "<=": "≤", "empty or >=": "为空或 ≥",
    "empty or >": "为空或 ＞", "contains": "含", "empty": "为空", "present": "不为空",
  };
  const filter = (group) => {
    if (group.measure === "notebook") return make("span", {}, "在笔记本里选出和计算，见“参数与代码”");
    const list = make("ul", { class: "filter" });
    for (const test of group.all) {
      const value = Array.isArray(test.value) ? test.value.join(test.op === "between" ? " 至 " : "、") : test.value;
      list.append(make("li", {}, test.column, make("i", {}, operators[test.op] || test.op), value === null ? "" : value));
    }
    if (!group.all.length) list.append(make("li", {}, "全部行"));
    return group.sign === "-" ? make("div", {}, "减去：", list) : list;
  };

  // A part holds its rows column by column: values, and where they repeat which of them stands where.
  const unpacked = (text) => {
    const found = JSON.parse(text);
    const cell = ([values, which], at) => values[which ? which[at] : at];
    const places = new Map(found.rows.map((row, at) => [row, at]));
    return { ...found, cellsOf: (row) => found.cells.map((column) => cell(column, places.get(row))) };
  };
  // From a file:// page only a script can be read: each file of evidence calls RK.facts or RK.rows.
  // A script holds several parts, and each is unpacked when a row of it is asked for.
  window.RK = {
    facts: (found) => loaded.set("facts", found),
    rows: (ledger, part, text) => loaded.set(ledger + " " + part, text),
    members: (found) => loaded.set("members", found),
  };
  // A run stands one folder deeper than the link to it that is in force.
  const outputs = /\/runs\/[^/]+\/[^/]*$/.test(location.pathname) ? "../../../../" : "../../../";
  for (const one of document.querySelectorAll("a.member")) one.setAttribute("href", one.getAttribute("href").replace(/^(\.\.\/)+/, outputs));
  const load = async (name, key) => {
    if (!loading.has(name)) loading.set(name, new Promise((resolve) => {
      const script = make("script", { src: "evidence/" + encodeURIComponent(name) + ".js" });
      script.onload = script.onerror = () => { script.remove(); resolve(); };
      document.head.append(script);
    }));
    if (!loaded.has(key)) await loading.get(name);
    if (!loaded.has(key)) { loading.delete(name); throw new Error(name); }
    if (typeof loaded.get(key) === "string") loaded.set(key, unpacked(loaded.get(key)));
    return loaded.get(key);
  };
  const partsOf = async (ledger, rows) => {
    const stands = (await load("facts", "facts")).parts[ledger] || {};
    const wanted = [...new Set(rows.map((row) => Math.floor(row / PART)))];
    return new Map(await Promise.all(wanted.map(async (part) => [part, await load(stands[part] || "rows-" + ledger + "-" + part, ledger + " " + part)])));
  };

  const rowsTable = (rows, parts, taken) => {
    const first = parts.values().next().value;
    const head = make("tr", {}, make("th", { scope: "col" }, "位置"));
    for (const column of first.columns) head.append(make("th", { scope: "col" }, column));
    const lines = make("tbody");
    for (const [at, row] of rows) {
      const [file, place, ...values] = parts.get(Math.floor(row / PART)).cellsOf(row);
      const line = make("tr", {}, make("th", { scope: "row", title: first.files[file] }, (at >= taken ? "− " : "") + place));
      for (const value of values) line.append(make("td", {}, value));
      lines.append(line);
    }
    return make("table", { class: "list rows" }, make("thead", {}, head), lines);
  };

  const showRows = async (fact, place) => {
    const status = make("p", { class: "small", role: "status" }, "正在读取来源行…");
    place.replaceChildren(status);
    const absent = (error) => place.replaceChildren(make("p", { class: "absent" }, "没有找到依据文件 evidence/" + error.message + ".js。来源行须与本页一起保存：请把 audit.html 和 evidence 文件夹放在同一处再打开。"));
    try {
      const found = (await load("facts", "facts")).facts[fact.id];
      if (!found) throw new Error("facts");
      const all = [];
      let row = 0;
      for (const item of found.steps.split(",")) {
        const [step, times] = item.split("x").map(Number);
        for (let left = times || 1; left; left--) all.push([all.length, (row += step)]);
      }
      const taken = all.length - found.subtracted;
      const files = (await partsOf(fact.ledger, all.slice(0, 1).map((one) => one[1]))).values().next().value.files;
      const filterBox = make("input", { type: "search", "aria-label": "筛选来源行", placeholder: "筛选：登记号、日期、任意文字" });
      const region = make("div", { class: "scroll", role: "region", "aria-label": "来源行", tabindex: "0" });
      const before = make("button", { type: "button" }, "上一页"), after = make("button", { type: "button" }, "下一页");
      let page = 0, chosen = all, asked = 0;
      const draw = async () => {
        const turn = ++asked;
        const shown = chosen.slice(page * SHOWN, (page + 1) * SHOWN);
        const parts = shown.length ? await partsOf(fact.ledger, shown.map((one) => one[1])) : null;
        if (turn !== asked) return;
        region.replaceChildren(parts ? rowsTable(shown, parts, taken) : make("p", { class: "small" }, "没有符合筛选的行。"));
        const pages = Math.max(1, Math.ceil(chosen.length / SHOWN));
        status.textContent = (chosen.length < all.length ? "筛出 " + chosen.length + " 行，" : "") + "共 " + all.length + " 行；第 " + (page + 1) + "/" + pages + " 页。位置为文件中的行号" + (found.subtracted ? "，“−”为减去的行。" : "。");
        before.disabled = page === 0;
        after.disabled = page === pages - 1;
      };
      const turnTo = (step) => { page += step; draw().catch(absent); };
      before.addEventListener("click", () => turnTo(-1));
      after.addEventListener("click", () => turnTo(1));
      let waiting = 0;
      filterBox.addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(async () => {
          const words = filterBox.value.trim().toLowerCase();
          try {
            const parts = words ? await partsOf(fact.ledger, all.map((one) => one[1])) : null;
            if (words !== filterBox.value.trim().toLowerCase()) return;
            chosen = parts ? all.filter(([, one]) => parts.get(Math.floor(one / PART)).cellsOf(one).slice(1).join("\n").toLowerCase().includes(words)) : all;
            page = 0;
            await draw();
          } catch (error) { absent(error); }
        }, 150);
      });
      await draw();
      place.replaceChildren(filterBox, status, ...files.map((file) => make("p", { class: "small" }, make("code", {}, file))), region, make("p", { class: "pager" }, before, after));
      if (all.length !== fact.rows) place.prepend(make("p", { class: "absent" }, "依据文件记 " + all.length + " 行，与本页所记 " + fact.rows + " 行不符，请核对文件是否同出一次运行。"));
    } catch (error) { absent(error); }
  };

  const showMembers = async (fact, place) => {
    const most = 200;
    try {
      const found = await load("members", "members");
      const lines = found.members.map(([id, name, page], at) => [id, name, page, found.facts[fact.id][at]]);
      lines.sort((a, b) => (b[3] === null ? -Infinity : Number(b[3])) - (a[3] === null ? -Infinity : Number(a[3])));
      const rows = lines.slice(0, most).map(([id, name, page, value]) => make("tr", {},
        make("th", { scope: "row" }, page ? make("a", { href: outputs + page + "#fact=" + fact.id }, name) : name),
        make("td", { class: "figure" }, value === null ? "没有此数" : value), make("td", {}, make("code", {}, id))));
      const head = make("tr", {}, make("th", { scope: "col" }, "单位"), make("th", { scope: "col", class: "figure" }, "值"), make("th", { scope: "col" }, "标识"));
      place.replaceChildren(make("table", { class: "list rows" }, make("thead", {}, head), make("tbody", {}, ...rows)));
      const left = lines.length - rows.length;
      if (left) place.append(make("p", { class: "small" }, "另有 " + left + " 个单位，见 evidence/members.parquet。"));
    } catch (error) { place.replaceChildren(make("p", { class: "absent" }, "没有找到依据文件 evidence/members.js。请把 audit.html 和 evidence 文件夹放在同一处再打开。")); }
  };

  const show = (fact) => {
    title.textContent = fact.label;
    const list = make("dl");
    const entry = (name, ...value) => list.append(make("dt", {}, name), make("dd", {}, ...value));
    const code = (value) => make("code", {}, value);
    entry("来历", make("span", { class: "origin " + fact.origin }, fact.members ? "由所属单位报告的数相加" : origins[fact.origin] || fact.origin));
    if (fact.past) entry("上年", fact.past.year + "年 ", make("b", {}, fact.past.value), fact.past.change ? "，本年增减 " : "", make("b", {}, fact.past.change || ""), make("span", { class: "small" }, fact.past.origin === "run" ? "（上年运行结果）" : "（上年公布的报告）"));
    // A plain sum's definition names its parts by their ids; below they stand with labels and values.
    const parts = fact.sum_of || [];
    if (!parts.length || fact.definition !== parts.join(" + ")) entry("定义", fact.definition || "—");
    if (fact.source) entry("来源说明", fact.source);
    if (fact.ledger) entry("台账", code(fact.ledger));
    if (fact.where && fact.where.length) entry("筛选条件", ...fact.where.map(filter));
    if (parts.length) entry("由下列数据算得", make("ul", { class: "parts" }, ...parts.map((id) => make("li", {}, partLink(id, fact)))));
    if (fact.origin === "ledger") entry("来源行数", fact.rows);
    // The third count reads the raw ledgers: it is not made here, but by whoever verifies.
    const counts = [make("li", {}, "程序按定义计数 ", make("b", {}, fact.value))];
    const thrice = typeof fact.counted === "string";
    if (thrice) counts.unshift(make("li", { class: fact.counted === fact.value ? "" : "differs" }, "笔记本用 pandas 计数 ", make("b", {}, fact.counted || "空")));
    counts.push(make("li", {}, "用 SQL 直接数原始台账：", code("reportkit verify")));
    if (fact.origin === "ledger" && fact.where.every((group) => group.all.length)) entry(thrice ? "三次计数" : "两次计数", make("ul", {}, ...counts));
    if (fact.rows_sha256) entry("来源行摘要", code(fact.rows_sha256));
    if (fact.places && fact.places.length) entry("见于", make("ul", {}, ...fact.places.map((place) => make("li", {}, where(place)))));
    entry("标识", code(fact.id));
    const value = make("p", { class: "value" }, make("b", {}, fact.value), " " + (fact.unit || ""));
    body.replaceChildren(value, list);
    if (fact.origin === "ledger" && fact.rows > 0) {
      const place = make("div", {});
      body.append(make("h3", {}, "来源行"), place);
      showRows(fact, place);
    } else if (fact.origin === "ledger") {
      body.append(make("p", { class: "small" }, "台账中没有符合条件的行。"));
    }
    if (fact.members) {
      const place = make("div", {});
      body.append(make("h3", {}, "各单位的数"), place);
      showMembers(fact, place);
    }
    for (const number of document.querySelectorAll(".n[data-fact]")) number.classList.toggle("open", number.dataset.fact === fact.id);
    panel.hidden = false;
    document.body.classList.add("panelled");
    body.scrollTop = 0;
    title.focus({ preventScroll: true });
    const seen = opener && opener.getBoundingClientRect();
    const sheet = panel.getBoundingClientRect();
    if (seen && sheet.left < seen.right && sheet.top < seen.bottom) opener.scrollIntoView({ block: "start", inline: "nearest" });
  };
  const close = () => {
    if (panel.hidden) return;
    panel.hidden = true;
    document.body.classList.remove("panelled");
    for (const number of document.querySelectorAll(".n.open")) number.classList.remove("open");
    if (location.hash.startsWith("#fact=")) history.replaceState(null, "", location.pathname + location.search);
    if (opener && opener.isConnected) opener.focus();
  };

  // Lists of checks and facts, sifted by words: a row stays if it holds them all.
  const also = new Map(); // what else a row of a list must be to stay
  const sifts = new Map();
  for (const sift of document.querySelectorAll(".sift")) {
    const [box, status] = sift.children;
    const table = sift.parentElement.querySelector("table");
    const rows = [...table.tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]);
    const draw = () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      const wanted = also.get(table) || (() => true);
      let left = 0;
      for (const [row, text] of rows) {
        row.hidden = !(wanted(row) && words.every((word) => text.includes(word)));
        left += !row.hidden;
      }
      status.textContent = left < rows.length || words.length ? "筛出 " + left + " 行，共 " + rows.length + " 行" : "";
    };
    sift.hidden = false;
    sifts.set(table, draw);
    box.addEventListener("input", draw);
  }
  const every = document.getElementById("every");
  const choices = document.querySelector(".choices"), whole = document.getElementById("whole");
  let among = null;
  const chosen = () => {
    const origins = new Set([...choices.querySelectorAll("input:checked")].map((box) => box.value));
    also.set(every, (row) => origins.has(row.dataset.origin) && (!among || among.has(row.dataset.id)));
    whole.hidden = !among;
    sifts.get(every)();
  };
  choices.hidden = false;
  choices.addEventListener("change", chosen);
  whole.addEventListener("click", () => { among = null; chosen(); });
  for (const button of document.querySelectorAll(".among")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      among = new Set(button.dataset.facts.split(" "));
      chosen();
      document.getElementById("all").scrollIntoView();
      whole.textContent = "现在只列核对 " + button.dataset.check + " 的数据，点此列出全部";
      whole.focus({ preventScroll: true });
    });
  }
  // Columns of the facts are sorted by their headings; numbers as numbers, empty ones last.
  [...every.tHead.rows[0].cells].forEach((head, column) => {
    const button = make("button", { type: "button" }, head.textContent);
    head.replaceChildren(button);
    const number = head.classList.contains("figure");
    button.addEventListener("click", () => {
      const turn = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of every.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", turn > 0 ? "ascending" : "descending");
      const words = new Intl.Collator("zh-Hans", { numeric: true });
      const rows = [...every.tBodies[0].rows].map((row) => [row, row.cells[column].textContent.trim()]);
      const key = (text) => (number ? Number.parseFloat(text) : text);
      const empty = (text) => text === "" || (number && Number.isNaN(key(text)));
      rows.sort(([, a], [, b]) => empty(a) - empty(b) || turn * (number ? key(a) - key(b) || 0 : words.compare(a, b)));
      every.tBodies[0].append(...rows.map(([row]) => row));
    });
  });

  // Review: what rests on somebody's word, was accepted or failed, or is bound to nothing.
  const lit = [...document.querySelectorAll("main .n.declared, main .n.waived, main .n.failing, main .unbound")].filter((one) => !one.closest(".key"));
  const review = document.getElementById("review"), next = document.getElementById("next");
  review.parentElement.hidden = false;
  let at = -1;
  const count = (kind) => lit.filter((one) => one.classList.contains(kind)).length;
  review.addEventListener("click", () => {
    const on = document.body.classList.toggle("reviewing");
    review.setAttribute("aria-pressed", on);
    next.hidden = !on || !lit.length;
    at = -1;
    document.getElementById("review-count").textContent = on ? "申报 " + count("declared") + " 处，不符 " + count("failing") + " 处，已接受的不符 " + count("waived") + " 处，未绑定 " + count("unbound") + " 处" : "";
  });
  next.addEventListener("click", () => {
    at = (at + 1) % lit.length;
    lit[at].setAttribute("tabindex", "0");
    lit[at].focus();
    lit[at].scrollIntoView({ block: "center" });
  });
  const follow = () => {
    if (!location.hash.startsWith("#fact=")) return;
    let id = location.hash.slice(6);
    try { id = decodeURIComponent(id); } catch (error) { /* shown as it stands */ }
    const fact = facts.get(id);
    if (fact) return show(fact);
    title.textContent = "没有这项数据";
    body.replaceChildren(make("p", { class: "absent" }, "本报告没有标识为 " + id + " 的数据。"));
    panel.hidden = false;
  };

  document.addEventListener("click", (event) => {
    const number = event.target.closest("a[href^='#fact=']");
    if (!number) return;
    if (!panel.contains(number)) opener = number;
    if (number.hash === location.hash) follow();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  document.getElementById("close").addEventListener("click", close);
  window.addEventListener("hashchange", follow);
  if (location.hash.startsWith("#fact=")) {
    const wanted = location.hash.slice(6);
    opener = [...document.querySelectorAll("main .n")].find((number) => number.dataset.fact === wanted) || null;
    if (opener) opener.scrollIntoView({ block: "center" });
    follow();
  }
})();
