"use strict";
// The table of all reports. Data come in as scripts, since a page on a disk may fetch nothing else.
(() => {
  const at = (id) => document.getElementById(id);
  const table = at("reports");
  window.catalogue = { take };
  if (!table) return;
  const { base, year: first } = table.dataset;
  const WORDS = { final: "定稿", draft: "草稿", failed: "失败", absent: "未报送", waiting: "未生成" };
  const MARKS = { final: "●", draft: "◐", failed: "✕", absent: "○", waiting: "·" };
  const SPARE = 12, PRINTED = 300;
  const narrow = matchMedia("(max-width: 46rem)");
  const [words, year, state, parent, kind] = ["q", "y", "s", "p", "k"].map(at);
  const fields = [words, year, state, parent, kind].filter(Boolean);
  const number = new Intl.NumberFormat("zh-CN", { maximumFractionDigits: 4 });
  let places, texts, order = 0, down = false, rows = [], found = [], printing = false;
  const known = new Map(), waiting = [];

  function take(name, data) {
    if (name === "places") begin(data);
    else if (places) add(data);
    else waiting.push([name, data]);
  }

  function begin(data) {
    places = data;
    texts = data.name.map((name, i) => `${name} ${data.id[i]} ${data.alt[i]}`.toLowerCase());
    const above = [...new Set(data.parent.filter((i) => i >= 0))];
    for (const i of above) parent.add(new Option(data.name[i], data.id[i]));
    parent.parentElement.hidden = !above.length;
    for (const [name, one] of waiting.splice(0)) take(name, one);
    const later = table.dataset.later.split(" ").filter(Boolean);
    const load = () => later.forEach((file) => {
      const script = document.createElement("script");
      script.src = base + file;
      document.head.append(script);
    });
    addEventListener("load", () => ("requestIdleCallback" in window ? requestIdleCallback(load) : setTimeout(load, 200)));
  }

  function add(data) {
    const made = data.place.map((place, i) => ({
      place, year: data.year, kind: data.kind, variant: data.variant[i] ?? "", state: places.states[data.state[i]], errors: data.errors[i] ?? 0, warnings: data.warnings[i] ?? 0,
      reason: data.reasons[data.reason[i]] ?? "", figures: data.figures.map((column) => column[i]),
    }));
    for (const row of made) known.set(key(row, data.year), row);
    rows = rows.concat(made);
    at("reports-part").hidden = false;
    at("static").hidden = true;
    if (known.size === made.length) restore();
    else show();
  }

  const key = (row, of) => `${row.place} ${row.kind} ${row.variant} ${of}`;

  // Figures stand in columns where all reports that are shown are of one kind.
  const only = () => places.kinds.length === 1 ? 0 : places.kinds.findIndex((one) => one.name === kind?.value);
  const columns = () => places.kinds[only()]?.columns ?? [["主要数据", ""]];

  // Worst first: what failed, what is missing, drafts, findings; then by id.
  const collator = new Intl.Collator("zh-Hans-CN");
  const rank = (row) => places.states.length - places.states.indexOf(row.state);
  const keys = [
    (a, b) => collator.compare(places.name[a.place], places.name[b.place]),
    (a, b) => a.year - b.year,
    (a, b) => rank(a) - rank(b) || b.errors - a.errors || b.warnings - a.warnings,
  ];

  function sorted(list) {
    const turn = down ? -1 : 1;
    const column = order - keys.length;
    const by = column < 0 ? keys[order] : (a, b) => {
      const [x, y] = [a.figures[column], b.figures[column]];
      // What is not there stays at the end, in whichever order.
      return x == null || y == null ? ((x == null) - (y == null)) * turn : x - y;
    };
    return list.sort((a, b) => by(a, b) * turn || keys[2](a, b) || b.year - a.year || a.place - b.place);
  }

  function within(i, above) {
    for (let seen = 0; i >= 0 && seen < 9; i = places.parent[i], seen++) if (places.id[i] === above) return true;
    return false;
  }

  function show() {
    if (!places) return;
    const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = texts.map((text, i) => asked.every((word) => text.includes(word)) && (!parent.value || within(i, parent.value)));
    found = rows.filter((row) => hits[row.place]
      && (only() < 0 || row.kind === only())
      && (!year.value || row.year === Number(year.value))
      && (!state.value || (state.value === "findings" ? row.errors + row.warnings > 0 : row.state === state.value)));
    sorted(found);
    if (asked.length === 1 && order === 2) {
      // What is just so, then what begins so.
      const word = asked[0];
      const near = (row) => {
        const parts = texts[row.place].split(" ");
        return parts.includes(word) ? 0 : parts.some((part) => part.startsWith(word)) ? 1 : 2;
      };
      const rated = new Map(found.map((row) => [row, near(row)]));
      found.sort((a, b) => rated.get(a) - rated.get(b));
    }
    at("found").textContent = `${asked.length || parent.value || state.value || kind?.value ? "找到" : "共"} ${number.format(found.length)} 份`;
    table.setAttribute("aria-rowcount", found.length + 1);
    draw();
  }

  const make = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  function head() {
    const titles = ["单位", "年度", "状态", ...columns().map(([title, unit]) => (unit ? `${title}（${unit}）` : title)), "历年"];
    const widths = ["22%", "5.5rem", "10rem"];
    const row = table.tHead.rows[0];
    const still = only() < 0 ? keys.length : titles.length - 1;
    row.replaceChildren();
    titles.forEach((title, i) => {
      const cell = make("th", i === 1 || (i > 2 && !(only() < 0 && i === 3)) ? "n" : "");
      cell.setAttribute("role", "columnheader");
      cell.scope = "col";
      cell.style.width = widths[i] || (i === titles.length - 1 ? "6rem" : "");
      if (i < still) {
        const button = make("button", "", title);
        button.type = "button";
        button.addEventListener("click", () => { down = order === i && !down; order = i; store(); show(); marks(); });
        cell.append(button);
      } else cell.append(make("button", "", title)), (cell.firstChild.disabled = true);
      row.append(cell);
    });
    row.setAttribute("aria-rowindex", 1);
    marks();
  }

  function marks() {
    [...table.tHead.rows[0].cells].forEach((cell, i) => {
      if (i === order) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
  }

  function line(row) {
    const values = places.years.slice(0, 6).reverse().map((one) => known.get(key(row, one))?.figures[0] ?? null);
    const there = values.filter((value) => value !== null);
    if (there.length < 2) return "";
    const [low, top] = [Math.min(...there), Math.max(...there)];
    const points = values.map((value, i) => value === null ? null
      : [3 + (i * 58) / (values.length - 1), top > low ? 20 - (15 * (value - low)) / (top - low) : 12]).filter(Boolean);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 64 24");
    svg.setAttribute("width", 64);
    svg.setAttribute("height", 24);
    svg.setAttribute("class", "line");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(svg.namespaceURI, "polyline");
    path.setAttribute("points", points.map((point) => point.map((value) => value.toFixed(1)).join(",")).join(" "));
    const dot = document.createElementNS(svg.namespaceURI, "circle");
    const last = points[points.length - 1];
    dot.setAttribute("cx", last[0]);
    dot.setAttribute("cy", last[1].toFixed(1));
    dot.setAttribute("r", 2.2);
    svg.append(path, dot);
    return svg;
  }

  const shown = (value) => (value == null ? "—" : number.format(value));

  function drawn(row, index) {
    const made = make("tr");
    made.setAttribute("role", "row");
    made.setAttribute("aria-rowindex", index + 2);
    const cell = (className, ...content) => {
      const one = make("td", className);
      one.setAttribute("role", "cell");
      one.append(...content);
      made.append(one);
      return one;
    };
    const who = make("th", "who");
    who.setAttribute("role", "rowheader");
    who.scope = "row";
    const name = make("a", "", places.name[row.place]);
    name.href = `${base}d/${places.id[row.place]}.html`;
    who.append(name);
    const above = places.parent[row.place];
    if (above >= 0) who.append(make("small", "", places.name[above]));
    if (row.variant) who.append(make("small", "", row.variant));
    who.title = `${places.name[row.place]}（${places.id[row.place]}）`;
    made.append(who);
    cell("n wide", String(row.year));
    const stands = make("span", `state ${row.state}`);
    stands.append(make("i", "", MARKS[row.state]), ` ${WORDS[row.state]}`);
    stands.firstChild.setAttribute("aria-hidden", "true");
    const findings = row.errors + row.warnings;
    cell("", stands, ...(findings ? [make("span", "findings", ` ${findings} 处问题`)] : []));
    const title = only() < 0 ? places.kinds[row.kind].title : "";
    if (row.reason) {
      const reason = cell("reason wide", title ? `${title} ${row.reason}` : row.reason);
      reason.colSpan = columns().length;
      reason.title = row.reason;
      cell("rest narrow reason", `${row.year}年${title} ${row.reason}`);
    } else {
      const brief = (first) => [first, ...places.kinds[row.kind].columns.slice(0, 3)
        .map(([title, unit], i) => `${title.slice(0, 4)} ${shown(row.figures[i])}${unit}`)]
        .map((text) => make("span", "", text));
      if (title) cell("brief wide", ...brief(title));
      else row.figures.forEach((value) => cell("n wide", shown(value)));
      cell("rest narrow", ...brief(`${row.year}年${title}`));
    }
    cell("n wide", line(row));
    return made;
  }

  function gap(high) {
    const made = make("tr", "gap");
    made.setAttribute("role", "presentation");
    made.style.height = `${high}px`;
    return made;
  }

  // Only rows near to what is seen are there; those above and below are two gaps of their height.
  let last = "";
  function draw(anew = true) {
    const body = table.tBodies[0];
    const high = narrow.matches ? 76 : 44;
    const top = body.getBoundingClientRect().top;
    const from = printing ? 0 : Math.max(0, Math.min(Math.floor(-top / high) - SPARE, found.length - 1));
    const to = printing ? Math.min(found.length, PRINTED) : Math.min(found.length, Math.ceil((innerHeight - top) / high) + SPARE);
    const now = `${from} ${to}`;
    if (!anew && now === last) return;
    last = now;
    const focused = document.activeElement?.closest?.("#reports tbody tr")?.getAttribute("aria-rowindex");
    const parts = found.slice(from, Math.max(from, to)).map((row, i) => drawn(row, from + i));
    if (!printing) parts.unshift(gap(from * high)), parts.push(gap(Math.max(0, found.length - to) * high));
    body.replaceChildren(...parts);
    if (focused) body.querySelector(`[aria-rowindex="${focused}"] a`)?.focus({ preventScroll: true });
  }

  // What is asked for lives in the address, so that it can be kept and sent.
  function store() {
    const asked = new URLSearchParams();
    for (const one of fields) if (one.value || one === year) asked.set(one.id, one.value);
    if (order !== 2 || down) asked.set("o", `${order}${down ? "-" : ""}`);
    history.replaceState(null, "", `#${asked}`);
  }

  function restore() {
    const asked = new URLSearchParams(location.hash.slice(1));
    words.value = asked.get("q") ?? "";
    year.value = asked.has("y") ? asked.get("y") : first;
    state.value = asked.get("s") ?? "";
    parent.value = asked.get("p") ?? "";
    if (kind) kind.value = asked.get("k") ?? "";
    const sort = asked.get("o") ?? "2";
    const last = keys.length - 1 + (only() < 0 ? 0 : columns().length);
    order = Math.min(Math.max(parseInt(sort, 10) || 0, 0), last);
    down = sort.endsWith("-");
    head();
    show();
  }

  kind?.addEventListener("input", () => { if (order >= keys.length) order = 2; head(); });
  for (const one of fields) one.addEventListener("input", () => { store(); show(); });
  words.form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    if (!places) return;
    restore();
    if (location.hash.includes("=")) at("reports-part").scrollIntoView();
  });
  addEventListener("scroll", () => draw(false), { passive: true });
  addEventListener("resize", () => draw());
  narrow.addEventListener("change", () => draw());
  addEventListener("beforeprint", () => {
    printing = true;
    at("printed").hidden = found.length <= PRINTED;
    at("printed").textContent = `只印前 ${PRINTED} 份，共 ${found.length} 份；先查找再打印。`;
    draw();
  });
  addEventListener("afterprint", () => { printing = false; at("printed").hidden = true; draw(); });
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      words.focus();
    } else if (event.key === "Escape" && document.activeElement === words) {
      words.value = "";
      store();
      show();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const row = document.activeElement.closest("#reports tbody tr");
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (!row && !(document.activeElement === words && step > 0)) return;
      event.preventDefault();
      const index = row ? Number(row.getAttribute("aria-rowindex")) + step : 2;
      if (row && index < 2) return words.focus();
      const next = table.tBodies[0].querySelector(`[aria-rowindex="${index}"] a`);
      if (next) next.focus(), next.scrollIntoView({ block: "nearest" });
    }
  });
})();
