"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const names = { "audit.html": "审计页", "report.pdf": "PDF", "report.docx": "Word", "tables.xlsx": "表格" };
  let shown = 0;
  // The draft begins again where its reader was.
  const reload = (version) => {
    const frame = at("draft"), was = frame.contentWindow && shown ? frame.contentWindow.scrollY : 0;
    frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, was), { once: true });
    frame.src = "/v" + version + "/report.html";
    shown = version;
  };
  const told = (now) => {
    at("error").hidden = !now.error;
    at("error").textContent = now.error;
    at("state").textContent = now.making ? "正在生成…" : now.error ? "未能生成，下面是上一稿" : "第" + now.version + "稿";
    at("links").replaceChildren(...now.documents.filter((name) => names[name]).flatMap((name) => {
      const link = document.createElement("a");
      link.href = "/v" + now.version + "/" + name;
      link.target = "_blank";
      link.textContent = names[name];
      return [link, " "];
    }));
    if (now.version && now.version !== shown) reload(now.version);
  };
  new EventSource("/events").onmessage = (event) => told(JSON.parse(event.data));
})();
