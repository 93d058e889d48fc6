"use strict";
(() => {
  const facts = new Map(JSON.parse(document.getElementById("facts").textContent).facts.map((f) => [f.id, f]));
  const panel = document.getElementById("panel");
  const title = document.getElementById("panel-title");
  const body = document.getElementById("panel-body");
  const origins = { ledger: "由台账逐行计算", sum: "由其他数据算得", declared: "申报：没有台账可核，仅有来源说明" };
  const loaded = new Map();
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
  const operators = {
    "=": "＝", "in": "属于", "not in": "不属于", "between": "介于", "<": "＜", "<=": "≤", "empty or >=": "为空或 ≥",
    "empty or >": "为空或 ＞", "contains": "含", "empty": "为空", "present": "不为空",
  };
  const filter = (group) => {
    const list = make("ul", { class: "filter" });
    for (const test of group.all) {
      const value = Array.isArray(test.value) ? test.value.join(test.op === "between" ? " 至 " : "、") : test.value;
      list.append(make("li", {}, test.column, make("i", {}, operators[test.op] || test.op), value === null ? "" : value));
    }
    if (!group.all.length) list.append(make("li", {}, "全部行"));
    return group.sign === "-" ? make("div", {}, "减去：", list) : list;
  };

  const rowsTable = (found, total) => {
    const head = make("tr", {}, make("th", { scope: "col" }, "位置"));
    for (const column of found.columns) head.append(make("th", { scope: "col" }, column));
    const lines = make("tbody");
    for (const [file, place, values] of found.rows) {
      const line = make("tr", {}, make("th", { scope: "row", title: found.files[file] }, place));
      for (const value of values) line.append(make("td", {}, value === null ? "" : value));
      lines.append(line);
    }
    const note = found.rows.length < found.total ? "，以下为前 " + found.rows.length + " 行" : "";
    const box = make("div", {}, make("p", { class: "small" }, "共 " + found.total + " 行" + note + "。位置为文件中的行号。"));
    for (const file of found.files) box.append(make("p", { class: "small" }, make("code", {}, file)));
    if (found.total !== total) box.append(make("p", { class: "absent" }, "证据文件记 " + found.total + " 行，与本页所记 " + total + " 行不符，请核对文件是否同出一次运行。"));
    const region = make("div", { class: "scroll", role: "region", "aria-label": "来源行", tabindex: "0" });
    region.append(make("table", { class: "list rows" }, make("thead", {}, head), lines));
    box.append(region);
    return box;
  };

  // From a file:// page only a script can be read: each evidence file calls RK.rows.
  window.RK = { rows: (id, found) => { loaded.set(id, found); } };
  const showRows = (fact, place) => {
    const fill = () => place.replaceChildren(rowsTable(loaded.get(fact.id), fact.rows));
    const absent = () => place.replaceChildren(make("p", { class: "absent" }, "没有找到证据文件 evidence/" + fact.id + ".js。来源行须与本页一起保存：请把 audit.html 和 evidence 文件夹放在同一处再打开。"));
    if (loaded.has(fact.id)) return fill();
    place.replaceChildren(make("p", { class: "small" }, "正在读取来源行…"));
    const script = make("script", { src: "evidence/" + encodeURIComponent(fact.id) + ".js" });
    script.onload = () => { script.remove(); loaded.has(fact.id) ? fill() : absent(); };
    script.onerror = () => { script.remove(); absent(); };
    document.head.append(script);
  };

  const show = (fact) => {
    title.textContent = fact.label;
    const list = make("dl");
    const entry = (name, ...value) => list.append(make("dt", {}, name), make("dd", {}, ...value));
    const code = (value) => make("code", {}, value);
    entry("来历", make("span", { class: "origin " + fact.origin }, origins[fact.origin] || fact.origin));
    entry("定义", fact.definition || "—");
    if (fact.source) entry("来源说明", fact.source);
    if (fact.ledger) entry("台账", code(fact.ledger));
    if (fact.where && fact.where.length) entry("筛选条件", ...fact.where.map(filter));
    if (fact.sum_of && fact.sum_of.length) entry("由下列数据算得", make("ul", { class: "parts" }, ...fact.sum_of.map((id) => make("li", {}, link(id)))));
    if (fact.origin === "ledger") entry("来源行数", fact.rows);
    if (fact.rows_sha256) entry("来源行摘要", code(fact.rows_sha256));
    if (fact.places && fact.places.length) entry("见于", make("ul", {}, ...fact.places.map((place) => make("li", {}, place))));
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
