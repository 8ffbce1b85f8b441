"use strict";
(() => {
  const body = document.querySelector("tbody");
  if (!body) return;
  const rows = Array.from(body.rows);
  const place = new Map(rows.map((row, index) => [row, index]));
  const tools = document.querySelector(".tools");
  const chips = Array.from(tools.querySelectorAll("[data-show]"));
  const search = document.getElementById("search");
  const order = document.getElementById("order");
  const showing = document.getElementById("showing");
  const heads = Array.from(document.querySelectorAll("th[data-key]"));
  const answers = ["fake", "unsure", "real", "error"];
  let chosen = "all";

  const filter = () => {
    const text = search.value.toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = chosen === "all" || row.dataset.answer === chosen;
      row.hidden = !(fits && row.dataset.name.toLowerCase().includes(text));
      if (!row.hidden) count += 1;
    }
    showing.textContent = count === rows.length ? "" : `${count} of ${rows.length} shown`;
  };

  const compare = {
    as: (a, b) => place.get(a) - place.get(b),
    p: (a, b) => Number(b.dataset.p) - Number(a.dataset.p),
    area: (a, b) => Number(b.dataset.area) - Number(a.dataset.area),
    name: (a, b) => a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true }),
    answer: (a, b) => answers.indexOf(a.dataset.answer) - answers.indexOf(b.dataset.answer),
  };

  const sort = (key, reverse) => {
    const sign = reverse ? -1 : 1;
    const sorted = rows.slice().sort((a, b) => sign * compare[key](a, b) || compare.as(a, b));
    body.append(...sorted);
    const first = key === "p" || key === "area" ? "descending" : "ascending";
    const second = first === "descending" ? "ascending" : "descending";
    for (const head of heads) head.ariaSort = head.dataset.key === key ? (reverse ? second : first) : "none";
    for (const head of heads) head.querySelector("span").textContent = { ascending: " ↑", descending: " ↓", none: "" }[head.ariaSort];
  };

  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chosen = chip.dataset.show;
      for (const other of chips) other.setAttribute("aria-pressed", String(other === chip));
      filter();
    });
  }
  for (const head of heads) {
    const button = document.createElement("button");
    const arrow = document.createElement("span");
    let reverse = false;
    button.type = "button";
    button.append(head.textContent, arrow);
    button.addEventListener("click", () => {
      reverse = head.ariaSort && head.ariaSort !== "none" ? !reverse : false;
      sort(head.dataset.key, reverse);
    });
    head.replaceChildren(button);
  }
  search.addEventListener("input", filter);
  order.addEventListener("change", () => sort(order.value, false));

  const toggle = (image) => image.closest("tr").classList.toggle("open");
  for (const image of body.querySelectorAll("img")) image.tabIndex = 0;
  body.addEventListener("click", (event) => event.target.matches("img") && toggle(event.target));
  body.addEventListener("keydown", (event) => {
    if (event.target.matches("img") && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      toggle(event.target);
    }
  });
  tools.hidden = false;
})();
